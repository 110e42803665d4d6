from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias

import pytest

from fondation.http import CA_VARIABLES, HttpClient
from fondation.providers.openai import OpenAIProvider
from fondation.providers.openrouter import OpenRouterProvider
from tests.providers.upstream import Upstream

MakeProvider: TypeAlias = Callable[..., OpenAIProvider]


@pytest.fixture(autouse=True)
def plain_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxies and certificates of whoever runs the tests."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", *CA_VARIABLES):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient()
    yield client
    await client.close()


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    server = Upstream()
    await server.start()
    yield server
    await server.close()


@pytest.fixture
def openai(http: HttpClient, upstream: Upstream) -> MakeProvider:
    """Makes a provider that asks the scripted upstream."""

    def make(**changes: Any) -> OpenAIProvider:
        options = {"key": "sk-test-1234567890", "base_url": upstream.base_url, "timeout": 5.0, **changes}
        return OpenAIProvider("acme/large", http, **options)

    return make


@pytest.fixture
def openrouter(http: HttpClient, upstream: Upstream) -> MakeProvider:
    def make(**changes: Any) -> OpenRouterProvider:
        options = {"key": "sk-or-v1-1234567890", "base_url": upstream.base_url, "timeout": 5.0, **changes}
        return OpenRouterProvider("acme/large", http, **options)

    return make
