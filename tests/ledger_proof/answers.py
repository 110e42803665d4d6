"""Good answers, each a play by its name: in every way in which providers were seen to write them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from .wire import Wire

Play: TypeAlias = Callable[[Wire], Coroutine[Any, Any, None]]

GOOD: dict[str, Play] = {}

WORDS = ("One ", "word ", "after ", "the ", "other.")


def good(play: Play) -> Play:
    GOOD[play.__name__] = play
    return play


async def call(wire: Wire, wanted: list[tuple[str, Any]]) -> None:
    """Tool calls, as names and arguments."""
    await wire.open()
    for index, (name, arguments) in enumerate(wanted):
        function = {"name": name, "arguments": ""}
        first = {"index": index, "id": f"call_{wire.call.serial}_{index}", "type": "function", "function": function}
        await wire.chunk({"tool_calls": [first]})
        text = json.dumps(arguments)
        for fragment in (text[:5], text[5:]):
            await asyncio.sleep(wire.random.uniform(0, 0.02))
            await wire.chunk({"tool_calls": [{"index": index, "function": {"arguments": fragment}}]})
    await wire.finish("tool_calls")


async def begin(wire: Wire) -> None:
    """The headers and some text."""
    await wire.open()
    for word in WORDS[:3]:
        await wire.say(word)


@good
async def text(wire: Wire) -> None:
    await begin(wire)
    for word in WORDS[3:]:
        await wire.say(word)
    await wire.finish()


@good
async def long_text(wire: Wire) -> None:
    await wire.open()
    for _ in range(30):
        await wire.say("word ")
    await wire.finish("length")


@good
async def reasons(wire: Wire) -> None:
    await wire.open()
    await wire.chunk({"reasoning": "Hm.", "reasoning_details": [{"type": "reasoning.text", "text": "Hm."}]})
    await wire.say("Well.")
    await wire.finish()


@good
async def carriage_returns(wire: Wire) -> None:
    wire.newline = "\r\n"
    await text(wire)


@good
async def document(wire: Wire) -> None:
    """A whole JSON document, though a stream was asked for."""
    await wire.open(kind="application/json")
    choice = {"index": 0, "message": {"role": "assistant", "content": "All of it."}, "finish_reason": "stop"}
    wire.call.told = True
    wire.bill()
    await wire.write(json.dumps({"model": wire.call.model, "choices": [choice], "usage": wire.usage()}).encode())
    wire.is_good()


@good
async def usage_twice(wire: Wire) -> None:
    await begin(wire)
    await wire.chunk(finish="stop", usage=wire.usage())
    await wire.chunk(choices=[], usage=wire.usage())
    await wire.done()


@good
async def usage_on_every_chunk(wire: Wire) -> None:
    """Counts that grow: the last one holds."""
    await wire.open()
    for tokens, word in enumerate(WORDS, 1):
        await asyncio.sleep(0)
        await wire.chunk({"content": word}, usage={"prompt_tokens": 1, "completion_tokens": tokens})
    await wire.chunk(finish="stop", usage=wire.usage())
    await wire.done()


@good
async def usage_null(wire: Wire) -> None:
    await begin(wire)
    await wire.chunk(finish="stop", usage=None)
    await wire.done()


@good
async def no_usage(wire: Wire) -> None:
    await begin(wire)
    await wire.chunk(finish="stop")
    await wire.done()


@good
async def cost_null(wire: Wire) -> None:
    await begin(wire)
    await wire.finish(cost=None)


@good
async def cost_absent(wire: Wire) -> None:
    await begin(wire)
    await wire.finish(cost=..., cost_details=None)


@good
async def no_done(wire: Wire) -> None:
    await begin(wire)
    await wire.chunk(finish="stop", usage=wire.usage())
    wire.is_good()


@good
async def cost_in_a_header(wire: Wire) -> None:
    """As a LiteLLM proxy tells it."""
    if wire.is_router:
        return await text(wire)
    await wire.open(x_litellm_response_cost=f"{wire.full_charge}e-12")
    await wire.say("Paid.")
    wire.call.told = True
    return await wire.finish()
