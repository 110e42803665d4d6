"""OpenRouter: a chat-completions server that bills each call and routes it among providers."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

from fondation.messages import Json
from fondation.providers.base import ModelRequest
from fondation.providers.openai import OpenAIProvider

LONGEST_SESSION_ID = 256
USER_HASH_DIGITS = 32


class OpenRouterProvider(OpenAIProvider):
    """One model at OpenRouter."""

    name = "openrouter"
    default_base_url = "https://openrouter.ai/api/v1"
    sends_reasoning_back = True
    names_generations = True

    def own_headers(self) -> Mapping[str, str]:
        """OpenRouter shows whose calls these are by a URL and a title; a local URL counts with a title only."""
        return {
            "HTTP-Referer": os.environ.get("OPENROUTER_APP_URL") or "http://localhost",
            "X-OpenRouter-Title": os.environ.get("OPENROUTER_APP_TITLE") or "fondation",
        }

    def own_fields(self, request: ModelRequest) -> Mapping[str, Json]:
        """`user` keeps one user's abuse from blocking all; `session_id` keeps a chat at one provider's cache."""
        fields: dict[str, Json] = {"usage": {"include": True}}
        if request.user_id:
            digest = hashlib.sha256(request.user_id.encode("utf-8", "replace")).hexdigest()
            fields["user"] = digest[:USER_HASH_DIGITS]
        if request.session_id:
            fields["session_id"] = request.session_id[:LONGEST_SESSION_ID]
        return fields
