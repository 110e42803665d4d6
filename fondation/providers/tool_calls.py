"""Tool calls put together from fragments, however a server numbers, names and cuts them: each call once, whole,
with an id of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from fondation.messages import Json, ToolCall
from fondation.providers.base import ArgumentsPiece, Piece, ToolCallPiece
from fondation.providers.untyped import is_object, map_of, text_of
from fondation.tokens import new_token


@dataclass(slots=True)
class _OpenCall:
    """A call while its fragments come."""

    id: str
    wire_id: str | None
    """As the server wrote it; it may be missing, or the same for two calls."""
    index: Json
    name: str = ""
    fragments: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        return "".join(self.fragments)

    @property
    def is_whole(self) -> bool:
        return is_object(self.arguments)

    def whole(self) -> ToolCall:
        arguments = self.arguments.strip()
        return ToolCall(self.id, self.name, "{}" if arguments in ("", "null") else arguments)


class NamelessCall(ValueError):
    """A tool call that nobody can run."""


class ToolCalls:
    """The calls of one answer."""

    def __init__(self, taken_ids: Iterable[str] = ()) -> None:
        """`taken_ids` are those of the conversation so far: some servers begin with the same id each time."""
        self._calls: list[_OpenCall] = []
        self._named: list[_OpenCall] = []
        """Those that have begun for whoever reads the pieces."""
        self._ids = set(taken_ids)

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, fragment: Json, pieces: list[Piece]) -> None:
        """Take one entry of `tool_calls`, and append what is new to `pieces`."""
        if not isinstance(fragment, dict):
            return
        function = map_of(fragment.get("function"))
        name = text_of(function.get("name"))
        text = _arguments(function.get("arguments"))
        wire_id, index = text_of(fragment.get("id")) or None, fragment.get("index")
        call = self._find(wire_id, index)
        if call is not None and name and call.name:
            is_another = name != call.name
            if text.lstrip().startswith("{") and call.is_whole:
                if not is_another and text.strip() == call.arguments.strip():
                    return  # some servers send every call again when they finish
                is_another = True
            if is_another:
                call = None
        if call is None:
            call = self._open(wire_id, index)
        call.wire_id = call.wire_id or wire_id
        if name and not call.name:
            self._named.append(call)
        _extend(call, name, text, pieces)

    def finish(self) -> tuple[ToolCall, ...]:
        """All calls, in the order of their pieces. Raises `NamelessCall` where one has arguments but no name."""
        if any(call.arguments.strip() and not call.name for call in self._calls):
            raise NamelessCall("a tool call without a name")
        return tuple(call.whole() for call in self._named)

    def _find(self, wire_id: str | None, index: Json) -> _OpenCall | None:
        """The call that a fragment goes on with: the one of its id, else of its index, else the last."""
        for call in reversed(self._calls):
            fits = index is None or call.index is None or call.index == index
            if fits and (wire_id is None or call.wire_id == wire_id):
                return call
            if wire_id is not None and call.wire_id is None and index is not None and call.index == index:
                return call  # its id comes late
        return None

    def _open(self, wire_id: str | None, index: Json) -> _OpenCall:
        id = wire_id if wire_id and wire_id not in self._ids else f"call_{new_token()[:24]}"
        self._ids.add(id)
        call = _OpenCall(id, wire_id, index)
        self._calls.append(call)
        return call


def _extend(call: _OpenCall, name: str, text: str, pieces: list[Piece]) -> None:
    if text:
        call.fragments.append(text)
    if call.name:
        if text:
            pieces.append(ArgumentsPiece(call.id, text))
    elif name:
        call.name = name
        pieces.append(ToolCallPiece(call.id, name))
        if call.fragments:
            pieces.append(ArgumentsPiece(call.id, call.arguments))


def _arguments(value: Json) -> str:
    """Arguments as JSON text: some servers send the object itself."""
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    return text_of(value)
