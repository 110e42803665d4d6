"""OpenRouter: a chat-completions server that bills each call and routes it among providers."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

from fondation.http import HttpClient
from fondation.messages import Json
from fondation.providers.base import ModelRequest
from fondation.providers.generations import Generations
from fondation.providers.openai import OpenAIProvider

LONGEST_SESSION_ID = 256
USER_HASH_DIGITS = 32


class OpenRouterProvider(OpenAIProvider):
    """One model at OpenRouter."""

    name = "openrouter"
    default_base_url = "https://openrouter.ai/api/v1"
    sends_reasoning_back = True
    names_generations = True

    def __init__(self, model: str, http: HttpClient, *, key: str | None, base_url: str | None, timeout: float) -> None:
        super().__init__(model, http, key=key, base_url=base_url, timeout=timeout)
        self.receipts = Generations(http, base_url or self.default_base_url, key.strip() if key else None)

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
