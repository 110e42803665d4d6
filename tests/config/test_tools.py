from __future__ import annotations

from typing import Any

import pytest

from fondation.config import Approval, ToolConfig


def tool(**keys: Any) -> ToolConfig:
    return ToolConfig.model_validate({"python": "desk:pay", **keys})


def test_a_tool_runs_here_and_needs_no_yes() -> None:
    assert (tool().runs_on, tool().python, tool().parameters, tool().approval) == ("server", "desk:pay", None, None)


def test_a_tool_of_the_page_says_its_parameters() -> None:
    keys = {"runs_on": "client", "description": "Where the user is.", "parameters": {"type": "object"}}
    config = ToolConfig.model_validate(keys)
    assert (config.runs_on, config.python, config.parameters) == ("client", None, {"type": "object"})


@pytest.mark.parametrize(
    ("written", "approval"),
    [
        ("never", None),
        ("always", Approval(when=None, expires=3600.0)),
        ({}, Approval()),
        (
            {"when": "desk:is_large", "by": ["manager"], "expires": "10m"},
            Approval(when="desk:is_large", by=["manager"], expires=600.0),
        ),
    ],
)
def test_an_approval_is_a_word_or_a_mapping(written: object, approval: Approval | None) -> None:
    assert tool(approval=written).approval == approval


@pytest.mark.parametrize("written", ["sometimes", True, ["always"], {"role": "manager"}, {"by": []}])
def test_another_approval_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="approval"):
        tool(approval=written)
