from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.stores import open_store
from fondation.usage.exports import read_export
from fondation.usage.formats import dumps
from fondation.usage.periods import Period
from fondation.usage.reading import open_to_read
from fondation.usage.reconciled import LISTED_AT_MOST, reconciliation_json, reconciliation_table
from fondation.usage.reconciling import Reconciliation, _calls, reconcile

from .conftest import MONDAY, Fill, insert

GOLDEN = Path(__file__).parent / "golden"
HEAD = "generation_id,created_at,cost_total,byok_usage_inference,tokens_prompt,tokens_completion,model_permaslug"
SONNET = {
    "provider": "openrouter",
    "model": "anthropic/claude-4.5-sonnet-20250929",
    "requested_model": "anthropic/claude-sonnet-4.5",
    "prompt_tokens": 812,
    "completion_tokens": 61,
}


def moment(second: float) -> datetime:
    return datetime.fromtimestamp(MONDAY + second, UTC)


def line(generation: str, cost: str, second: float = 0, tokens: str = "812,61", model: str = "") -> str:
    return f"{generation},{moment(second):%Y-%m-%d %H:%M:%S.%f},{cost},0,{tokens},{model or SONNET['model']}"


def compare(path: Path, *lines: str, head: str = HEAD, period: Period | None = None, **options: Any) -> Reconciliation:
    file = path.with_name("activity.csv")
    file.write_text("\n".join([head, *lines, ""]))
    with closing(open_to_read(path)) as connection:
        return reconcile(connection, read_export(file), period or Period(), **options)


def kinds(found: Reconciliation) -> list[str]:
    return [difference.kind for difference in found.differences]


def test_books_that_are_equal_agree(path: Path, fill: Fill) -> None:
    fill(
        {**SONNET, "generation_id": "gen-1", "cost": 0.1},
        {**SONNET, "generation_id": "gen-2", "cost": 0.2, "timestamp": MONDAY + 5},
    )
    found = compare(path, line("gen-1", "0.1"), line("gen-2", "0.2", 5.7))
    assert found.agrees
    assert (found.provider, found.per_call, found.pico) == ("openrouter", True, 0)
    assert (found.export.pico, found.ledger.pico, found.ledger.calls) == (300_000_000_000, 300_000_000_000, 2)
    assert found.period == Period(moment(0), moment(6))


def test_a_difference_in_the_last_digit_is_found(path: Path, fill: Fill) -> None:
    fill({**SONNET, "generation_id": "gen-1", "cost": 0.1})
    found = compare(path, line("gen-1", "0.100000000001"))
    assert (kinds(found), found.pico, found.agrees) == (["other cost"], 1, False)


def test_what_only_one_of_them_has_is_missing_in_the_other(path: Path, fill: Fill) -> None:
    fill({**SONNET, "generation_id": "gen-1", "cost": 0.1}, {**SONNET, "generation_id": "gen-2", "cost": 0.2})
    found = compare(path, line("gen-1", "0.1"), line("gen-3", "0.4", tokens="5,5"))
    assert sorted(kinds(found)) == ["missing in the export", "missing in the ledger"]
    assert found.pico == 200_000_000_000
    for difference in found.differences:
        assert (difference.export is None) == (difference.kind == "missing in the export")


def test_what_cost_nothing_need_not_be_in_the_export(path: Path, fill: Fill) -> None:
    fill({**SONNET, "generation_id": "gen-1", "cost": 0.1}, {**SONNET, "generation_id": "gen-2", "status": "error"})
    found = compare(path, line("gen-1", "0.1"))
    assert found.agrees
    assert (found.export.calls, found.ledger.calls) == (1, 1)


def test_a_call_under_another_id_is_known_by_its_model_tokens_and_minute(path: Path, fill: Fill) -> None:
    fill(
        {**SONNET, "generation_id": "wire-1", "cost": 0.1},
        {**SONNET, "generation_id": None, "cost": 0.2, "timestamp": MONDAY + 30},
        {**SONNET, "generation_id": "wire-3", "cost": 0.3, "timestamp": MONDAY + 300},
    )
    found = compare(
        path,
        line("bill-2", "0.2", 31, model="anthropic/claude-sonnet-4.5"),
        line("bill-1", "0.1", 2),
        line("bill-3", "0.3", 361),
    )
    assert kinds(found) == ["missing in the export", "missing in the ledger"]
    assert [difference.time for difference in found.differences] == [moment(300), moment(361)]


def test_an_id_that_is_used_twice_is_two_calls(path: Path, fill: Fill) -> None:
    fill(*({**SONNET, "generation_id": "gen-1", "cost": cost} for cost in (0.1, 0.2)))
    assert compare(path, line("gen-1", "0.1"), line("gen-1", "0.2")).agrees
    assert kinds(compare(path, line("gen-1", "0.1"))) == ["missing in the export"]


