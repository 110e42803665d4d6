"""Server-sent events as bytes: whatever way the network cuts a stream, each event's data comes out once, whole."""

from __future__ import annotations

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONGEST_LINE = 64 * 1024 * 1024
"""Bytes. An image comes in one line; a server that never ends a line, or an event, must not fill the memory."""


class LineTooLong(ValueError):
    """A line, or the lines of one event, of more than `LONGEST_LINE` bytes."""


class EventStream:
    """Splits bytes into the `data` of events. Comments and other fields are dropped, but for `error`: llama.cpp writes
    an error so, and it comes out as what others send, `{"error": ...}`.

    Lines end in LF or CRLF and nowhere else: U+2028 inside JSON is text. Several data lines of one event are
    joined by LF; blanks around the data are removed.
    """

    __slots__ = ("_data", "_data_size", "_rest", "_rest_size")

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._rest_size = 0
        self._data: list[bytes] = []
        self._data_size = 0

    def feed(self, received: bytes) -> list[bytes]:
        """The events that `received` completes. Raises `LineTooLong`."""
        if b"\n" not in received:
            self._keep(received)
            return []
        if self._rest:
            self._rest.append(received)
            received = b"".join(self._rest)
            self._rest.clear()
            self._rest_size = 0
        lines = received.split(b"\n")
        if rest := lines.pop():
            self._keep(rest)
        return self._events(lines)

    def end(self) -> list[bytes]:
        """What is left when the stream ends: an event that lacks its blank line, or even its line's end."""
        lines = [b"".join(self._rest), b""]
        self._rest.clear()
        self._rest_size = 0
        return self._events(lines)

    def _keep(self, rest: bytes) -> None:
        """Collected, and joined once: a long line in many reads must not be copied for each of them."""
        self._rest.append(rest)
        self._rest_size += len(rest)
        if self._rest_size > LONGEST_LINE:
            raise LineTooLong(f"a line of more than {LONGEST_LINE} bytes")

    def _events(self, lines: list[bytes]) -> list[bytes]:
        events: list[bytes] = []
        data = self._data
        for line in lines:
            if line.startswith(b"data:"):
                if data:
                    self._grow(len(line))
                data.append(line[5:].strip())
            elif not line or line == b"\r":
                if data:
                    events.append(b"\n".join(data))
                    data.clear()
                    self._data_size = 0
            elif line.startswith(BYTE_ORDER_MARK + b"data:"):
                data.append(line[len(BYTE_ORDER_MARK) + 5 :].strip())
            elif line.startswith(b"error:"):
                data.append(b'{"error":%b}' % line[6:].strip())
        return events

    def _grow(self, size: int) -> None:
        """One more line of an event that has some already."""
        self._data_size += size
        if self._data_size > LONGEST_LINE:
            raise LineTooLong(f"an event of more than {LONGEST_LINE} bytes")
