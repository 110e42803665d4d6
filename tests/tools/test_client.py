"""Tools that the page runs: their arguments are checked, and they wait."""

from __future__ import annotations

from typing import Any

import pytest

from fondation import RunContext, ToolError
from fondation.config import ToolConfig
from fondation.tools import Tool, open_tool
from fondation.tools.base import Wait

CONTEXT = RunContext("run_1", "s1", "A")
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "limit": {"type": "integer", "minimum": 1}},
    "required": ["city"],
    "additionalProperties": False,
}


def tool(parameters: Any = PARAMETERS) -> Tool:
    config = {"runs_on": "client", "description": "Shows a map.", "parameters": parameters}
    return open_tool("show_map", ToolConfig.model_validate(config))


def test_a_model_is_told_what_the_file_says() -> None:
    spec = tool().spec
    assert (spec.name, spec.description, spec.parameters) == ("show_map", "Shows a map.", PARAMETERS)


async def test_a_call_waits_for_the_page() -> None:
    assert await tool().wait_for({"city": "Lyon"}, CONTEXT) == Wait("client")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "arguments: 'city' is a required property"),
        ({"city": "Lyon", "limit": 0}, "limit: 0 is less than the minimum of 1"),
        ({"city": 1, "limit": "x"}, "city: 1 is not of type 'string'; limit: 'x' is not of type 'integer'"),
    ],
)
async def test_unfit_arguments_are_for_the_model(arguments: Any, said: str) -> None:
    with pytest.raises(ToolError, match="Invalid arguments") as caught:
        await tool().wait_for(arguments, CONTEXT)
    assert str(caught.value) == f"Invalid arguments. {said}"


async def test_many_complaints_are_a_few_and_a_number() -> None:
    wanted = {"type": "object", "properties": {name: {"type": "string"} for name in "abcdefgh"}}
    with pytest.raises(ToolError, match="and 3 more"):
        await tool(wanted).wait_for(dict.fromkeys("abcdefgh", 1), CONTEXT)


async def test_the_server_never_runs_it() -> None:
    with pytest.raises(ToolError, match="Only the page"):
        await tool().call({"city": "Lyon"}, CONTEXT)
