"""The parts of a UI message: their fields, what a model reads of them, and which of them a chat keeps."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from fondation.errors import RequestError
from fondation.messages import TOOL_NAME, AssistantMessage, FilePart, Json, Message, TextPart, ToolCall, ToolResult
from fondation.protocols.files import read_file
from fondation.tool_results import UNANSWERED, denial_text


class UIApproval(msgspec.Struct):
    """Where a person's yes to a tool call stands."""

    id: str
    approved: bool | None = None
    reason: str | None = None


class UIPart(msgspec.Struct, rename="camel"):
    """Any part of a UI message; which fields it has depends on its type."""

    type: str
    id: str | None = None
    text: str | None = None
    state: str | None = None
    tool_call_id: str | None = None
    tool_name: str | None = None
    input: Json = None
    raw_input: Json = None
    output: Json = None
    error_text: str | None = None
    approval: UIApproval | None = None
    url: str | None = None
    media_type: str | None = None
    filename: str | None = None
    data: Json = None

    @property
    def is_tool(self) -> bool:
        return self.type == "dynamic-tool" or self.type.startswith("tool-")

    @property
    def tool(self) -> str:
        """The tool's name; empty where a part of a tool has none."""
        return (self.tool_name or "") if self.type == "dynamic-tool" else self.type.removeprefix("tool-")


class PlacedPart(UIPart):
    """A file that came in another field than its message's `parts`."""

    place: str = ""
    """Where in the body."""
    type_field: str = "mediaType"
    """The field there that says what it is."""


def read_parts(parts: Sequence[Json]) -> list[UIPart]:
    """Parts as a chat keeps them."""
    return msgspec.convert(list(parts), list[UIPart])


def fit_files(parts: Sequence[UIPart], path: str) -> list[UIPart]:
    """The parts with their files as these can be sent; `path` is the message's place in the body.

    Raises `RequestError` for a file that cannot.
    """
    return [_fit(part, f"{path}.parts[{position}]") for position, part in enumerate(parts)]


def without_unfit_files(parts: Iterable[UIPart]) -> list[UIPart]:
    """The same without the files that cannot be sent."""
    kept: list[UIPart] = []
    for part in parts:
        with contextlib.suppress(RequestError):
            kept.append(_fit(part, ""))
    return kept


def _fit(part: UIPart, place: str) -> UIPart:
    if part.type != "file":
        return part
    type_field = "mediaType"
    if isinstance(part, PlacedPart):
        place, type_field = part.place, part.type_field
    file = read_file(part.url, part.media_type, place, type_field)
    return msgspec.structs.replace(part, url=file.url, media_type=file.media_type)


def user_parts(parts: Iterable[UIPart]) -> tuple[TextPart | FilePart, ...]:
    """What a model reads of a user's parts."""
    read: list[TextPart | FilePart] = []
    for part in parts:
        if part.type == "text" and part.text:
            read.append(TextPart(part.text))
        elif part.type == "file" and part.url:
            read.append(FilePart(part.url, part.media_type or "", part.filename or None))
    return tuple(read)


def text_of(parts: Iterable[UIPart]) -> str:
    return "\n".join(part.text for part in parts if part.type == "text" and part.text)


def believed_parts(parts: Iterable[UIPart], *, of_user: bool) -> tuple[Json, ...]:
    """The parts that a chat takes from a client, their files made fit; what it says that tools did is none of them."""
    kept = (_believed(part, of_user) for part in parts)
    return tuple(part for part in kept if part is not None)


def _believed(part: UIPart, of_user: bool) -> dict[str, Json] | None:
    if part.type == "text" and part.text:
        return {"type": "text", "text": part.text} if of_user else {"type": "text", "text": part.text, "state": "done"}
    if part.type == "file":
        name = {"filename": part.filename} if part.filename else {}
        return {"type": "file", "mediaType": part.media_type, "url": part.url, **name}
    if of_user and part.type.startswith("data-"):
        identity = {} if part.id is None else {"id": part.id}
        return {"type": part.type, **identity, "data": part.data}
    return None


def assistant_messages(parts: Iterable[UIPart], path: str = "message") -> Iterator[Message]:
    """An answer as the model gave it: each of its steps, and behind it the results of its tools.

    A call that has no outcome has no result. Raises `RequestError` for a tool's part that names no call or no tool.
    """
    step: list[UIPart] = []
    for part in [*parts, UIPart(type="step-start")]:
        if part.type != "step-start":
            step.append(part)
        elif step:
            yield from _step_messages(step, path)
            step = []


def close_calls(messages: Iterable[Message]) -> Iterator[Message]:
    """The same conversation with a result right behind every call, in the order of the calls.

    A call that was left waiting is told to be; a result without its call is left out.
    """
    calls: tuple[ToolCall, ...] = ()
    results: list[ToolResult] = []
    for message in messages:
        if isinstance(message, ToolResult):
            results.append(message)
            continue
        yield from _results(calls, results)
        calls = message.tool_calls if isinstance(message, AssistantMessage) else ()
        results = []
        yield message
    yield from _results(calls, results)


def _results(calls: Sequence[ToolCall], results: list[ToolResult]) -> Iterator[ToolResult]:
    for call in calls:
        result = next((result for result in results if result.call_id == call.id), None)
        if result is None:
            yield ToolResult(call.id, call.name, UNANSWERED)
        else:
            results.remove(result)
            yield result


def _step_messages(step: list[UIPart], path: str) -> Iterator[Message]:
    calls = [part for part in step if part.is_tool and part.state != "input-streaming"]
    text = "".join(part.text for part in step if part.type == "text" and part.text)
    if text or calls:
        yield AssistantMessage(text, tuple(_tool_call(part, path) for part in calls))
    for part in calls:
        if (content := _result_text(part)) is not None:
            yield ToolResult(part.tool_call_id or "", part.tool, content)


def _tool_call(part: UIPart, path: str) -> ToolCall:
    if not part.tool_call_id or not TOOL_NAME.fullmatch(part.tool):
        raise RequestError(400, f"{path}: a tool part needs a toolCallId and a tool's name")
    arguments = part.input if part.input is not None else part.raw_input
    if isinstance(arguments, str):
        return ToolCall(part.tool_call_id, part.tool, arguments)
    return ToolCall(part.tool_call_id, part.tool, msgspec.json.encode(arguments or {}).decode())


def _result_text(part: UIPart) -> str | None:
    match part.state:
        case "output-available":
            return part.output if isinstance(part.output, str) else msgspec.json.encode(part.output).decode()
        case "output-error":
            return f"Error: {part.error_text or 'the tool failed.'}"
        case "output-denied":
            return denial_text(part.approval.reason if part.approval else None)
        case _:
            return None
