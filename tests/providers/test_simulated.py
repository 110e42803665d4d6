"""The simulated model's stream: pieces, pace, tokens."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time

import pytest
from jsonschema import Draft202012Validator

from fondation.calls import ModelCall
from fondation.providers import create_provider
from fondation.providers.base import (
    Accepted,
    AnswerEnd,
    ArgumentsPiece,
    ModelRequest,
    Piece,
    TextPiece,
    ToolCallPiece,
)
from fondation.providers.simulated import STATEMENT, SimulatedProvider
from tests.providers.simulated_requests import INVOICE, WEATHER, called, request, user


def new_call() -> ModelCall:
    return ModelCall("Support", "simulated", "some/model", ("Support",))


async def pieces_of(asked: ModelRequest, call: ModelCall | None = None) -> list[Piece]:
    provider = SimulatedProvider("some/model", seconds_per_piece=0)
    return [piece async for batch in provider.stream(asked, call or new_call()) for piece in batch]


async def text_of(asked: ModelRequest) -> str:
    return "".join(piece.text for piece in await pieces_of(asked) if isinstance(piece, TextPiece))


async def test_an_answer_streams_word_by_word_between_accepted_and_end() -> None:
    first, *words, last = await pieces_of(request("hello"))
    assert isinstance(first, Accepted)
    assert last == AnswerEnd("stop")
    texts = [word.text for word in words if isinstance(word, TextPiece)]
    assert texts[:4] == ["Simulated", " answer,", " no", " model"]
    assert len(texts) == len(words) == len("".join(texts).split())


async def test_an_answer_says_that_it_is_simulated() -> None:
    assert (await text_of(request("hello"))).startswith(STATEMENT)


async def test_an_answer_tells_what_the_tool_returned() -> None:
    result = {"invoiceId": "INV-42", "status": "Paid", "amount": 99.99}
    conversation = [user("Is my invoice INV-42 paid?"), *called("check_invoice", result)]
    text = await text_of(request(conversation, [INVOICE]))
    assert all(value in text for value in ("INV-42", "Paid", "99.99"))


async def test_tool_calls_stream_their_arguments() -> None:
    pieces = await pieces_of(request("What's the weather in Lyon and Paris?", [WEATHER]))
    end = pieces[-1]
    assert isinstance(end, AnswerEnd)
    assert end.finish_reason == "tool-calls"
    assert [json.loads(call.arguments) for call in end.tool_calls] == [{"location": "Lyon"}, {"location": "Paris"}]
    assert len({call.id for call in end.tool_calls}) == 2
    for call in end.tool_calls:
        begun = pieces.index(ToolCallPiece(call.id, "get_weather"))
        parts = [piece for piece in pieces[begun:] if isinstance(piece, ArgumentsPiece) and piece.id == call.id]
        assert "".join(part.text for part in parts) == call.arguments
        assert len(parts) == 2


async def test_the_call_learns_what_a_provider_reports() -> None:
    call = new_call()
    await pieces_of(request("hello"), call)
    assert call.model == "some/model"
    assert call.generation_id is not None
    assert call.generation_id.startswith("sim-")
    assert call.finish_reason == "stop"
    assert call.first_token is not None
    assert call.usage is not None
    assert call.usage.cost is None
    assert call.usage.prompt_tokens == 6  # four a message, and "hello" at four characters each
    assert call.usage.completion_tokens == -(-len(await text_of(request("hello"))) // 4)
    assert call.usage.total_tokens == call.usage.prompt_tokens + call.usage.completion_tokens


async def test_tools_and_results_count_as_prompt() -> None:
    short, long = new_call(), new_call()
    await pieces_of(request("hello"), short)
    await pieces_of(request([user("hello"), *called("x", "y" * 400)], [INVOICE]), long)
    assert short.usage
    assert long.usage
    assert (long.usage.prompt_tokens or 0) > (short.usage.prompt_tokens or 0) + 100


async def test_two_calls_have_two_generations() -> None:
    first, second = new_call(), new_call()
    await pieces_of(request("hello"), first)
    await pieces_of(request("hello"), second)
    assert first.generation_id != second.generation_id


async def test_text_comes_at_the_set_pace() -> None:
    provider = SimulatedProvider("m", seconds_per_piece=0.01)
    began = time.perf_counter()
    batches = [batch async for batch in provider.stream(request("hello"), new_call())]
    assert time.perf_counter() - began >= 0.01 * (len(batches) - 2)


async def test_without_a_pace_it_never_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio, "sleep", None)
    assert await text_of(request("hello"))


async def test_a_cancelled_answer_ends_at_once_and_keeps_its_tokens() -> None:
    call = new_call()
    begun = asyncio.Event()

    async def read() -> None:
        stream = SimulatedProvider("m", seconds_per_piece=60).stream(request("hello"), call)
        async with contextlib.aclosing(stream):
            async for _ in stream:
                begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 1)
    assert call.usage is not None
    assert call.usage.completion_tokens == 0
    assert call.finish_reason is None


async def test_a_structured_answer_has_the_shape_that_is_asked_for() -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "stars": {"type": "integer", "minimum": 1, "maximum": 5}},
        "required": ["city", "stars"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "review", "schema": schema}}
    text = await text_of(request("A review of Lyon", settings={"response_format": form}))
    Draft202012Validator(schema).validate(json.loads(text))


async def test_any_json_is_an_object_with_the_answer() -> None:
    text = await text_of(request("hello", settings={"response_format": {"type": "json_object"}}))
    assert json.loads(text)["answer"].startswith(STATEMENT)


async def test_text_without_spaces_streams_in_parts() -> None:
    pieces = await pieces_of(request("天気" * 20))
    assert max(len(piece.text) for piece in pieces if isinstance(piece, TextPiece)) <= 17


def test_the_table_of_providers_makes_it() -> None:
    from fondation.config import ModelConfig
    from fondation.http import HttpClient

    model = ModelConfig.model_validate({"provider": "simulated"})
    assert create_provider(model, None, HttpClient()).name == "simulated"
