"""Approval: which calls wait for a person, and what they wait for."""

from __future__ import annotations

from typing import Any

import pytest

from fondation import RunContext, ToolError
from fondation.config import ToolConfig
from fondation.tools import Tool, open_tool
from fondation.tools.base import Wait

CONTEXT = RunContext("run_1", "s1", "A", user_id="u1")


def refund(amount: int, note: str = "") -> str:
    """Pays money back."""
    return f"paid {amount}"


async def is_large(amount: int) -> bool:
    return amount > 100


def is_stranger(context: RunContext) -> bool:
    return context.user_id is None


def fails(amount: int) -> bool:
    raise RuntimeError("no judgement")


def wants_more(amount: int, currency: str) -> bool:
    return False


def complains(amount: int) -> bool:
    raise ToolError("Ask for less.")


def takes_text(amount: str) -> bool:
    return False


def has_note(note: str) -> bool:
    return bool(note)


def forgets_to_return(amount: int) -> None:
    """No judgement."""


def counts(amount: int) -> int:
    return 0


def tool(approval: Any) -> Tool:
    return open_tool("refund", ToolConfig.model_validate({"python": f"{__name__}:refund", "approval": approval}))


def when(rule: str) -> Tool:
    return tool({"when": f"{__name__}:{rule}"})


async def test_always_waits_an_hour() -> None:
    assert await tool("always").wait_for({"amount": 1}, CONTEXT) == Wait("approval", (), 3600.0)


async def test_never_waits_for_nobody() -> None:
    assert await tool("never").wait_for({"amount": 1}, CONTEXT) is None


async def test_a_rule_has_roles_and_a_time() -> None:
    waiting = await tool({"by": ["manager"], "expires": "5m"}).wait_for({"amount": 1}, CONTEXT)
    assert waiting == Wait("approval", ("manager",), 300.0)


@pytest.mark.parametrize(("amount", "waits"), [(100, False), (101, True)])
async def test_when_decides_from_the_arguments_it_knows(amount: int, waits: bool) -> None:
    rule = tool({"when": f"{__name__}:is_large"})
    assert (await rule.wait_for({"amount": amount, "note": "x"}, CONTEXT) is not None) is waits


async def test_when_may_look_at_the_run() -> None:
    assert await tool({"when": f"{__name__}:is_stranger"}).wait_for({"amount": 1}, CONTEXT) is None


async def test_nobody_is_asked_about_a_call_that_could_not_run() -> None:
    with pytest.raises(ToolError, match="amount"):
        await tool("always").wait_for({"amount": "much"}, CONTEXT)


@pytest.mark.parametrize("rule", ["fails", "wants_more", "complains", "takes_text"])
async def test_a_call_that_cannot_be_judged_does_not_run_and_the_model_learns_nothing(rule: str) -> None:
    with pytest.raises(RuntimeError):  # no ToolError, whose text a model reads
        await when(rule).wait_for({"amount": 1}, CONTEXT)


async def test_when_is_given_what_the_tool_takes_for_an_argument_that_is_left_out() -> None:
    assert await when("has_note").wait_for({"amount": 1}, CONTEXT) is None
    assert await when("has_note").wait_for({"amount": 1, "note": "x"}, CONTEXT) == Wait("approval", (), 3600.0)


@pytest.mark.parametrize(("rule", "returned"), [("forgets_to_return", "NoneType"), ("counts", "int")])
async def test_what_is_no_bool_waits_and_is_told(rule: str, returned: str, caplog: pytest.LogCaptureFixture) -> None:
    assert await when(rule).wait_for({"amount": 1}, CONTEXT) is not None
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", f"{__name__}:{rule} returned {returned}, not True or False: the call waits")
    ]
