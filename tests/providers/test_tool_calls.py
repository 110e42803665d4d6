"""The quirks are rows of test_answer.py; here is what holds for all of them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.providers.base import ArgumentsPiece, Piece, ToolCallPiece
from fondation.providers.tool_calls import ToolCalls

arguments = st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=8)), max_size=3)


@st.composite
def fragmented(draw: st.DrawFn) -> tuple[list[tuple[str, str]], list[dict[str, Any]]]:
    """Calls, and fragments of them, interleaved in any way that keeps each call's own order."""
    calls = draw(st.lists(st.tuples(st.sampled_from(["a", "b"]), arguments.map(json.dumps)), min_size=1, max_size=3))
    queues: list[list[dict[str, Any]]] = []
    for index, (name, text) in enumerate(calls):
        cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=4)))
        parts = [text[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        head = {"index": index, "id": f"c{index}", "function": {"name": name, "arguments": ""}}
        queues.append([head, *({"index": index, "function": {"arguments": part}} for part in parts)])
    fragments = [queue.pop(0) for queue in queues]
    while any(queues):
        fragments.append(draw(st.sampled_from([queue for queue in queues if queue])).pop(0))
    return calls, fragments


@settings(max_examples=60, deadline=None)
@given(fragmented())
def test_fragments_in_any_order_make_the_same_calls(
    made: tuple[list[tuple[str, str]], list[dict[str, Any]]],
) -> None:
    expected, fragments = made
    calls, pieces = ToolCalls(), list[Piece]()
    for fragment in fragments:
        calls.add(fragment, pieces)
    assert [(call.name, call.arguments) for call in calls.finish()] == expected
    for number, (name, text) in enumerate(expected):
        assert ToolCallPiece(f"c{number}", name) in pieces
        streamed = [piece.text for piece in pieces if isinstance(piece, ArgumentsPiece) and piece.id == f"c{number}"]
        assert "".join(streamed) == text


values = st.recursive(
    st.one_of(st.none(), st.integers(0, 2), st.sampled_from(["", "c1", "a", "{}", "{", " "])),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["index", "id", "function", "name", "arguments"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(values, max_size=6))
def test_no_fragments_whatever_break_the_grammar(fragments: list[Any]) -> None:
    calls, pieces = ToolCalls({"c1"}), list[Piece]()
    for fragment in fragments:
        calls.add(fragment, pieces)
    begun: set[str] = set()
    for piece in pieces:
        if isinstance(piece, ToolCallPiece):
            assert piece.id not in begun | {"", "c1"}
            begun.add(piece.id)
        else:
            assert isinstance(piece, ArgumentsPiece)
            assert piece.id in begun
            assert piece.text


def test_arguments_nested_without_end_are_not_read() -> None:
    calls, pieces = ToolCalls(), list[Piece]()
    for _ in range(2):
        calls.add({"index": 0, "id": "c1", "function": {"name": "a", "arguments": '{"x":' * 5000}}, pieces)
    assert [call.name for call in calls.finish()] == ["a"]


def test_a_call_begins_with_its_name() -> None:
    calls, pieces = ToolCalls(), list[Piece]()
    calls.add({"index": 0, "id": "c1", "function": {"arguments": "{}"}}, pieces)
    calls.add({"index": 1, "id": "c2", "function": {"name": "b", "arguments": "{}"}}, pieces)
    calls.add({"index": 0, "function": {"name": "a"}}, pieces)
    assert [piece.id for piece in pieces if isinstance(piece, ToolCallPiece)] == ["c2", "c1"]
    assert [call.id for call in calls.finish()] == ["c2", "c1"], "the order of the parts that a page has seen"