def test_a_cost_that_the_ledger_does_not_know_is_told(path: Path, fill: Fill) -> None:
    fill({**SONNET, "generation_id": "gen-1", "cost_source": "unknown", "status": "aborted"})
    found = compare(path, line("gen-1", "0.1"))
    assert kinds(found) == ["cost unknown in the ledger"]
    assert (found.ledger.pico, found.ledger.unknown_cost_calls) == (0, 1)


@pytest.mark.parametrize(
    "call",
    [
        {"cost_source": "simulated", "provider": "simulated"},
        {"cost_source": "none", "status": "refused"},
        {"provider": "openai", "cost": 5.0},
        {"cost_source": "pending", "status": "running", "generation_id": "gen-9"},
        {"cost_source": "unknown", "status": "error"},
        {"timestamp": MONDAY - 30, "cost": 5.0, "generation_id": "gen-9"},
        {"timestamp": MONDAY + 30, "cost": 5.0, "generation_id": "gen-9"},
    ],
)
def test_what_the_provider_need_not_have_is_not_missing_there(path: Path, fill: Fill, call: dict[str, Any]) -> None:
    fill({**SONNET, "generation_id": "gen-1", "cost": 0.1}, {**SONNET, "prompt_tokens": 1, **call})
    assert compare(path, line("gen-1", "0.1")).agrees


def test_a_period_leaves_out_what_is_not_in_it(path: Path, fill: Fill) -> None:
    fill(*({**SONNET, "generation_id": f"gen-{n}", "cost": 0.1, "timestamp": MONDAY + n} for n in range(10)))
    lines = [line(f"gen-{n}", "0.1", n) for n in range(0, 10, 2)]
    found = compare(path, *lines, period=Period(moment(4), moment(7)))
    assert (found.export.calls, found.ledger.calls) == (2, 3)
    assert [difference.time for difference in found.differences] == [moment(5)]


BY_DAY = "date,model,model_permaslug,usage,byok_usage_inference,requests"


def test_sums_are_compared_by_day_and_model(path: Path, fill: Fill) -> None:
    other = {**SONNET, "model": "openai/gpt-5-mini-2025", "requested_model": "openai/gpt-5-mini"}
    fill(
        *({**SONNET, "cost": 0.1, "timestamp": MONDAY + second} for second in (0, 86_399, 86_400)),
        {**other, "cost": 0.2},
        {**other, "cost_source": "none", "status": "refused"},
    )
    sonnet = f"anthropic/claude-sonnet-4.5,{SONNET['model']}"
    lines = [
        f"2026-11-23,{sonnet},0.15,0,1",
        f"2026-11-23,{sonnet},0,0.05,1",
        "2026-11-23,openai/gpt-5-mini,x,0.2,0,1",
        f"2026-11-24,{sonnet},0.1,0,1",
    ]
    assert compare(path, *lines, head=BY_DAY).agrees
    lines[3] = f"2026-11-24,{sonnet},0.1,0,2"
    lines[2] = "2026-11-23,openai/gpt-5-mini,x,0.25,0,1"
    found = compare(path, *lines, "2026-11-25,acme/one,acme/one,1,0,1", head=BY_DAY)
    assert kinds(found) == ["other cost", "other calls", "missing in the ledger"]


def test_sums_of_all_models_are_compared_by_day(path: Path, fill: Fill) -> None:
    fill(*({"provider": "openai", "model": model, "cost": 0.5} for model in ("a", "b")))
    head = "start_time_iso,amount_value,amount_currency,line_item"
    assert compare(path, "2026-11-23T00:00:00+00:00,1.0,usd,", head=head).agrees


def test_of_an_unknown_provider_all_calls_are_meant_unless_told(path: Path, fill: Fill) -> None:
    fill({"provider": "one", "cost": 0.5, "model": "m"}, {"provider": "two", "cost": 0.25, "model": "m"})
    assert compare(path, "2026-11-23,0.75,m", head="day,cost,model").agrees
    assert compare(path, "2026-11-23,0.25,m", head="day,cost,model", provider="two").agrees


@pytest.fixture
def books(path: Path, fill: Fill) -> Reconciliation:
    fill(
        {**SONNET, "generation_id": "gen-1", "run_id": "run_1", "cost": 0.003351},
        {**SONNET, "generation_id": "gen-2", "run_id": "run_1", "cost": 0.0000125, "timestamp": MONDAY + 60},
        {**SONNET, "generation_id": "gen-3", "run_id": "run_2", "cost_source": "unknown", "timestamp": MONDAY + 90},
        {
            **SONNET,
            "generation_id": "gen-4",
            "run_id": "run_3",
            "cost": 0.5,
            "timestamp": MONDAY + 95,
            "prompt_tokens": 1,
        },
    )
    return compare(
        path,
        line("gen-1", "0.003351"),
        line("gen-2", "0.000013", 60.2),
        line("gen-3", "0.0042", 91),
        line("gen-5", "1234.5", 120, tokens="7,7"),
    )


