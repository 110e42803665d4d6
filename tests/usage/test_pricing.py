from __future__ import annotations

import math

import pytest

from fondation.calls import CostSource, ModelCall, TokenUsage
from fondation.config import Price
from fondation.usage.pricing import prepare, price, price_as_told

FULL = Price(input=3.0, output=15.0, cached_input=0.3, cache_write=3.75)


def call(usage: TokenUsage | None = None, **fields: object) -> ModelCall:
    made = ModelCall("Billing", "openai", "gpt-4o-mini", ("Billing",))
    made.usage = usage
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def tokens(prompt: int | None = 1000, completion: int | None = 100, **rest: object) -> TokenUsage:
    return TokenUsage(prompt_tokens=prompt, completion_tokens=completion, **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (TokenUsage(cost=0.01), 0.01),
        (TokenUsage(cost=0.0), 0.0),
        (TokenUsage(cost=0.01, upstream_cost=0.2), 0.01),
        (TokenUsage(cost=0.01, upstream_cost=0.2, is_byok=False), 0.01),
        (TokenUsage(cost=0.01, upstream_cost=0.2, is_byok=True), 0.21),
        (TokenUsage(cost=0.01, upstream_cost=None, is_byok=True), 0.01),
    ],
)
def test_what_the_provider_charged_is_the_cost(usage: TokenUsage, cost: float) -> None:
    priced = call(usage)
    price(priced, FULL)
    assert priced.cost == pytest.approx(cost)
    assert priced.cost_source == "billed"


@pytest.mark.parametrize("cost", [None, -1.0, 1e9, math.nan, math.inf])
def test_a_charge_that_cannot_be_is_none(cost: float | None) -> None:
    priced = call(TokenUsage(cost=cost))
    price(priced, None)
    assert (priced.cost, priced.cost_source) == (None, "unknown")


@pytest.mark.parametrize(
    ("usage", "dollars_per_million"),
    [
        (tokens(), 1000 * 3 + 100 * 15),
        (tokens(cached_tokens=400), 600 * 3 + 400 * 0.3 + 100 * 15),
        (tokens(cached_tokens=400, cache_write_tokens=100), 500 * 3 + 400 * 0.3 + 100 * 3.75 + 100 * 15),
        (tokens(reasoning_tokens=90), 1000 * 3 + 100 * 15),
        (tokens(cached_tokens=5000), 1000 * 0.3 + 100 * 15),
        (tokens(cached_tokens=900, cache_write_tokens=900), 900 * 0.3 + 100 * 3.75 + 100 * 15),
        (tokens(cached_tokens=-5), 1000 * 3 + 100 * 15),
        (tokens(0, 0), 0.0),
    ],
)
def test_the_files_price_counts_every_token_once(usage: TokenUsage, dollars_per_million: float) -> None:
    priced = call(usage)
    price(priced, FULL)
    assert priced.cost == pytest.approx(dollars_per_million / 1e6)
    assert priced.cost_source == "priced"


def test_without_a_cache_price_cached_tokens_cost_what_others_do() -> None:
    priced = call(tokens(cached_tokens=400, cache_write_tokens=100))
    price(priced, Price(input=3.0, output=15.0))
    assert priced.cost == pytest.approx((1000 * 3 + 100 * 15) / 1e6)


@pytest.mark.parametrize("usage", [None, tokens(None), tokens()])
@pytest.mark.parametrize("zero", [Price(input=0, output=0), Price(input=0, output=0, cached_input=0, cache_write=0)])
def test_where_every_token_is_free_nobody_has_to_count_them(usage: TokenUsage | None, zero: Price) -> None:
    priced = call(usage, status="aborted")
    price(priced, zero)
    assert (priced.cost, priced.cost_source, priced.cost_note) == (0.0, "priced", None)


@pytest.mark.parametrize(
    ("usage", "partial"),
    [
        (None, FULL),
        (tokens(None), FULL),
        (tokens(1000, None), FULL),
        (tokens(-1, 5), FULL),
        (tokens(10**300, 5), FULL),
        (tokens(), Price(input=3.0)),
        (tokens(), Price(output=15.0)),
        (None, Price(input=0)),
        (None, Price(input=0, output=0, cache_write=3.75)),
        (tokens(), None),
    ],
)
def test_what_cannot_be_priced_is_unknown(usage: TokenUsage | None, partial: Price | None) -> None:
    priced = call(usage)
    price(priced, partial)
    assert (priced.cost, priced.cost_source) == (None, "unknown")


def test_a_refused_call_cost_nothing() -> None:
    priced = call(charged=False)
    price(priced, FULL)
    assert (priced.cost, priced.cost_source) == (0.0, "none")


