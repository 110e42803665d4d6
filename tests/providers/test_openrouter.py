from __future__ import annotations

import hashlib
from typing import Any

import pytest

from fondation.messages import AssistantMessage, TextPart, UserMessage
from fondation.providers.base import ModelRequest
from tests.providers.conftest import MakeProvider
from tests.providers.upstream import Request, Upstream
from tests.providers.wire import DONE, QUESTION, USAGE, ask, chunk, stream, text

ANSWER = stream(text("Hello"), chunk(finish="stop"), chunk(usage={**USAGE, "cost": 0.25}), DONE)


async def sent(upstream: Upstream, openrouter: MakeProvider, **request: Any) -> Request:
    upstream.reply(ANSWER)
    outcome = await ask(openrouter(), ModelRequest(QUESTION.messages, **request))
    assert outcome.call.usage is not None
    assert outcome.call.usage.cost == 0.25
    return await upstream.request()


async def test_the_cost_is_asked_for(upstream: Upstream, openrouter: MakeProvider) -> None:
    body = (await sent(upstream, openrouter)).json
    assert body["usage"] == {"include": True}
    assert body.keys() == {"model", "messages", "stream", "usage"}


async def test_the_user_is_sent_as_a_hash(upstream: Upstream, openrouter: MakeProvider) -> None:
    request = await sent(upstream, openrouter, user_id="ann@acme.test")
    assert hashlib.sha256(b"ann@acme.test").hexdigest().startswith(request.json["user"])
    assert len(request.json["user"]) == 32
    assert b"ann@" not in request.body


async def test_the_session_keeps_its_calls_together(upstream: Upstream, openrouter: MakeProvider) -> None:
    assert (await sent(upstream, openrouter, session_id="s" * 300)).json["session_id"] == "s" * 256


async def test_routing_comes_from_the_settings(upstream: Upstream, openrouter: MakeProvider) -> None:
    routing = {"order": ["acme"], "allow_fallbacks": False}
    body = (await sent(upstream, openrouter, settings={"provider": routing, "plugins": [{"id": "web"}]})).json
    assert body["provider"] == routing
    assert body["plugins"] == [{"id": "web"}]


async def test_the_app_is_named(upstream: Upstream, openrouter: MakeProvider) -> None:
    headers = (await sent(upstream, openrouter)).headers
    assert headers["x-openrouter-title"] == "fondation"
    assert headers["http-referer"] == "http://localhost"
    assert headers["authorization"] == "Bearer sk-or-v1-1234567890"


async def test_the_app_may_have_a_name_of_its_own(
    upstream: Upstream, openrouter: MakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENROUTER_APP_URL", "https://desk.acme.test")
    monkeypatch.setenv("OPENROUTER_APP_TITLE", "Acme Desk")
    headers = (await sent(upstream, openrouter)).headers
    assert headers["x-openrouter-title"] == "Acme Desk"
    assert headers["http-referer"] == "https://desk.acme.test"


async def test_reasoning_goes_back_to_its_model(upstream: Upstream, openrouter: MakeProvider) -> None:
    upstream.reply(ANSWER)
    block = {"type": "reasoning.text", "text": "Hm", "signature": "s"}
    said = AssistantMessage("Hi", model="acme/large", reasoning_details=(block,))
    await ask(openrouter(), ModelRequest([said, UserMessage((TextPart("and?"),))]))
    assert (await upstream.request()).json["messages"][0]["reasoning_details"] == [block]
