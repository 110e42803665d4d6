from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from fondation.usage.calls import Call
from fondation.usage.explained import run_json, run_table, runs_table
from fondation.usage.explaining import NoSuchRun, find_run, read_run, runs_of_chat, steps_of
from fondation.usage.formats import dumps
from fondation.usage.reading import open_to_read

from .conftest import MONDAY, Fill

Explain: TypeAlias = Callable[[str], list[str]]

GOLDEN = Path(__file__).parent / "golden"

SONNET = {
    "model": "anthropic/claude-4.5-sonnet-20250929",
    "requested_model": "anthropic/claude-sonnet-4.5",
    "provider": "openrouter",
}
RUN = {"run_id": "run_a1b2", "chat_id": "c1", "session_id": "s1", "user_id": "ada", "method": "stream", **SONNET}


def parts(*steps: list[str]) -> str:
    """The parts of an answer whose steps have these tools."""
    shown = []
    for step in steps:
        shown.append({"type": "step-start"})
        shown += [{"type": f"tool-{name}", "toolCallId": f"call_{name}"} for name in step]
    return json.dumps(shown)


@pytest.fixture
def support_run(path: Path, fill: Fill) -> None:
    """A handoff, a retry, a tool, a call beside the answer, and another run of the chat."""
    fill(
        {**RUN, "round": 1, "step": 1, "attempt": 1, "agent_name": "Triage", "finish_reason": "tool-calls"}
        | {"prompt_tokens": 812, "completion_tokens": 61, "cost": 0.003351, "duration": 640}
        | {"time_to_first_token": 210, "generation_id": "gen-1"},
        {**RUN, "round": 2, "step": 2, "attempt": 1, "status": "refused", "cost_source": "none", "model": None}
        | {"error_type": "rate_limit", "duration": 80, "timestamp": MONDAY + 1},
        {**RUN, "round": 2, "step": 2, "attempt": 2, "finish_reason": "tool-calls", "timestamp": MONDAY + 2}
        | {"prompt_tokens": 1_200, "completion_tokens": 40, "cached_tokens": 800, "cost": 0.0042, "duration": 900},
        {**RUN, "round": 2, "step": 3, "attempt": 1, "status": "aborted", "cost_source": "unknown"}
        | {"cost_note": "not_found"}
        | {"duration": 1_500, "timestamp": MONDAY + 3, "generation_id": "gen-4"},
        {**RUN, "run_id": "run_a1c3", "cost": 0.5, "step": 1, "round": 1, "timestamp": MONDAY + 60, "duration": 10},
    )
    answer = parts(["of_an_earlier_run"], [], ["check_invoice", "send_mail"], [])
    keep_answer(path, answer, "run_a1b2", runIds=["run_a1c3", "run_a1b2"])