def test_a_charge_counts_even_where_nothing_should_have_been_charged() -> None:
    priced = call(TokenUsage(cost=0.01), charged=False)
    price(priced, None)
    assert priced.cost_source == "billed"


def test_a_simulated_call_has_no_cost() -> None:
    priced = call(tokens(cost=0.5), provider="simulated")
    price(priced, FULL)
    assert (priced.cost, priced.cost_source) == (None, "simulated")


@pytest.mark.parametrize(
    ("provider", "requested", "answered"),
    [
        ("openai", "gpt-4o-mini", None),
        ("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
        ("openai", "gpt-4o-mini", "a-name-nobody-knows"),
        ("openrouter", "anthropic/claude-sonnet-4.5", "anthropic/claude-4.5-sonnet-20250929"),
    ],
)
def test_a_known_model_is_estimated_when_allowed(provider: str, requested: str, answered: str | None) -> None:
    prepare()
    priced = call(tokens(), provider=provider, requested_model=requested, model=answered)
    price(priced, None, estimate=True)
    assert priced.cost_source == "estimated"
    assert 0 < (priced.cost or 0) < 0.1


@pytest.mark.parametrize(
    ("fields", "estimate"),
    [({}, False), ({"requested_model": "llama3"}, True), ({"usage": None}, True), ({"provider": "acme"}, True)],
)
def test_nothing_is_estimated_in_the_dark(fields: dict[str, object], estimate: bool) -> None:
    priced = call(tokens())
    for name, value in fields.items():
        setattr(priced, name, value)
    price(priced, None, estimate=estimate)
    assert (priced.cost, priced.cost_source) == (None, "unknown")


def test_an_estimate_stands_back_behind_the_files_price() -> None:
    priced = call(tokens())
    price(priced, FULL, estimate=True)
    assert priced.cost_source == "priced"


def test_an_estimate_takes_more_cached_tokens_than_the_prompt_has() -> None:
    priced = call(tokens(cached_tokens=5000, cache_write_tokens=5000))
    price(priced, None, estimate=True)
    assert priced.cost_source == "estimated"


@pytest.mark.parametrize(
    ("ended", "source"),
    [
        (call(tokens(cost=0.5)), "billed"),
        (call(charged=False), "none"),
        (call(provider="simulated"), "simulated"),
        (call(tokens()), "unknown"),
    ],
)
def test_without_a_price_the_provider_is_believed_alone(ended: ModelCall, source: CostSource) -> None:
    price_as_told(ended)
    assert ended.cost_source == source


ASKABLE = {"askable": True, "generation_id": "gen-1"}


@pytest.mark.parametrize(
    ("usage", "fields", "source", "note"),
    [
        (None, {**ASKABLE, "status": "aborted"}, "pending", None),
        (None, {**ASKABLE, "status": "done"}, "pending", None),
        (tokens(), {**ASKABLE, "status": "aborted"}, "pending", None),
        (tokens(), {**ASKABLE, "status": "done"}, "priced", None),
        (tokens(), {"status": "aborted"}, "priced", None),
        (TokenUsage(cost=0.1), {**ASKABLE, "status": "aborted"}, "billed", None),
        (None, {**ASKABLE, "status": "refused", "charged": False}, "none", None),
        (None, {"askable": True, "status": "aborted"}, "unknown", "no_generation_id"),
        (None, {"generation_id": "chatcmpl-1", "status": "aborted"}, "unknown", "no_usage"),
        (tokens(), {"is_usage_final": False, "status": "aborted"}, "unknown", "no_usage"),
        (TokenUsage(cost=0.1), {**ASKABLE, "is_usage_final": False, "status": "aborted"}, "pending", None),
    ],
)
def test_what_the_provider_is_going_to_tell_is_waited_for(
    usage: TokenUsage | None, fields: dict[str, object], source: CostSource, note: str | None
) -> None:
    priced = call(usage, **fields)
    price(priced, FULL)
    assert (priced.cost_source, priced.cost_note) == (source, note)


def test_tokens_without_a_price_say_that_the_price_is_missing() -> None:
    priced = call(tokens(), status="done")
    price(priced, None)
    assert (priced.cost_source, priced.cost_note) == ("unknown", "no_price")


def test_what_was_unknown_and_is_told_later_has_no_note() -> None:
    priced = call()
    price_as_told(priced)
    assert str(priced.cost_note) == "no_usage"
    priced.usage = TokenUsage(cost=0.5)
    price_as_told(priced)
    told = priced.cost, priced.cost_source
    assert told == (0.5, "billed")
    assert not priced.cost_note
