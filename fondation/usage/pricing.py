"""What a call cost, and who says so: the provider first, then the file's price, then a kept price table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeGuard

from fondation.calls import CostSource, ModelCall
from fondation.stores.rows import LARGEST_COST

if TYPE_CHECKING:
    from fondation.config import Price

Cost: TypeAlias = tuple[float | None, CostSource]

TOKENS_PER_PRICE = 1_000_000


def price(call: ModelCall, price: Price | None, *, estimate: bool = False) -> None:
    """Set `cost` and `cost_source` of a call that has ended; `price` is the model's own, from the file.

    `estimate` allows the kept price table where nothing else is known: see `price_table`. A call whose provider will
    say what it cost stays pending, unless it ended well and its tokens have a price.
    """
    cost = _told(call)
    if cost is None and not (will_be_told(call) and call.status != "done"):
        cost = _priced(call, price) or (_estimated(call) if estimate else None)
    _set(call, cost)


def expected_cost(call: ModelCall, price: Price | None, *, estimate: bool) -> float | None:
    """What a call with such a usage would cost, in dollars; None where nobody knows."""
    cost = _priced(call, price) or (_estimated(call) if estimate else None)
    return None if cost is None else cost[0]


def price_as_told(call: ModelCall) -> None:
    """Set `cost` and `cost_source` from what the provider said alone."""
    _set(call, _told(call))


def will_be_told(call: ModelCall) -> bool:
    """Whether the provider can be asked what this call cost."""
    return call.askable and call.generation_id is not None


def _set(call: ModelCall, cost: Cost | None) -> None:
    call.cost_note = None
    if cost is not None:
        call.cost, call.cost_source = cost
    elif will_be_told(call):
        call.cost, call.cost_source = None, "pending"
    else:
        call.cost, call.cost_source = None, "unknown"
        call.cost_note = "no_generation_id" if call.askable else "no_price" if _tokens(call) else "no_usage"


def prepare() -> None:
    """Load the kept price table, which takes a fifth of a second: in a thread, before the first answer needs it."""
    import genai_prices.data_snapshot

    genai_prices.data_snapshot.get_snapshot()


def _told(call: ModelCall) -> Cost | None:
    if call.provider == "simulated":
        return None, "simulated"
    charged = _amount(call.usage.cost) if call.usage and call.is_usage_final else None
    if call.usage and charged is not None:
        # with one's own key the charge is a fee, and the upstream sends its own bill; else it is in the charge
        upstream = _amount(call.usage.upstream_cost) if call.usage.is_byok else None
        return charged + (upstream or 0.0), "billed"
    if call.charged is False:
        return 0.0, "none"
    return None


def _priced(call: ModelCall, price: Price | None) -> Cost | None:
    if price is None:
        return None
    if _is_free(price):
        return 0.0, "priced"
    tokens = _tokens(call)
    if tokens is None:
        return None
    bill = [
        (tokens.fresh, price.input),
        (tokens.cached, price.input if price.cached_input is None else price.cached_input),
        (tokens.written, price.input if price.cache_write is None else price.cache_write),
        (tokens.output, price.output),
    ]
    cost = 0.0
    for count, rate in bill:
        if count and rate is None:
            return None
        cost += count * (rate or 0.0)
    return cost / TOKENS_PER_PRICE, "priced"


def _is_free(price: Price) -> bool:
    """Whether every token costs nothing, so that nobody has to count them."""
    return price.input == 0 and price.output == 0 and not price.cached_input and not price.cache_write


def _estimated(call: ModelCall) -> Cost | None:
    tokens = _tokens(call)
    if tokens is None:
        return None
    from genai_prices import Usage, calc_price

    usage = Usage(
        input_tokens=tokens.fresh + tokens.cached + tokens.written,
        cache_read_tokens=tokens.cached,
        cache_write_tokens=tokens.written,
        output_tokens=tokens.output,
    )
    when = datetime.fromtimestamp(call.started_at, UTC)
    for model in filter(None, (call.model, call.requested_model)):
        try:
            known = calc_price(usage, model, provider_id=call.provider, genai_request_timestamp=when)
        except (LookupError, ValueError):
            continue
        return float(known.total_price), "estimated"
    return None


class _Tokens(NamedTuple):
    """What is paid for: the prompt in three parts, and the output with its reasoning."""

    fresh: int
    cached: int
    written: int
    output: int


def _tokens(call: ModelCall) -> _Tokens | None:
    """None where the provider did not say enough. Some report more cached tokens than the prompt has."""
    usage = call.usage
    if (
        usage is None
        or not call.is_usage_final
        or not _is_count(usage.prompt_tokens)
        or not _is_count(usage.completion_tokens)
    ):
        return None
    cached = min(max(usage.cached_tokens or 0, 0), usage.prompt_tokens)
    written = min(max(usage.cache_write_tokens or 0, 0), usage.prompt_tokens - cached)
    return _Tokens(usage.prompt_tokens - cached - written, cached, written, usage.completion_tokens)


def _is_count(tokens: int | None) -> TypeGuard[int]:
    return tokens is not None and 0 <= tokens <= 2**53


def _amount(dollars: float | None) -> float | None:
    """A sum that can be charged; a server that sends nonsense has told nothing."""
    return dollars if dollars is not None and 0 <= dollars <= LARGEST_COST else None
