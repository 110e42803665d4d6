from __future__ import annotations

import pytest

from fondation import __version__
from fondation.errors import AuthenticationFailed, ProviderUnavailable
from fondation.http import HttpClient
from fondation.messages import AssistantMessage, Message, TextPart, UserMessage
from fondation.providers.base import ModelRequest
from fondation.providers.openai import OpenAIProvider
from tests.providers.canned import ask_canned
from tests.providers.conftest import MakeProvider
from tests.providers.upstream import Upstream
from tests.providers.wire import DONE, USAGE, ask, chunk, stream, text

ANSWER = stream(text("Hello"), chunk(finish="stop"), chunk(usage=USAGE), DONE)


async def test_the_request_holds_nothing_that_openai_does_not_know(upstream: Upstream, openai: MakeProvider) -> None:
    upstream.reply(ANSWER)
    said = AssistantMessage("Hi", model="acme/large", reasoning_details=({"type": "reasoning.text", "text": "Hm"},))
    messages: list[Message] = [UserMessage((TextPart("Hello?"),)), said]
    await ask(openai(), ModelRequest(messages, user_id="ann@acme.test", session_id="s1", settings={"seed": 1}))
    sent = await upstream.request()
    assert sent.method == "POST"
    assert sent.target == "/v1/chat/completions"
    assert sent.json == {
        "model": "acme/large",
        "messages": [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "seed": 1,
    }


async def test_the_headers(upstream: Upstream, openai: MakeProvider) -> None:
    upstream.reply(ANSWER)
    await ask(openai(key=" sk-test-1234567890\n"))
    headers = (await upstream.request()).headers
    assert headers["authorization"] == "Bearer sk-test-1234567890"
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"] == f"fondation/{__version__}"
    assert headers["accept-encoding"] == "identity"
    assert "http-referer" not in headers


@pytest.mark.parametrize("key", [None, "", "  "])
async def test_without_a_key_there_is_no_authorization(
    upstream: Upstream, openai: MakeProvider, key: str | None
) -> None:
    upstream.reply(ANSWER)
    assert (await ask(openai(key=key))).error is None
    assert "authorization" not in (await upstream.request()).headers


@pytest.mark.parametrize("suffix", ["", "/", "/chat/completions", "/chat/completions/"])
async def test_the_address_may_be_written_in_full(upstream: Upstream, openai: MakeProvider, suffix: str) -> None:
    upstream.reply(ANSWER)
    await ask(openai(base_url=upstream.base_url + suffix))
    assert (await upstream.request()).target == "/v1/chat/completions"


async def test_the_address_may_have_a_query(upstream: Upstream, openai: MakeProvider) -> None:
    upstream.reply(ANSWER)
    await ask(openai(base_url=f"{upstream.base_url}/deployments/gpt?api-version=2026-01-01"))
    assert (await upstream.request()).target == "/v1/deployments/gpt/chat/completions?api-version=2026-01-01"


async def test_a_large_request_is_sent_whole(upstream: Upstream, openai: MakeProvider) -> None:
    upstream.reply(ANSWER)
    long = "é" * 1_500_000
    assert (await ask(openai(), ModelRequest([UserMessage((TextPart(long),))]))).text == "Hello"
    assert (await upstream.request()).json["messages"][0]["content"] == long


async def test_an_address_that_is_none(http: HttpClient) -> None:
    provider = OpenAIProvider("m", http, key="sk-test-123456", base_url="http:///v1", timeout=1)
    error = (await ask(provider)).error
    assert isinstance(error, ProviderUnavailable)
    assert not error.retryable


async def test_a_key_in_an_error_stays_there() -> None:
    body = b'{"error":{"message":"Incorrect API key provided: sk-or-v1-0123456789abcdef","code":"invalid_api_key"}}'
    outcome = await ask_canned(body, provider=OpenAIProvider, status=401, content_type="application/json")
    assert isinstance(outcome.error, AuthenticationFailed)
    assert "0123456789abcdef" not in str(outcome.error)
    assert outcome.error.__cause__ is None
    assert outcome.error.__suppress_context__ or outcome.error.__context__ is None


async def test_a_key_that_no_header_can_hold(upstream: Upstream, openai: MakeProvider) -> None:
    upstream.reply(ANSWER)
    error = (await ask(openai(key="sk-test\n123456"))).error
    assert isinstance(error, ProviderUnavailable)
    assert "123456" not in str(error)
