"""Python functions as tools: what a model reads of them, and how they are called."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from fondation import RunContext, ToolError
from fondation.config import ToolConfig
from fondation.errors import EntryPointError
from fondation.threads import in_thread
from fondation.tools import Tool, open_tool

CONTEXT = RunContext("run_1", "s1", "A", user_id="u1")
LABEL = contextvars.ContextVar("LABEL", default="none")


@dataclass
class Address:
    street: str
    number: int = 1


async def find(city: str, limit: int = 3) -> dict[str, Any]:
    """Find places.

    Args:
        city: Where to look.
        limit: How many at most.
    """
    return {"city": city, "limit": limit, "thread": threading.current_thread() is threading.main_thread()}


def find_slowly(city: str) -> bool:
    """Find places, slowly."""
    return threading.current_thread() is threading.main_thread()


def send(address: Address, context: RunContext | None = None) -> str:
    """Send."""
    assert context is not None
    return f"{address.street} {address.number} for {context.user_id}"


def through(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


@through
async def wrapped(city: str) -> str:
    """A plain function around an async one."""
    await asyncio.sleep(0)
    return city


def unaware() -> Any:
    """A plain function that returns an awaitable."""
    return asyncio.sleep(0, "awaited")


def stop() -> None:
    """Ends like an iterator."""
    raise StopIteration("end")


def leave() -> None:
    """Leaves."""
    raise SystemExit(3)


def label() -> str:
    """Reads a context variable."""
    return LABEL.get()


def wait(seconds: float) -> None:
    """Blocks."""
    time.sleep(seconds)


def tool(name: str, **config: Any) -> Tool:
    return open_tool(name, ToolConfig.model_validate({"python": f"{__name__}:{name}", **config}))


async def test_a_model_reads_signature_and_docstring() -> None:
    spec = tool("find").spec
    assert (spec.name, spec.description) == ("find", "Find places.")
    assert spec.parameters == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Where to look."},
            "limit": {"type": "integer", "default": 3, "description": "How many at most."},
        },
        "required": ["city"],
        "additionalProperties": False,
    }


async def test_the_files_own_description_goes_over_the_docstring() -> None:
    assert tool("find", description="Search.").spec.description == "Search."


async def test_a_tool_has_the_files_limits() -> None:
    made = tool("find", timeout="2s", max_calls=4)
    assert (made.timeout, made.max_calls) == (2.0, 4)


async def test_an_async_tool_runs_on_the_loop_and_a_plain_one_in_a_thread() -> None:
    assert (await tool("find").call({"city": "Lyon"}, CONTEXT))["thread"]
    assert await tool("find_slowly").call({"city": "Lyon"}, CONTEXT) is False


async def test_defaults_fill_what_the_model_left_out() -> None:
    assert (await tool("find").call({"city": "Lyon"}, CONTEXT))["limit"] == 3


async def test_arguments_become_the_types_that_the_function_names_and_the_context_is_added() -> None:
    assert await tool("send").call({"address": {"street": "Rue X", "number": "7"}}, CONTEXT) == "Rue X 7 for u1"
    assert "context" not in tool("send").spec.parameters["properties"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({}, "Invalid arguments. city: Field required"),
        ({"city": 7}, "Invalid arguments. city: Input should be a valid string"),
        ({"city": "Lyon", "limit": "many"}, "Invalid arguments. limit: Input should be a valid integer"),
        ({"city": "Lyon", "zone": 1}, "Invalid arguments. zone: Extra inputs are not permitted"),
        ({"limit": "x"}, "Invalid arguments. city: Field required; limit: Input should"),
    ],
)
async def test_unfit_arguments_are_complained_of_by_their_names(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ToolError) as refused:
        await tool("find").call(arguments, CONTEXT)
    assert str(refused.value).startswith(complaint)


async def test_the_model_cannot_name_the_context() -> None:
    with pytest.raises(ToolError, match="context: Extra inputs"):
        await tool("send").call({"address": {"street": "x"}, "context": {"user_id": "root"}}, CONTEXT)


async def test_an_awaitable_that_a_plain_function_returns_is_awaited() -> None:
    assert await tool("wrapped").call({"city": "Lyon"}, CONTEXT) == "Lyon"
    assert await tool("unaware").call({}, CONTEXT) == "awaited"


async def test_a_thread_that_ends_like_an_iterator_is_an_error_and_no_silence() -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await tool("stop").call({}, CONTEXT)


async def test_a_thread_that_wants_to_leave_does_not_end_the_process() -> None:
    with pytest.raises(SystemExit):
        await tool("leave").call({}, CONTEXT)


async def test_context_variables_go_along_into_the_thread() -> None:
    LABEL.set("mine")
    assert await tool("label").call({}, CONTEXT) == "mine"


async def test_a_thread_is_not_named_after_its_arguments() -> None:
    class Secret:
        def __repr__(self) -> str:
            raise AssertionError("an argument is shown")

    assert await in_thread(functools.partial(bool, Secret())) is True


async def test_a_thread_that_blocks_is_left_behind_and_starves_nobody() -> None:
    began = time.perf_counter()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await asyncio.gather(*[tool("wait").call({"seconds": 0.8}, CONTEXT) for _ in range(50)])
    assert await tool("find_slowly").call({"city": "Lyon"}, CONTEXT) is False
    assert time.perf_counter() - began < 0.7
    await asyncio.sleep(0.8)


def test_a_function_that_does_not_exist_is_named() -> None:
    with pytest.raises(EntryPointError, match="no attribute nothing"):
        tool("nothing")
