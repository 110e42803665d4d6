"""The quirks of answers, one row each: what is on the wire, and what must come of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.calls import FinishReason, TokenUsage
from fondation.errors import (
    BadAnswer,
    ContextTooLong,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
)
from fondation.messages import AssistantMessage, ToolCall, ToolResult
from fondation.providers.answer import Answer
from fondation.providers.base import (
    AnswerEnd,
    FilePiece,
    ModelRequest,
    Piece,
    SourcePiece,
    TextPiece,
    ToolCallPiece,
)
from fondation.providers.failures import Failures
from fondation.providers.redaction import Redactor
from tests.providers.canned import ask_canned
from tests.providers.wire import COMMENT, DONE, USAGE, call, chunk, event, new_call, stream, text

END = stream(chunk(finish="stop"), chunk(usage=USAGE), DONE)
TOOLS_END = stream(chunk(finish="tool_calls"), chunk(usage=USAGE), DONE)
JSON = "application/json"


def bare(**fields: Any) -> dict[str, Any]:
    return {"id": "gen-1", "model": "acme/large", **fields}


def named(name: str, arguments: Any = "", **rest: Any) -> dict[str, Any]:
    return call(type="function", function={"name": name, "arguments": arguments}, **rest)


def more(arguments: Any, **rest: Any) -> dict[str, Any]:
    return call(function={"arguments": arguments}, **rest)


# Text ------------------------------------------------------------------------------------------------------

TEXTS: dict[str, bytes] = {
    "plain": stream(text("Hel"), text("lo"), END),
    "comments before and between": COMMENT * 23 + stream(text("Hel"), COMMENT, text("lo"), END),
    "data without a space": stream(text("Hel"), text("lo"), END).replace(b"data: ", b"data:"),
    "CRLF": stream(text("Hel"), text("lo"), END).replace(b"\n", b"\r\n"),
    "byte order mark": b"\xef\xbb\xbf" + stream(text("Hel"), text("lo"), END),
    "event, id and retry fields": b"retry: 3000\n\n"
    + stream(text("Hel"), END).replace(b"data:", b"event: message\nid: 7\ndata:").replace(b"Hel", b"Hello"),
    "data in several lines": b'data: {"choices":\ndata: [{"delta":{"content":"Hello"}}]}\n\n' + END,
    "events without blank lines": stream(text("Hel"), text("lo"), END).replace(b"\n\n", b"\n"),
    "no blank line at the end": stream(text("Hello"), END).rstrip(),
    "event named data before the end": stream(text("Hello"), chunk(finish="stop")) + b"event: data\ndata: [DONE]\n\n",
    "no [DONE]": stream(text("Hello"), chunk(finish="stop"), chunk(usage=USAGE)),
    "a role chunk first": stream(chunk({"role": "assistant", "content": "", "refusal": None}), text("Hello"), END),
    "an empty first chunk with filter results": stream(
        {"id": "", "model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}, text("Hello"), END
    ),
    "an echo of the request first": stream(bare(choices=[], debug={"echo_upstream_body": {}}), text("Hello"), END),
    "logprobs, fingerprints, padding": stream(
        {**text("Hello"), "system_fingerprint": None, "obfuscation": "x8s", "timings": {"n": 1}}, END
    ),
    "content as parts": stream(chunk({"content": [{"type": "text", "text": "Hel"}, {"text": "lo"}]}), END),
    "a refusal": stream(chunk({"content": None, "refusal": "Hello"}), END),
    "nulls everywhere": stream(
        bare(choices=[{"delta": None, "finish_reason": None}], usage=None, error=None), text("Hello"), END
    ),
    "choices null": stream(text("Hello"), chunk(finish="stop"), bare(choices=None, usage=USAGE), DONE),
    "odd types": stream(
        bare(id=7, model=["x"], choices=[None, {"index": "0", "delta": "x", "finish_reason": 3}]), text("Hello"), END
    ),
    "keepalive as data": stream("", "ping", text("Hello"), "ping", END),
    "after [DONE] comes nothing more": stream(text("Hello"), END, text(" again"), END),
    "JSON in place of a stream": json.dumps(
        bare(choices=[{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}], usage=USAGE)
    ).encode(),
}


@pytest.mark.parametrize("wire", TEXTS.values(), ids=TEXTS)
async def test_text_comes_out_whole(wire: bytes) -> None:
    outcome = await ask_canned(wire, content_type=JSON if wire.startswith(b"{") else "text/event-stream")
    assert outcome.text == "Hello"
    assert outcome.end.finish_reason == "stop"
    assert outcome.call.finish_reason == "stop"
    assert outcome.call.first_token is not None


async def test_a_line_separator_inside_json_ends_no_line() -> None:
    assert (await ask_canned(stream(text("a\u2028b\u2029c\u0085d\x0b"), END))).text == "a\u2028b\u2029c\u0085d\x0b"


async def test_broken_utf8_and_lone_surrogates_are_replaced() -> None:
    wire = b'data: {"choices":[{"delta":{"content":"a\xffb\\ud83dc"}}]}\n\n' + END
    text = (await ask_canned(wire)).text
    assert text == "a\ufffdb\ufffdc"
    text.encode()


async def test_events_under_the_name_of_json_are_read() -> None:
    assert (await ask_canned(stream(COMMENT, text("Hello"), END), content_type=JSON)).text == "Hello"


async def test_a_message_split_over_choices_is_one_answer() -> None:
    message = {"role": "assistant", "content": "Hello"}
    calls = {"tool_calls": [{"id": "c1", "function": {"name": "search", "arguments": "{}"}}]}
    body = bare(choices=[{"message": message}, {"message": calls, "finish_reason": "tool_calls"}])
    outcome = await ask_canned(json.dumps(body).encode(), content_type=JSON)
    assert outcome.text == "Hello"
    assert outcome.tools == [("search", "{}")]


# Reasoning -------------------------------------------------------------------------------------------------


def detail(**fields: Any) -> dict[str, Any]:
    return {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0, **fields}


REASONINGS: dict[str, bytes] = {
    "reasoning": stream(chunk({"reasoning": "Hm", "content": ""}), chunk({"reasoning": "m."}), text("Hi"), END),
    "reasoning_content": stream(chunk({"reasoning_content": "Hmm."}), text("Hi"), END),
    "both names": stream(chunk({"reasoning": "Hmm.", "reasoning_content": "Hmm."}), text("Hi"), END),
    "details alone": stream(chunk({"reasoning_details": [detail(text="Hmm.")]}), text("Hi"), END),
    "reasoning and details": stream(
        chunk({"reasoning": "Hmm.", "reasoning_details": [detail(text="Hmm.")]}), text("Hi"), END
    ),
    "a summary": stream(
        chunk({"reasoning_details": [{"type": "reasoning.summary", "summary": "Hmm."}]}), text("Hi"), END
    ),
    "null and empty": stream(
        chunk({"reasoning": None, "reasoning_details": []}), chunk({"reasoning": "Hmm."}), text("Hi"), END
    ),
}


@pytest.mark.parametrize("wire", REASONINGS.values(), ids=REASONINGS)
async def test_reasoning_comes_out_once(wire: bytes) -> None:
    outcome = await ask_canned(wire)
    assert outcome.reasoning == "Hmm."
    assert outcome.text == "Hi"


async def test_reasoning_is_a_first_token() -> None:
    wire = stream(chunk({"reasoning": "Hm"}), bare(error={"code": 502, "message": "gone"}))
    assert (await ask_canned(wire)).call.first_token is not None


async def test_reasoning_details_are_kept_for_the_next_turn() -> None:
    wire = stream(
        chunk({"reasoning_details": [detail(text="Hm")]}),
        chunk({"reasoning_details": [detail(text="m.")]}),
        text("Hi"),
        chunk({"reasoning_details": [detail(signature="sig")]}),
        END,
    )
    assert (await ask_canned(wire)).end.reasoning_details == (detail(text="Hmm.", signature="sig"),)
    assert (await ask_canned(stream(text("Hi"), END))).end.reasoning_details is None
    empty = stream(chunk({"content": "Hi", "reasoning_details": []}), END)
    assert (await ask_canned(empty)).end.reasoning_details == ()


# Tool calls ------------------------------------------------------------------------------------------------

PARIS = '{"city":"Paris"}'
OSLO = '{"city":"Oslo"}'
ONE = [("weather", PARIS)]
TWO = [("weather", PARIS), ("weather", OSLO)]

CALLS: dict[str, tuple[bytes, list[tuple[str, str]]]] = {
    "in fragments": (
        stream(
            named("weather", index=0, id="c1"),
            more('{"city":', index=0),
            more('"Paris"}', index=0),
            TOOLS_END,
        ),
        ONE,
    ),
    "in one chunk": (stream(named("weather", PARIS, index=0, id="c1"), TOOLS_END), ONE),
    "without index": (stream(named("weather", '{"city":', id="c1"), more('"Paris"}'), TOOLS_END), ONE),
    "without id": (stream(named("weather", '{"city":', index=0), more('"Paris"}', index=0), TOOLS_END), ONE),
    "with an empty id": (stream(named("weather", PARIS, index=0, id=""), TOOLS_END), ONE),
    "without id and index": (stream(named("weather", '{"city":'), more('"Paris"}'), TOOLS_END), ONE),
    "with the id in a later fragment": (
        stream(named("weather", index=0), more(PARIS, index=0, id="c1"), TOOLS_END),
        ONE,
    ),
    "with id and name in every fragment": (
        stream(
            named("weather", '{"city":', index=0, id="c1"), named("weather", '"Paris"}', index=0, id="c1"), TOOLS_END
        ),
        ONE,
    ),
    "with the name in a later fragment": (
        stream(more('{"city":', index=0, id="c1"), named("weather", '"Paris"}', index=0), TOOLS_END),
        ONE,
    ),
    "arguments null": (stream(named("weather", None, index=0, id="c1"), more(PARIS, index=0), TOOLS_END), ONE),
    "arguments an object": (stream(named("weather", {"city": "Paris"}, index=0, id="c1"), TOOLS_END), ONE),
    "no arguments at all": (
        stream(named("now", "", index=0, id="c1"), more("", index=0), more("", index=0), TOOLS_END),
        [("now", "{}")],
    ),
    "blanks after complete arguments": (
        stream(named("weather", PARIS, index=0, id="c1"), more(" \n", index=0), more("", index=0), TOOLS_END),
        ONE,
    ),
    "arguments that are no JSON": (
        stream(named("weather", '{"city":', index=0, id="c1"), TOOLS_END),
        [("weather", '{"city":')],
    ),
    "a name that nobody knows": (stream(named("nope", "{}", index=0, id="c1"), TOOLS_END), [("nope", "{}")]),
    "two, one after the other": (
        stream(
            named("weather", index=0, id="c1"),
            more(PARIS, index=0),
            named("weather", index=1, id="c2"),
            more(OSLO, index=1),
            TOOLS_END,
        ),
        TWO,
    ),
    "two, interleaved": (
        stream(
            named("weather", '{"city":', index=0, id="c1"),
            named("weather", '{"city":', index=1, id="c2"),
            more('"Paris"}', index=0),
            more('"Oslo"}', index=1),
            TOOLS_END,
        ),
        TWO,
    ),
    "two, both of index 0": (
        stream(named("weather", PARIS, index=0, id="c1"), named("weather", OSLO, index=0, id="c2"), TOOLS_END),
        TWO,
    ),
    "two in fragments, both of index 0": (
        stream(
            named("weather", index=0, id="c1"),
            more(PARIS, index=0),
            named("weather", index=0, id="c2"),
            more(OSLO, index=0),
            TOOLS_END,
        ),
        TWO,
    ),
    "two, both of one id": (
        stream(
            named("weather", '{"city":', index=0, id="c1"),
            named("weather", '{"city":', index=1, id="c1"),
            more('"Paris"}', index=0),
            more('"Oslo"}', index=1),
            TOOLS_END,
        ),
        TWO,
    ),
    "two, without id and index": (stream(named("weather", PARIS), named("weather", OSLO), TOOLS_END), TWO),
    "two without id, both of index 0": (
        stream(named("weather", PARIS, index=0), named("weather", OSLO, index=0), TOOLS_END),
        TWO,
    ),
    "two in one chunk": (
        stream(
            chunk(
                {
                    "tool_calls": [
                        {"id": "c1", "function": {"name": "weather", "arguments": PARIS}},
                        {"id": "c2", "function": {"name": "weather", "arguments": OSLO}},
                    ]
                }
            ),
            TOOLS_END,
        ),
        TWO,
    ),
    "sent again when it finishes": (
        stream(
            named("weather", index=0, id="c1"),
            more(PARIS, index=0),
            named("weather", PARIS, index=0, id="c1"),
            TOOLS_END,
        ),
        ONE,
    ),
    "the finish sent twice": (
        stream(
            named("weather", PARIS, index=0, id="c1"),
            chunk(finish="tool_calls"),
            chunk(finish="tool_calls", usage=USAGE),
            DONE,
        ),
        ONE,
    ),
    "finish stop": (stream(named("weather", PARIS, index=0, id="c1"), END), ONE),
    "finish empty": (stream(named("weather", PARIS), chunk(finish=""), DONE), ONE),
    "an empty phantom beside it": (
        stream(named("weather", PARIS, index=0, id="c1"), more("", index=1), TOOLS_END),
        ONE,
    ),
    "broken fragments beside it": (
        stream(
            chunk({"tool_calls": [None, 3, {"function": None}]}),
            chunk({"tool_calls": {"0": 1}}),
            named("weather", PARIS, index=0, id="c1"),
            TOOLS_END,
        ),
        ONE,
    ),
}


@pytest.mark.parametrize(("wire", "expected"), CALLS.values(), ids=CALLS)
async def test_tool_calls_come_out_once_and_whole(wire: bytes, expected: list[tuple[str, str]]) -> None:
    outcome = await ask_canned(wire)
    assert outcome.tools == expected
    assert outcome.end.finish_reason == "tool-calls"


async def test_a_call_begins_before_its_arguments_are_complete() -> None:
    wire = stream(named("weather", index=0, id="c1"), more('{"ci', index=0))
    pieces = (await ask_canned(wire)).pieces
    assert ToolCallPiece("c1", "weather") in pieces


async def test_ids_that_the_conversation_knows_are_not_used_again() -> None:
    before = AssistantMessage(tool_calls=(ToolCall("call_0", "weather", "{}"),))
    request = ModelRequest([before, ToolResult("call_0", "weather", "sunny")])
    wire = stream(named("weather", '{"city":', index=0, id="call_0"), more('"Paris"}', index=0, id="call_0"), TOOLS_END)
    outcome = await ask_canned(wire, request=request)
    assert outcome.tools == ONE
    assert outcome.end.tool_calls[0].id != "call_0"


async def test_arguments_without_a_name_are_no_answer() -> None:
    assert isinstance((await ask_canned(stream(more(PARIS, index=0, id="c1"), TOOLS_END))).error, BadAnswer)


async def test_promised_calls_that_never_came() -> None:
    assert (await ask_canned(stream(text("Hi"), TOOLS_END))).end.finish_reason == "other"


# Sources and files -----------------------------------------------------------------------------------------


async def test_citations_are_sources_each_once() -> None:
    citation = {"type": "url_citation", "url_citation": {"url": "https://a.test/", "title": "A", "start_index": 0}}
    untitled = {"type": "url_citation", "url_citation": {"url": "https://b.test/"}}
    wire = stream(
        chunk({"content": "", "annotations": [citation]}),
        chunk({"content": "", "annotations": [citation, untitled, {"type": "x"}, None]}),
        text("Hi"),
        END,
    )
    pieces = (await ask_canned(wire)).pieces
    assert [piece for piece in pieces if isinstance(piece, SourcePiece)] == [
        SourcePiece("https://a.test/", "A"),
        SourcePiece("https://b.test/"),
    ]


async def test_images_are_files_however_long_their_line() -> None:
    url = "data:image/webp;base64," + "A" * 60_000
    images = [{"type": "image_url", "image_url": {"url": url}}, {"image_url": "https://x.test/y.jpg?z"}, None]
    outcome = await ask_canned(stream(chunk({"content": "", "images": images}), chunk(finish="stop"), DONE))
    files = [piece for piece in outcome.pieces if isinstance(piece, FilePiece)]
    assert files == [FilePiece(url, "image/webp"), FilePiece("https://x.test/y.jpg?z", "image/jpeg")]


# Usage -----------------------------------------------------------------------------------------------------

COSTS = {**USAGE, "cost": 0.0077585, "is_byok": False}
USAGES: dict[str, tuple[bytes, TokenUsage | None]] = {
    "after the finish, without choices": (
        stream(text("Hi"), chunk(finish="stop"), bare(choices=[], usage=COSTS), DONE),
        TokenUsage(9, 2, 11, cost=0.0077585, is_byok=False),
    ),
    "after the finish, with the finish again": (
        stream(text("Hi"), chunk(finish="stop"), chunk(finish="stop", usage=COSTS, service_tier=None), DONE),
        TokenUsage(9, 2, 11, cost=0.0077585, is_byok=False),
    ),
    "after the finish, with an open choice": (
        stream(text("Hi"), chunk(finish="stop"), chunk(usage=COSTS), DONE),
        TokenUsage(9, 2, 11, cost=0.0077585, is_byok=False),
    ),
    "with an empty delta": (
        stream(text("Hi"), chunk(finish="stop"), bare(choices=[{"delta": {}}], usage=COSTS), DONE),
        TokenUsage(9, 2, 11, cost=0.0077585, is_byok=False),
    ),
    "on the finish chunk": (stream(text("Hi"), chunk(finish="stop", usage=USAGE), DONE), TokenUsage(9, 2, 11)),
    "on the last text": (
        stream({**chunk({"content": "Hi"}, "stop"), "usage": USAGE}, DONE),
        TokenUsage(9, 2, 11),
    ),
    "on every chunk": (
        stream(
            {**text("H"), "usage": {**USAGE, "completion_tokens": 1, "total_tokens": 10}},
            {**text("i"), "usage": USAGE},
            chunk(finish="stop", usage=USAGE),
            DONE,
        ),
        TokenUsage(9, 2, 11),
    ),
    "null but once": (
        stream({**text("Hi"), "usage": None}, chunk(finish="stop", usage=None), bare(choices=[], usage=USAGE), DONE),
        TokenUsage(9, 2, 11),
    ),
    "twice, the second without cost": (
        stream(text("Hi"), chunk(finish="stop", usage=COSTS), chunk(usage={**USAGE, "completion_tokens": 3}), DONE),
        TokenUsage(9, 3, 11, cost=0.0077585, is_byok=False),
    ),
    "zero": (
        stream(text("Hi"), chunk(finish="stop", usage=dict.fromkeys(USAGE, 0)), DONE),
        TokenUsage(0, 0, 0),
    ),
    "never": (stream(text("Hi"), chunk(finish="stop"), DONE), None),
    "empty": (stream(text("Hi"), chunk(finish="stop", usage={}), DONE), None),
}


BROKEN_USAGES: dict[str, tuple[bytes, bool]] = {
    "so far, with a piece of text": (stream({**text("H"), "usage": COSTS}, text("i")), False),
    "so far, then an error": (stream({**text("H"), "usage": COSTS}, bare(error={"code": 502})), False),
    "behind an error": (stream(text("H"), bare(error={"code": 502}), bare(choices=[], usage=COSTS)), True),
    "behind the finish, then a broken chunk": (stream(text("H"), chunk(finish="stop", usage=COSTS), "{"), True),
}


@pytest.mark.parametrize(("wire", "is_final"), BROKEN_USAGES.values(), ids=BROKEN_USAGES)
async def test_the_usage_of_an_answer_that_broke_off_is_final_or_what_it_came_to_so_far(
    wire: bytes, is_final: bool
) -> None:
    call = new_call()
    answer = Answer(call, Failures("acme", Redactor(None)))
    answer.feed(wire)
    answer.feed(b"")
    assert answer.failure is not None
    assert call.usage is not None
    assert call.is_usage_final is is_final


@pytest.mark.parametrize(("wire", "usage"), USAGES.values(), ids=USAGES)
async def test_usage_is_found_where_it_is(wire: bytes, usage: TokenUsage | None) -> None:
    outcome = await ask_canned(wire)
    assert outcome.end.finish_reason == "stop"
    assert outcome.call.usage == usage
    assert outcome.call.is_usage_final


@pytest.mark.parametrize(
    ("header", "usage", "cost"),
    [
        ("0.0031", USAGE, 0.0031),
        ("0.0031", COSTS, 0.0077585),
        ("0.0031", None, 0.0031),
        ("0.0", USAGE, None),
        ("None", USAGE, None),
    ],
)
async def test_a_proxy_names_the_cost_in_a_header(header: str, usage: Any, cost: float | None) -> None:
    wire = stream(text("Hi"), chunk(finish="stop"), chunk(usage=usage), DONE)
    outcome = await ask_canned(wire, headers={"x-litellm-response-cost": header})
    assert outcome.call.usage is not None
    assert outcome.call.usage.cost == cost


# Who answered ----------------------------------------------------------------------------------------------


async def test_the_model_that_answered_is_noted() -> None:
    wire = stream({**text("Hi"), "model": "acme/large-20260301"}, END)
    call = (await ask_canned(wire)).call
    assert call.model == "acme/large-20260301"
    assert call.generation_id == "gen-1"


async def test_the_header_names_the_generation_before_the_chunks_do() -> None:
    headers = {"X-Generation-Id": "gen-header"}
    assert (await ask_canned(stream(text("Hi"), END), headers=headers)).call.generation_id == "gen-header"


async def test_empty_ids_are_none() -> None:
    wire = stream({**text("Hi"), "id": "", "model": ""}, {"choices": []}, chunk(finish="stop", id=""), DONE)
    call = (await ask_canned(wire.replace(b'"gen-1"', b'""').replace(b'"acme/large"', b'""'))).call
    assert call.generation_id is None
    assert call.model is None


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content-filter"),
        ("eos", "stop"),
        ("something new", "other"),
        (None, "other"),
        ("", "other"),
    ],
)
async def test_finish_reasons(said: str | None, meant: FinishReason) -> None:
    outcome = await ask_canned(stream(text("Hi"), chunk(finish=said), chunk(usage=USAGE), DONE))
    assert outcome.end.finish_reason == meant


@pytest.mark.parametrize("finish", ["length", "content_filter"])
async def test_an_answer_may_be_empty_when_it_says_why(finish: str) -> None:
    assert (await ask_canned(stream(chunk(finish=finish), DONE))).end.tool_calls == ()


# Failures --------------------------------------------------------------------------------------------------

FAILURES: dict[str, tuple[bytes, type[ProviderError]]] = {
    "an error beside a finish of error": (
        stream(
            text("Hi"),
            {
                **chunk({"content": ""}, "error"),
                "error": {"code": 502, "message": "gone", "metadata": {"error_type": "provider_unavailable"}},
            },
        ),
        ProviderUnavailable,
    ),
    "an error and [DONE]": (
        stream({**chunk({"content": ""}, "error"), "error": {"code": 429, "message": "slow down"}}, DONE),
        RateLimited,
    ),
    "a code in words": (stream(bare(choices=[], error={"code": "server_error", "message": "x"})), ProviderUnavailable),
    "empty choices beside an error": (
        stream(bare(choices=[], error={"code": 404, "message": "No endpoints found"})),
        ModelNotFound,
    ),
    "nothing but an error, after comments": (
        COMMENT * 3 + stream({"error": {"code": 503, "message": "overloaded"}}),
        ProviderUnavailable,
    ),
    "an error without a code": (stream({"error": {"message": "The operation was aborted"}}), ProviderUnavailable),
    "an error in a field of that name, as llama.cpp writes it": (
        stream(text("Hi")) + b'error: {"code":400,"message":"x","type":"exceed_context_size_error"}\n\n',
        ContextTooLong,
    ),
    "an error that is a text": (stream({"error": "upstream went away"}), ProviderUnavailable),
    "an error inside the choice": (
        stream(bare(choices=[{"delta": {"content": "Hi"}, "error": {"code": 502, "message": "x"}}]), DONE),
        ProviderUnavailable,
    ),
    "an error, usage and [DONE]": (
        stream(bare(choices=[], usage=COSTS, error={"code": 400, "message": "Token limit reached"}), DONE),
        ContextTooLong,
    ),
    "a native finish of network_error": (
        stream(
            bare(choices=[{"delta": {"content": ""}, "finish_reason": "stop", "native_finish_reason": "network_error"}])
        )
        + DONE,
        ProviderUnavailable,
    ),
    "a native finish of error": (
        stream(text("Hi"), bare(choices=[{"finish_reason": "stop", "native_finish_reason": "error"}]), DONE),
        ProviderUnavailable,
    ),
    "a finish of error alone": (stream(text("Hi"), chunk(finish="error"), DONE), ProviderUnavailable),
    "stop, but no text and no usage": (stream(chunk(finish="stop"), DONE), BadAnswer),
    "stop, but no text and usage of zero": (
        stream(chunk(finish="stop", usage=dict.fromkeys(USAGE, 0)), DONE),
        BadAnswer,
    ),
    "usage alone": (stream(bare(choices=[], usage=USAGE), DONE), BadAnswer),
    "[DONE] alone": (DONE, BadAnswer),
    "nothing at all": (b"", BadAnswer),
    "comments alone": (COMMENT * 4, BadAnswer),
    "no finish and no [DONE]": (stream(text("Hi")), ProviderUnavailable),
    "usage, but no finish and no [DONE]": (stream(text("Hi"), chunk(usage=USAGE)), ProviderUnavailable),
    "half a chunk": (stream(text("Hi")) + b'data: {"choices":[{"del', BadAnswer),
    "a broken chunk": (stream(text("Hi"), '{"choices":}', text("Hi"), END), BadAnswer),
}


@pytest.mark.parametrize(("wire", "kind"), FAILURES.values(), ids=FAILURES)
async def test_failures_inside_a_stream_are_seen(wire: bytes, kind: type[ProviderError]) -> None:
    outcome = await ask_canned(wire)
    assert type(outcome.error) is kind
    assert not any(isinstance(piece, AnswerEnd) for piece in outcome.pieces)
    assert outcome.call.finish_reason is None
    if b"Hi" in wire:
        assert outcome.text == "Hi"
        assert outcome.error.charged is None


async def test_the_usage_of_a_failed_answer_counts() -> None:
    error = {"code": 400, "message": "Token limit reached"}
    for wire in (
        stream(bare(choices=[], usage=COSTS, error=error), DONE),
        stream(bare(error=error), bare(choices=[], usage=COSTS), DONE),
    ):
        outcome = await ask_canned(wire)
        assert outcome.call.usage is not None
        assert outcome.call.usage.cost == 0.0077585
        assert outcome.error is not None
        assert outcome.error.charged is None


async def test_an_error_before_any_token_was_not_charged() -> None:
    error = (await ask_canned(stream({"error": {"code": 429, "message": "slow down"}}))).error
    assert error is not None
    assert error.charged is False


async def test_an_empty_answer_may_be_asked_for_again() -> None:
    error = (await ask_canned(stream(chunk(finish="stop"), DONE))).error
    assert error is not None
    assert error.retryable


DOCUMENTS: dict[str, tuple[Any, type[ProviderError]]] = {
    "an error": ({"error": {"code": 502, "message": "gone"}}, ProviderUnavailable),
    "no choices": (bare(choices=[], usage=USAGE), BadAnswer),
    "choices null": (bare(choices=None), BadAnswer),
    "an error inside the choice": (
        bare(
            choices=[{"message": {"content": "Hi"}, "finish_reason": "error", "error": {"code": 502, "message": "x"}}]
        ),
        ProviderUnavailable,
    ),
    "a list": ([1, 2], BadAnswer),
}


@pytest.mark.parametrize(("body", "kind"), DOCUMENTS.values(), ids=DOCUMENTS)
async def test_failures_inside_a_document_are_seen(body: Any, kind: type[ProviderError]) -> None:
    outcome = await ask_canned(json.dumps(body).encode(), content_type=JSON)
    assert type(outcome.error) is kind


async def test_half_a_document_is_no_answer() -> None:
    assert isinstance((await ask_canned(b'{"choices":[{"mess', content_type=JSON)).error, BadAnswer)
    assert isinstance((await ask_canned(b"", content_type=JSON)).error, BadAnswer)


async def test_a_web_page_is_no_answer() -> None:
    error = (await ask_canned(b"<html>Welcome</html>", content_type="text/html")).error
    assert isinstance(error, BadAnswer)
    assert "base_url" in str(error)


async def test_a_line_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fondation.providers.sse.LONGEST_LINE", 10_000)
    monkeypatch.setattr("fondation.providers.answer.LONGEST_LINE", 10_000)
    assert isinstance((await ask_canned(b"data: " + b"x" * 20_000)).error, BadAnswer)
    assert isinstance((await ask_canned(b"{" * 20_000, content_type=JSON)).error, BadAnswer)


# Any cut, any line end, comments anywhere ------------------------------------------------------------------

CONVERSATION: list[Any] = [
    chunk({"reasoning": "Hm 🤔", "reasoning_details": [detail(text="Hm 🤔")]}),
    text("Où ça ? 日本\u2028"),
    text("x" * 300),
    named("weather", '{"city":', index=0, id="c1"),
    named("weather", '{"city":', index=1, id="c1x"),
    more('"Paris"}', index=0),
    more('"Oslo"}', index=1),
    chunk(finish="tool_calls"),
    bare(choices=[], usage=COSTS),
]


def pieces_of(reads: list[bytes]) -> tuple[list[Piece], TokenUsage | None]:
    call = new_call()
    answer = Answer(call, Failures("openai", Redactor(None)))
    pieces: list[Piece] = []
    for read in [*reads, b""]:
        if not answer.over:
            pieces += answer.feed(read)
    assert answer.failure is None
    return pieces, call.usage


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_pieces_do_not_depend_on_how_the_bytes_are_cut(data: st.DataObject) -> None:
    separators = data.draw(st.lists(st.sampled_from([b"", COMMENT, b": x\n", b"\n", b"event: m\n"]), max_size=9))
    separators += [b""] * (len(CONVERSATION) - len(separators))
    wire = b"".join(gap + event(value) for gap, value in zip(separators, CONVERSATION, strict=True)) + DONE
    if data.draw(st.booleans()):
        wire = wire.replace(b"\n", b"\r\n")
    cuts = sorted(data.draw(st.sets(st.integers(1, len(wire) - 1), max_size=40)))
    reads = [wire[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    assert pieces_of(reads) == pieces_of([stream(*CONVERSATION, DONE)])


@settings(max_examples=60, deadline=None)
@given(reads=st.lists(st.one_of(st.binary(max_size=80), st.sampled_from([event(c) for c in CONVERSATION])), max_size=9))
def test_no_bytes_whatever_break_the_decoder(reads: list[bytes]) -> None:
    answer = Answer(new_call(), Failures("openai", Redactor(None)))
    for read in [*reads, b""]:
        if not answer.over:
            answer.feed(read)
    assert answer.over


def test_pieces_of_one_read_are_one_batch() -> None:
    answer = Answer(new_call(), Failures("openai", Redactor(None)))
    assert answer.feed(stream(text("a"), text("b"), text("c"))) == [TextPiece("a"), TextPiece("b"), TextPiece("c")]
