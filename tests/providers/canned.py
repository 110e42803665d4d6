"""Whole responses from a can, where how the bytes arrive does not matter."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import aiohttp
from aioresponses import aioresponses

from fondation.http import HttpClient
from fondation.providers.base import ModelRequest
from fondation.providers.openai import OpenAIProvider
from fondation.providers.openrouter import OpenRouterProvider
from tests.providers.wire import QUESTION, Outcome, ask

KEY = "sk-or-v1-0123456789abcdef"
BASE_URL = "https://models.test/v1"


class CannedResponse(aiohttp.ClientResponse):
    """aioresponses 0.7.9 does not pass what aiohttp 3.14 asks for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, stream_writer=Mock(), **kwargs)


async def ask_canned(
    body: bytes,
    *,
    provider: type[OpenAIProvider] = OpenRouterProvider,
    request: ModelRequest = QUESTION,
    status: int = 200,
    content_type: str = "text/event-stream",
    headers: dict[str, str] | None = None,
) -> Outcome:
    """What a provider makes of one response."""
    http = HttpClient()
    asked = provider("acme/large", http, key=KEY, base_url=BASE_URL, timeout=5.0)
    try:
        with aioresponses() as canned:
            canned.post(
                f"{BASE_URL}/chat/completions",
                status=status,
                body=body,
                headers=headers,
                content_type=content_type,
                response_class=CannedResponse,
            )
            return await ask(asked, request)
    finally:
        await http.close()
