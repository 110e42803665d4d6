from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.providers import sse
from fondation.providers.sse import EventStream, LineTooLong


def events_of(*reads: bytes) -> list[bytes]:
    stream = EventStream()
    return [event for read in reads for event in stream.feed(read)] + stream.end()


@pytest.mark.parametrize(
    ("wire", "events"),
    [
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
        (b"data:a\n\n", [b"a"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data:\n\n", [b""]),
        (b": hello\n\ndata: a\n\n: bye\n\n", [b"a"]),
        (b"event: x\nid: 1\nretry: 5\ndata: a\n\n", [b"a"]),
        (b"event: x\n\n", []),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"data: a\x0b\x0c\xe2\x80\xa8\xc2\x85b\n\n", [b"a\x0b\x0c\xe2\x80\xa8\xc2\x85b"]),
        (b"data: a\n", [b"a"]),
        (b"data: a", [b"a"]),
        (b"data: a\r", [b"a"]),
        (b"database: a\n\n", []),
        (b'data: a\n\nerror: {"code": 500}\r\n\r\n', [b"a", b'{"error":{"code": 500}}']),
        (b"\n\n\n", []),
        (b"", []),
    ],
)
def test_events_are_parted_as_the_format_says(wire: bytes, events: list[bytes]) -> None:
    assert events_of(wire) == events
    assert events_of(*(bytes([byte]) for byte in wire)) == events


def test_an_event_comes_out_as_soon_as_its_blank_line_is_there() -> None:
    stream = EventStream()
    assert stream.feed(b"data: a\n") == []
    assert stream.feed(b"\ndata: b") == [b"a"]
    assert stream.feed(b"\r\n\r") == []
    assert stream.feed(b"\n") == [b"b"]


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), max_size=6),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=40),
)
def test_any_cut_gives_the_same_events(texts: list[str], sizes: list[int]) -> None:
    events = [text.encode().strip() for text in texts]
    wire = b"".join(b"data: " + event + b"\n\n" for event in events)
    reads: list[bytes] = []
    at = 0
    while at < len(wire):
        size = sizes[len(reads) % len(sizes)]
        reads.append(wire[at : at + size])
        at += size
    assert events_of(*reads) == events


def test_a_long_line_in_small_reads_is_not_copied_over_and_over() -> None:
    reads = [b"data: ", *[b"x" * 256] * 16_000, b"\n\n"]
    began = time.process_time()
    assert len(events_of(*reads)[0]) == 256 * 16_000
    assert time.process_time() - began < 2


def test_a_line_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LONGEST_LINE", 1000)
    with pytest.raises(LineTooLong):
        events_of(*[b"x" * 100] * 20)
    assert events_of(*[b"data: " + b"x" * 900 + b"\n\n"] * 5) == [b"x" * 900] * 5


def test_an_event_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LONGEST_LINE", 1000)
    with pytest.raises(LineTooLong):
        events_of(*[b"data: " + b"x" * 100 + b"\n"] * 20)
    assert events_of(*[b"data: a\ndata: b\n\n"] * 200) == [b"a\nb"] * 200


def test_an_event_of_many_lines_is_not_copied_for_each_of_them() -> None:
    began = time.process_time()
    assert len(events_of(b"data: x\n" * 200_000)[0]) == 399_999
    assert time.process_time() - began < 2