def test_a_comparison_looks_as_agreed(books: Reconciliation) -> None:
    zone = ZoneInfo("Europe/Paris")
    text = "".join(f"{line}\n" for line in reconciliation_table(books, zone))
    assert text == (GOLDEN / "reconciled.txt").read_text(encoding="utf-8")
    assert dumps(reconciliation_json(books)) == (GOLDEN / "reconciled.json").read_text(encoding="utf-8")


def test_sums_that_differ_look_as_agreed(path: Path, fill: Fill) -> None:
    fill(
        *({**SONNET, "cost": 0.1} for _ in range(3)),
        {**SONNET, "cost_source": "unknown", "generation_id": "gen-4"},
        {**SONNET, "model": "acme/one", "requested_model": None, "cost": 1.0},
    )
    found = compare(path, f"2026-11-23,x,{SONNET['model']},0.45,0,4", head=BY_DAY)
    text = "".join(f"{line}\n" for line in reconciliation_table(found, UTC))
    assert text == (GOLDEN / "reconciled-by-day.txt").read_text(encoding="utf-8")


def test_of_many_differences_the_first_are_listed_and_all_are_summed(path: Path, fill: Fill) -> None:
    fill({**SONNET, "generation_id": "gen-0", "cost": 0.1})
    many = LISTED_AT_MOST + 5
    found = compare(path, *(line(f"gen-{n}", "0.1", n, tokens=f"{n},1") for n in range(1, many + 1)))
    lines = list(reconciliation_table(found, UTC))
    assert sum("gen-" in text for text in lines) == LISTED_AT_MOST
    assert "and 5 more: --format json has them all" in lines
    assert any(text.startswith("Together") and text.split()[1] == "$2.50" for text in lines)
    assert len(reconciliation_json(found)["differences"]) == many


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("books")


@given(st.lists(st.tuples(st.integers(0, 10**15), st.booleans(), st.booleans()), min_size=1, max_size=12))
@settings(max_examples=30, deadline=None)
def test_what_was_left_out_of_either_book_is_found_and_nothing_else(
    folder: Path, calls: list[tuple[int, bool, bool]]
) -> None:
    path = folder / "books.db"
    open_store(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM usage_tracking")
    rows = [
        {**SONNET, "generation_id": f"gen-{n}", "cost": pico / 1e12, "prompt_tokens": n, "timestamp": MONDAY + n}
        for n, (pico, _, _) in enumerate(calls)
    ]
    insert(path, *(row for row, (_, here, _) in zip(rows, calls, strict=True) if here))
    lines = [
        line(f"gen-{n}", f"{row['cost']:.12f}", n, tokens=f"{n},61")
        for n, (row, (_, _, there)) in enumerate(zip(rows, calls, strict=True))
        if there
    ]
    whole = Period(moment(0), moment(0) + timedelta(seconds=len(calls)))
    first, last = line("first", "0", 0, "0,0"), line("last", "0", len(calls) - 1, "0,0")
    found = compare(path, first, *lines, last, period=whole)
    expected = {"missing in the ledger": 2, "missing in the export": 0}
    for pico, here, there in calls:
        expected["missing in the export"] += here and not there and pico > 0
        expected["missing in the ledger"] += there and not here
    assert {kind: kinds(found).count(kind) for kind in expected} == expected
    assert len(found.differences) == sum(expected.values())


def test_a_call_that_the_export_names_twice_is_not_missing_in_the_ledger(path: Path, fill: Fill) -> None:
    fill({**SONNET, "generation_id": "gen-1", "cost": 0.5})
    found = compare(path, line("gen-1", "0.5"), line("gen-1", "0.5"), line("gen-2", "0.5", 30))
    assert kinds(found) == ["twice in the export", "missing in the ledger"]
    assert not found.agrees


@pytest.mark.parametrize("source", ["billed", None])
@pytest.mark.parametrize("per_call", [True, False])
def test_a_cost_that_is_no_amount_of_money_is_unknown(
    path: Path, fill: Fill, source: str | None, per_call: bool
) -> None:
    fill({**SONNET, "generation_id": "gen-1", "cost": math.inf, "cost_source": source})
    daily = [f"2026-11-23,{SONNET['model']},0.5,1"]
    head = HEAD if per_call else "date,model_permaslug,usage,requests"
    found = compare(path, *([line("gen-1", "0.5")] if per_call else daily), head=head)
    assert kinds(found) == ["cost unknown in the ledger"]


def test_of_a_daily_export_the_ledger_reads_sums_alone(path: Path, fill: Fill) -> None:
    fill(*({**SONNET, "generation_id": f"gen-{number}", "cost": 0.1} for number in range(50)))
    day = Period(moment(0), moment(86_400))
    with closing(open_to_read(path)) as connection:
        (entry,) = _calls(connection, day, None, per_call=False)
        assert len(list(_calls(connection, day, None, per_call=True))) == 50
    assert (entry.calls, entry.pico) == (50, 5 * 10**12)
