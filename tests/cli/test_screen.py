"""A run's events as a terminal shows them."""

from __future__ import annotations

import pytest

from fondation.calls import CostSource, TokenUsage
from fondation.cli.screen import Screen, cost_line
from fondation.events import (
    DataSent,
    Event,
    FileGenerated,
    ReasoningDelta,
    ReasoningEnded,
    ReasoningStarted,
    RoundStarted,
    RunFailed,
    RunSummary,
    SourceCited,
    TextDelta,
    TextEnded,
    TextStarted,
    ToolSucceeded,
)


def summary(cost_source: CostSource = "billed", cost: float | None = None, tokens: int | None = 1234) -> RunSummary:
    usage = TokenUsage(total_tokens=tokens, cost=cost)
    return RunSummary("r", "m", "Billing", ("Billing",), "some/model", usage, cost_source, "stop", 1, 1)


def shown(capsys: pytest.CaptureFixture[str], *told: Event) -> str:
    Screen().show([RoundStarted("Billing", "executing"), *told])
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (summary("billed", 0.0078125), "Billing, some/model, 1,234 tokens, $0.007813"),
        (summary("simulated"), "Billing, some/model, 1,234 tokens, simulated"),
        (summary("unknown", tokens=None), "Billing, some/model, unknown tokens, cost unknown"),
        (summary("none"), "Billing, some/model, 1,234 tokens, $0.000000"),
    ],
)
def test_the_cost_line_never_shows_what_is_not_known_as_zero(told: RunSummary, line: str) -> None:
    assert cost_line(told) == line


@pytest.mark.parametrize(
    ("reset", "line"),
    [
        (None, "  budget per-user: $4.00 of $5.00 spent\n"),
        ("2026-11-24T00:00:00Z", "  budget per-user: $4.00 of $5.00 spent, until 2026-11-24T00:00:00Z\n"),
    ],
)
def test_a_budget_that_runs_short_is_told_in_words(
    capsys: pytest.CaptureFixture[str], reset: str | None, line: str
) -> None:
    data = {"budget": "per-user", "spent": 4.0, "limit": 5.0, "reset": reset}
    assert shown(capsys, DataSent("budget", data)) == line


def test_a_budget_that_ends_the_answer_is_told_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    used_up, short = ({"budget": name, "spent": 5.0, "limit": 5.0, "reset": None} for name in ("each", "all"))
    failed = RunFailed(summary(), "It is used up.", 402, "budget_exceeded", details={"budget": used_up})
    told = shown(capsys, DataSent("budget", short), DataSent("budget", used_up), failed)
    assert told.splitlines()[:2] == ["  budget all: $5.00 of $5.00 spent", "It is used up."]


def test_thoughts_and_text_begin_on_lines_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    told = [ReasoningStarted("r"), ReasoningDelta("r", "Hm."), ReasoningEnded("r")]
    told += [
        TextStarted("t"),
        TextDelta("t", "Ye"),
        TextDelta("t", "s.\n"),
        TextEnded("t"),
        SourceCited("s", "http://a", "A"),
    ]
    assert shown(capsys, *told) == "Hm.\nBilling: Yes.\n  source: A http://a\n"


def test_text_that_is_cut_off_is_followed_by_a_new_line(capsys: pytest.CaptureFixture[str]) -> None:
    failed = RunFailed(summary(), "It failed.", 502, "unavailable")
    assert shown(capsys, TextStarted("t"), TextDelta("t", "So"), failed).splitlines()[:2] == [
        "Billing: So",
        "It failed.",
    ]


def test_a_model_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, TextDelta("t", "a\x1b[2Jb\r\x07\x9b1mc\td\n")) == "a[2Jb1mc\td\n"


def test_long_values_are_cut(capsys: pytest.CaptureFixture[str]) -> None:
    output = shown(
        capsys, ToolSucceeded("c", "look", {"text": "x" * 1000}), FileGenerated("data:" + "y" * 999, "image/png")
    )
    assert all(len(line) < 450 and line.endswith("…") for line in output.splitlines())
