from __future__ import annotations

import asyncio
import json
from typing import Any, TypeAlias

import pytest

from fondation.calls import TokenUsage
from fondation.errors import AuthenticationFailed, BadAnswer, ProviderError, ProviderUnavailable, RateLimited
from fondation.http import HttpClient
from fondation.providers.base import Receipt
from fondation.providers.generations import Generations, read_receipt
from tests.providers.conftest import MakeProvider
from tests.providers.upstream import Cut, Upstream

Told: TypeAlias = dict[str, Any]

KEY = "sk-or-v1-1234567890"
GENERATION: Told = {
    "id": "gen-1",
    "total_cost": 0.0123,
    "usage": 0.0123,
    "is_byok": False,
    "upstream_inference_cost": 0,
    "model": "acme/large-2026",
    "finish_reason": "length",
    "tokens_prompt": 90,
    "tokens_completion": 40,
    "native_tokens_prompt": 100,
    "native_tokens_completion": 50,
    "native_tokens_reasoning": 20,
    "native_tokens_cached": 10,
    "cancelled": True,
}


@pytest.fixture
def generations(http: HttpClient, upstream: Upstream) -> Generations:
    return Generations(http, upstream.base_url, KEY)


def answer(upstream: Upstream, body: Any, status: int = 200, **headers: str) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    upstream.reply(data, status=status, headers={"Content-Type": "application/json", **headers})


async def test_a_receipt_is_asked_for_by_id_and_with_the_key(generations: Generations, upstream: Upstream) -> None:
    answer(upstream, {"data": GENERATION})
    receipt = await generations.find("gen-1 &x=2")
    request = await upstream.request()
    assert (request.method, request.target) == ("GET", "/v1/generation?id=gen-1+%26x%3D2")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    usage = TokenUsage(100, 50, None, 10, None, 20, 0.0123, 0.0, False)
    assert receipt == Receipt(usage, "acme/large-2026", "length")
    assert usage.total == 150


async def test_an_address_written_in_full_leads_to_the_receipts_too(http: HttpClient, upstream: Upstream) -> None:
    answer(upstream, {"data": GENERATION})
    await Generations(http, f"{upstream.base_url}/chat/completions/?team=7", None).find("gen-1")
    request = await upstream.request()
    assert request.target == "/v1/generation?team=7&id=gen-1"
    assert "authorization" not in request.headers


async def test_what_is_not_written_yet_is_no_receipt(generations: Generations, upstream: Upstream) -> None:
    answer(upstream, {"error": {"message": "Generation gen-1 not found", "code": 404}}, 404)
    assert await generations.find("gen-1") is None


@pytest.mark.parametrize("change", [{"total_cost": None}, {"total_cost": "nan"}, {"total_cost": -1}])
def test_a_generation_that_names_no_charge_is_no_receipt(change: Told) -> None:
    assert read_receipt({"data": GENERATION | change}) is None


@pytest.mark.parametrize("body", [{}, {"data": None}, [], "text", None, {"data": [1]}])
def test_strange_bodies_are_no_receipts(body: Any) -> None:
    assert read_receipt(body) is None


def test_what_a_receipt_leaves_out_is_unknown() -> None:
    assert read_receipt({"data": {"total_cost": 0}}) == Receipt(TokenUsage(cost=0.0))
    told = {"total_cost": 0.1, "tokens_prompt": 9, "tokens_completion": 4, "finish_reason": "odd", "model": 7}
    assert read_receipt({"data": told}) == Receipt(TokenUsage(9, 4, cost=0.1))


def test_with_ones_own_key_the_charge_is_a_fee() -> None:
    receipt = read_receipt({"data": GENERATION | {"is_byok": True, "upstream_inference_cost": 0.2}})
    assert receipt is not None
    assert (receipt.usage.cost, receipt.usage.upstream_cost, receipt.usage.is_byok) == (0.0123, 0.2, True)


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, AuthenticationFailed), (429, RateLimited), (500, ProviderUnavailable), (302, ProviderUnavailable)],
)
async def test_a_refusal_is_an_error_without_the_key(
    status: int, error: type[ProviderError], generations: Generations, upstream: Upstream
) -> None:
    answer(upstream, {"error": {"message": f"no {KEY}", "code": status}}, status)
    with pytest.raises(error) as raised:
        await generations.find("gen-1")
    assert KEY not in str(raised.value)


async def test_a_page_instead_of_a_receipt_is_an_error(generations: Generations, upstream: Upstream) -> None:
    answer(upstream, b"<html>")
    with pytest.raises(BadAnswer, match="no JSON"):
        await generations.find("gen-1")


async def test_a_broken_connection_is_an_error(generations: Generations, upstream: Upstream) -> None:
    upstream.reply(b"{", Cut())
    with pytest.raises(ProviderUnavailable):
        await generations.find("gen-1")


async def test_an_answer_without_end_is_an_error(
    generations: Generations, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fondation.providers.generations.LARGEST", 1000)
    answer(upstream, b" " * 2000)
    with pytest.raises(ProviderUnavailable, match="more than 1,000 bytes"):
        await generations.find("gen-1")


async def test_nobody_listening_is_an_error(http: HttpClient) -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    with pytest.raises(ProviderUnavailable):
        await Generations(http, f"http://127.0.0.1:{port}", KEY).find("gen-1")


def test_models_of_one_account_share_their_receipts(openrouter: MakeProvider, openai: MakeProvider) -> None:
    one, two, other = openrouter(), openrouter(), openrouter(key="sk-or-v1-other-key")
    assert one.receipts == two.receipts
    assert one.receipts != other.receipts
    assert len({one.receipts, two.receipts, other.receipts}) == 2
    assert "1234567890" not in repr(one.receipts)
    assert openai().receipts is None