def keep_answer(path: Path, answer: str, run_id: str, **metadata: Any) -> None:
    """Put an answer of the chat c1 beside the ledger."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO fondation_chats (owner, id, created_at, updated_at) VALUES ('user:ada', 'c1', 0, 0)"
        )
        connection.execute(
            "INSERT INTO fondation_chat_messages (chat, position, id, role, status, process, run_id, created_at, "
            "excerpt, folded_text, metadata, parts) VALUES (1, 2, 'm', 'assistant', 'done', '', ?, 0, '', '', ?, ?)",
            [run_id, json.dumps(metadata), answer],
        )


@pytest.mark.usefixtures("support_run")
@pytest.mark.parametrize("name", ["explained.txt", "explained.json", "explained-chat.txt"])
def test_a_run_is_explained_as_agreed(path: Path, name: str) -> None:
    with closing(open_to_read(path)) as connection:
        run = read_run(connection, "run_a1b2")
        texts = {
            "explained.txt": "".join(f"{line}\n" for line in run_table(run, UTC)),
            "explained.json": dumps(run_json(run)),
            "explained-chat.txt": "".join(
                f"{line}\n" for line in runs_table("c1", runs_of_chat(connection, "c1"), UTC)
            ),
        }
    assert texts[name] == (GOLDEN / name).read_text(encoding="utf-8")


def tools_of(path: Path, run_id: str) -> list[Any]:
    with closing(open_to_read(path)) as connection:
        return [step.tools for step in read_run(connection, run_id).steps]


@pytest.mark.usefixtures("support_run")
def test_a_run_that_waited_has_the_tools_of_its_own_steps(path: Path) -> None:
    assert tools_of(path, "run_a1c3") == [["of_an_earlier_run"]]


def test_a_run_that_failed_has_its_tools_although_its_answer_ends_with_an_empty_step(path: Path, fill: Fill) -> None:
    failed = {"status": "error", "error_type": "unavailable"}
    fill({**RUN, "round": 1, "step": 1, "finish_reason": "tool-calls"}, {**RUN, "round": 1, "step": 2, **failed})
    keep_answer(path, parts(["look"], [], []), "run_a1b2")
    assert tools_of(path, "run_a1b2") == [["look"], []]


def find(path: Path, typed: str) -> str | None:
    with closing(open_to_read(path)) as connection:
        return find_run(connection, typed)


@pytest.mark.usefixtures("support_run")
@pytest.mark.parametrize(
    ("typed", "found"), [("run_a1b2", "run_a1b2"), ("run_a1b", "run_a1b2"), ("run_a1c", "run_a1c3"), ("c1", None)]
)
def test_a_run_is_found_by_as_much_of_its_id_as_no_other_has(path: Path, typed: str, found: str | None) -> None:
    assert find(path, typed) == found


@pytest.mark.usefixtures("support_run")
@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("run_x", 'no run or chat with a model call is called "run_x": type the x-run-id'),
        ("", 'no run or chat with a model call is called ""'),
        ("run_a1", 'several runs begin with "run_a1": type more of one of\n  run_a1b2\n  run_a1c3'),
        ("%", "no run or chat with a model call is called"),
    ],
)
def test_what_names_no_single_run_is_told_what_to_type(path: Path, typed: str, complaint: str) -> None:
    with pytest.raises(NoSuchRun) as caught:
        find(path, typed)
    assert complaint in str(caught.value)


def test_an_id_that_begins_another_is_itself(path: Path, fill: Fill) -> None:
    fill({"run_id": "run_1"}, {"run_id": "run_12"})
    assert find(path, "run_1") == "run_1"


def test_of_many_runs_some_are_listed(path: Path, fill: Fill) -> None:
    fill(*({"run_id": f"run_{number:02}"} for number in range(30)))
    with pytest.raises(NoSuchRun) as caught:
        find(path, "run_")
    assert len(str(caught.value).splitlines()) == 12
    assert str(caught.value).endswith("run_09\n  ...")


def test_a_run_that_another_program_recorded_is_told_too(path: Path, fill: Fill) -> None:
    fill({"run_id": "r", "cost_source": None, "status": None, "cost": 0.25}, {"run_id": "r", "cost_source": None})
    with closing(open_to_read(path)) as connection:
        run = read_run(connection, "r")
    assert [(step.number, len(step.calls), step.tools, step.handoff_to) for step in run.steps] == [
        (None, 1, None, None)
    ] * 2
    lines = list(run_table(run, UTC))
    assert lines[0] == "Run r"
    assert lines[-1] == "Total cost: $0.250000 + 1 call of unknown cost"


def test_a_simulated_run_costs_nothing_and_says_so(path: Path, fill: Fill) -> None:
    fill({"run_id": "r", "cost_source": "simulated", "step": 1, "round": 1})
    with closing(open_to_read(path)) as connection:
        lines = list(run_table(read_run(connection, "r"), UTC))
    assert [line.count("simulated") for line in lines[5:]] == [1, 0, 1]
    assert "$" not in "".join(lines)


@pytest.fixture
def explain(path: Path) -> Explain:
    """The lines that tell the run, or the chat, of this id."""

    def explain(typed: str) -> list[str]:
        with closing(open_to_read(path)) as connection:
            if find_run(connection, typed) is None:
                return list(runs_table(typed, runs_of_chat(connection, typed), UTC))
            return list(run_table(read_run(connection, typed), UTC))

    return explain


def test_what_is_pending_is_told_apart_from_what_is_unknown(fill: Fill, explain: Explain) -> None:
    pending = {"run_id": "r", "chat_id": "c", "cost_source": "pending"}
    fill(
        {**pending, "step": 1, "cost": 0.25, "cost_source": "billed"},
        {**pending, "step": 2, "status": "aborted"},
        {**pending, "step": 3, "cost_source": "unknown", "cost_note": "no_usage"},
        {**pending, "step": 4, "status": "running"},
        {**pending, "step": 0, "purpose": "title"},
        {**pending, "run_id": "r2", "chat_id": "d", "step": 1, "status": "aborted"},
    )
    lines = explain("r")
    assert [line.split()[-3] for line in lines[5:10]] == ["$0.250000", "pending", "unknown", "pending", "pending"]
    assert "$0.250000 + ?" in lines[11]
    assert lines[12:] == [
        "",
        "Total cost: $0.250000 + 1 call of unknown cost and 3 calls of pending cost",
        "Cost of step 2 and title not known yet: its provider is asked",
        "Cost of step 3 unknown: its provider told no tokens, or not all, and keeps no receipts",
        "Cost of step 4 not known yet: it is still running",
    ]
    assert "$0.250000 + ?" in explain("c")[4]
    assert explain("d")[4].split()[-2:] == ["pending", "-"]
    assert explain("d")[8] == "Total cost: pending (1 call)"


def test_a_run_that_goes_on_is_running_and_has_not_taken_any_time(path: Path, fill: Fill, explain: Explain) -> None:
    fill({"run_id": "r", "chat_id": "c", "step": 1, "status": "running", "cost_source": "pending"})
    assert "(UTC), still running: 1 call" in explain("r")[1]
    assert explain("c")[4].endswith("running")
    with closing(open_to_read(path)) as connection:
        assert run_json(read_run(connection, "r"))["took_ms"] is None


@pytest.mark.parametrize(
    ("calls", "took"),
    [
        ([{"duration": 80}], "took 80ms"),
        ([{"duration": 80}, {"duration": 100}], "took at least 180ms"),
        ([{"duration": 80}, {"duration": 100, "timestamp": MONDAY + 2}], "took about 2.1s"),
        ([{"duration": 80}, {"status": "lost"}], "nobody knows how long it took"),
    ],
)
def test_a_run_says_how_long_it_took_as_well_as_it_is_known(
    fill: Fill, explain: Explain, calls: list[dict[str, Any]], took: str
) -> None:
    fill(*({"run_id": "r", "step": number, **call} for number, call in enumerate(calls, start=1)))
    assert f"(UTC), {took}: {len(calls)} call" in explain("r")[1]


def test_tokens_that_nobody_told_are_no_zero(fill: Fill, explain: Explain) -> None:
    fill({"run_id": "r", "step": 1}, {"run_id": "r", "step": 2, "prompt_tokens": 0})
    assert explain("r")[8].split() == ["Total", "0", "-", "-", "-", "$0.000000", "-"]


def test_chats_of_several_owners_with_one_id_are_told_apart(fill: Fill, explain: Explain) -> None:
    chat = {"chat_id": "c1", "session_id": "c1", "step": 1}
    fill(
        {**chat, "run_id": "run_1", "user_id": "ann", "cost": 0.25},
        {**chat, "run_id": "run_2", "user_id": "zed", "cost": 0.5, "session_id": "s1"},
        {**chat, "run_id": "run_3", "user_id": "ann", "cost": 0.125},
        {**chat, "run_id": "run_4", "cost": 1.0},
    )
    lines = explain("c1")
    assert [line for line in lines if line.startswith("Chat")] == [
        "Chat c1: 2 runs of user ann (UTC)",
        "Chat c1: 1 run of user zed (UTC)",
        "Chat c1: 1 run of session c1 (UTC)",
    ]
    assert [line.split()[-1] for line in lines if line.startswith("Total")] == ["$0.375000", "$0.500000", "$1.000000"]


def test_a_call_beside_the_answer_comes_last_under_what_it_was_for() -> None:
    row = {"step": 1, "round": 1, "agent_name": "A"}
    title = Call({**row, "purpose": "title"})
    answers = [Call({**row, "purpose": purpose, "step": step}) for purpose, step in (("answer", 1), (None, 2))]
    steps = steps_of([title, *answers], [])
    assert [(step.number, [call.purpose for call in step.calls]) for step in steps] == [
        (1, [None]),
        (2, [None]),
        (None, ["title"]),
    ]


def test_what_another_program_wrote_where_a_number_belongs_is_left_out(path: Path, fill: Fill) -> None:
    fill(
        {**RUN, "cost": 0.5, "duration": 40},
        {**RUN, "cost": 1e7, "duration": "long", "time_to_first_token": "x", "cached_tokens": "many"},
        {**RUN, "cost": 0.5, "timestamp": "2026-11-22T10:00:00Z"},
        {**RUN, "cost": 0.5, "timestamp": MONDAY * 1000, "run_id": "run_in_milliseconds"},
    )
    with closing(open_to_read(path)) as connection:
        run, in_milliseconds = read_run(connection, "run_a1b2"), read_run(connection, "run_in_milliseconds")
    told = run_json(run)
    assert (len(run.calls), told["took_ms"]) == (2, None)
    assert (told["total"]["cost"], told["total"]["unknown_cost_calls"]) == (0.5, 1)
    assert [call["cost"] for step in told["steps"] for call in step["calls"]] == [0.5, None]
    assert "unknown" in "".join(run_table(run, UTC))
    assert run_json(in_milliseconds)["began_at"] is None
    assert "at no date" in "".join(run_table(in_milliseconds, UTC))
