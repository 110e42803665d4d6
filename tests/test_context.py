"""What a tool may say through its context, also outside of a run."""

from __future__ import annotations

from typing import Any

import pytest

from fondation import RunContext


def test_outside_a_run_nobody_reads_what_a_tool_sends() -> None:
    RunContext("run_1", "s1", "A").emit("progress", {"done": 1})


def test_a_part_is_transient_unless_it_is_said_to_be_kept() -> None:
    sent: list[Any] = []
    context = RunContext("run_1", "s1", "A", _emit=lambda *part: sent.append(part))
    context.emit("progress", 1)
    context.emit("chart", {"x": 1}, id="c1", transient=False)
    assert sent == [("progress", 1, None, True), ("chart", {"x": 1}, "c1", False)]


@pytest.mark.parametrize("name", ["", "two words", "a\nb", 'a"b', "é", "x" * 65, "data:x", "../x"])
def test_a_name_that_no_page_could_listen_to_is_refused_where_it_is_sent(name: str) -> None:
    with pytest.raises(ValueError, match="the name of a data part"):
        RunContext("run_1", "s1", "A").emit(name, 1)
