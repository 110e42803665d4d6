from __future__ import annotations

from typing import Any

from fondation.providers.reasoning import ReasoningDetails


def text(**fields: Any) -> dict[str, Any]:
    return {"type": "reasoning.text", **fields}


def put_together(*chunks: Any) -> tuple[Any, ...] | None:
    details = ReasoningDetails()
    for chunk in chunks:
        details.add(chunk)
    return details.finish()


def test_fragments_of_one_block_are_joined() -> None:
    first = text(text="Hm", index=0, format="anthropic-claude-v1", id=None, signature=None)
    signature = text(signature="sig", index=0, format=None)
    assert put_together([first], [text(text="m.", index=0)], [signature], [text(text="", index=0)]) == (
        text(text="Hmm.", index=0, format="anthropic-claude-v1", id=None, signature="sig"),
    )


def test_blocks_of_another_index_id_or_kind_stay_apart() -> None:
    blocks = (
        text(text="a", index=0),
        text(text="b", index=1),
        text(text="c", index=1, id="x"),
        {"type": "reasoning.summary", "summary": "s", "index": 1},
        {"type": "reasoning.encrypted", "data": "AA", "index": 1},
        {"type": "reasoning.encrypted", "data": "BB", "index": 1},
        {"type": "reasoning.server_tool_call", "name": "search"},
    )
    assert put_together(list(blocks)) == blocks


def test_without_an_index_what_follows_goes_on() -> None:
    assert put_together([text(text="a")], [text(text="b")], [text(text="c")]) == (text(text="abc"),)


def test_nothing_is_not_the_same_as_an_empty_list() -> None:
    assert put_together() is None
    assert put_together(None, "text", {}) is None
    assert put_together([]) == ()
    assert put_together([], [text(text="a")]) == (text(text="a"),)


def test_the_words_are_returned_for_who_reads_along() -> None:
    details = ReasoningDetails()
    summary = {"type": "reasoning.summary", "summary": "b"}
    assert details.add([text(text="a"), summary, {"type": "reasoning.encrypted", "data": "c"}, None]) == "ab"


def test_a_block_without_words_gets_none() -> None:
    assert put_together([text(signature="sig")]) == (text(signature="sig"),)
