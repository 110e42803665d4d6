"""One answer as it arrives: bytes in, pieces out. It is complete at `[DONE]` or at the stream's end, never at a
finish reason: the cost comes after that."""

from __future__ import annotations

import logging
import mimetypes
import time
from collections.abc import Iterable

from fondation.calls import FinishReason, ModelCall, TokenUsage
from fondation.errors import BadAnswer, ProviderError, ProviderUnavailable
from fondation.messages import Json
from fondation.providers.base import (
    AnswerEnd,
    FilePiece,
    Piece,
    ReasoningPiece,
    SourcePiece,
    TextPiece,
)
from fondation.providers.chunks import Chunk, Delta, decode_chunk
from fondation.providers.failures import Failures
from fondation.providers.reasoning import ReasoningDetails
from fondation.providers.sse import LONGEST_LINE, EventStream, LineTooLong
from fondation.providers.token_usage import read_usage
from fondation.providers.tool_calls import NamelessCall, ToolCalls
from fondation.providers.untyped import text_of

log = logging.getLogger("fondation.providers")

DONE = b"[DONE]"
FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "eos": "stop",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool-calls",
    "function_call": "tool-calls",
    "tool_use": "tool-calls",
    "content_filter": "content-filter",
}
_BROKEN = frozenset({"error", "network_error"})


class Answer:
    """Turns the bytes of a response into pieces, and writes what it learns into the `ModelCall` at once.

    `over` is true when nothing more is needed; then the last piece was `AnswerEnd`, or `failure` says why not.
    """

    def __init__(
        self,
        call: ModelCall,
        failures: Failures,
        *,
        is_document: bool = False,
        billed: float | None = None,
        taken_ids: Iterable[str] = (),
    ) -> None:
        """`is_document`: the response is one JSON document. `billed`: dollars named by a response header."""
        self.over = False
        self.failure: ProviderError | None = None
        self._call = call
        self._failures = failures
        self._billed = billed
        self._document = bytearray() if is_document else None
        self._events = EventStream()
        self._calls = ToolCalls(taken_ids)
        self._reasoning = ReasoningDetails()
        self._sources: set[str] = set()
        self._identified = False
        self._complete = False
        self._any_choice = False
        self._spoke = False
        self._finish: str | None = None
        self._native: str | None = None

    def feed(self, received: bytes) -> list[Piece]:
        """What the bytes of one read say; no bytes at all are the end of the stream."""
        pieces: list[Piece] = []
        try:
            for event in self._split(received):
                if event == DONE:
                    self._complete = True
                    break
                self._take(event, pieces)
        except LineTooLong as error:
            self._fail(self._failures.make(BadAnswer, str(error)))
            self._complete = True
        if pieces and self._call.first_token is None:
            self._call.first_token = time.perf_counter()
        if self._complete or not received or (self.failure is not None and self._call.usage is not None):
            self.over = True
            self._end(pieces)
        return pieces

    def _split(self, received: bytes) -> list[bytes]:
        if self._document is None:
            return self._events.feed(received) if received else self._events.end()
        if received:
            self._document += received
            if len(self._document) > LONGEST_LINE:
                raise LineTooLong(f"a document of more than {LONGEST_LINE} bytes")
            return []
        whole = bytes(self._document.strip())
        if whole.startswith((b"data:", b":", b"event:")):
            return [*self._events.feed(whole), *self._events.end()]  # events, called JSON by their server
        self._complete = True
        return [whole] if whole else []

    def _take(self, event: bytes, pieces: list[Piece]) -> None:
        try:
            chunk = decode_chunk(event)
        except (ValueError, RecursionError):
            self._take_unreadable(event, pieces)
            return
        if not self._identified:
            self._identify(chunk)
        if chunk.choices:
            self._any_choice = True
            for choice in chunk.choices:
                delta = choice.delta or choice.message
                if delta is not None and self.failure is None:
                    self._take_delta(delta, pieces)
                if choice.finish_reason or choice.native_finish_reason:
                    self._finish = text_of(choice.finish_reason) or self._finish
                    self._native = text_of(choice.native_finish_reason) or self._native
                if choice.error is not None:
                    self._report(choice.error)
        if chunk.usage is not None:
            self._call.usage = read_usage(chunk.usage, self._call.usage)
            self._call.is_usage_final = not chunk.choices or self._finish is not None
        if chunk.error is not None:
            self._report(chunk.error)

    def _take_unreadable(self, event: bytes, pieces: list[Piece]) -> None:
        """Events that a server did not part by blank lines are taken one by one; other things are no chunk."""
        if b"\n" in event:
            for line in event.split(b"\n"):
                if line == DONE:
                    self._complete = True
                    return
                self._take(line, pieces)
        elif event.startswith((b"{", b"[")) or self._document is not None:
            self._fail(self._failures.make(BadAnswer, "a chunk that is no JSON", retryable=True))
        else:
            log.debug("%s: an event of %d bytes that is no chunk", self._call.provider, len(event))

    def _identify(self, chunk: Chunk) -> None:
        self._call.model = self._call.model or text_of(chunk.model) or None
        self._call.generation_id = self._call.generation_id or text_of(chunk.id) or None
        self._identified = self._call.model is not None and self._call.generation_id is not None

    def _take_delta(self, delta: Delta, pieces: list[Piece]) -> None:
        if delta.reasoning is not None or delta.reasoning_content is not None or delta.reasoning_details is not None:
            self._think(delta, pieces)
        if delta.content or delta.refusal is not None:
            text = delta.content if type(delta.content) is str else _text_of_parts(delta.content)
            if text := text or text_of(delta.refusal):
                self._spoke = True
                pieces.append(TextPiece(text))
        if delta.annotations is not None:
            self._cite(delta.annotations, pieces)
        if delta.images is not None:
            self._show(delta.images, pieces)
        if delta.tool_calls is not None:
            for fragment in delta.tool_calls if isinstance(delta.tool_calls, list) else ():
                self._calls.add(fragment, pieces)

    def _think(self, delta: Delta, pieces: list[Piece]) -> None:
        """One text, under as many names as the server likes."""
        told = self._reasoning.add(delta.reasoning_details)
        reasoning = text_of(delta.reasoning) or text_of(delta.reasoning_content) or told
        if reasoning:
            pieces.append(ReasoningPiece(reasoning))

    def _cite(self, annotations: Json, pieces: list[Piece]) -> None:
        for annotation in annotations if isinstance(annotations, list) else ():
            citation = annotation.get("url_citation") if isinstance(annotation, dict) else None
            if not isinstance(citation, dict):
                continue
            url = text_of(citation.get("url"))
            if url and url not in self._sources:
                self._sources.add(url)
                pieces.append(SourcePiece(url, text_of(citation.get("title")) or None))

    def _show(self, images: Json, pieces: list[Piece]) -> None:
        for image in images if isinstance(images, list) else ():
            place = image.get("image_url") if isinstance(image, dict) else None
            url = text_of(place.get("url")) if isinstance(place, dict) else text_of(place)
            if url:
                self._spoke = True
                pieces.append(FilePiece(url, _media_type(url)))

    def _report(self, error: Json) -> None:
        self._fail(self._failures.of_stream(error, answered=self._call.first_token is not None))

    def _fail(self, failure: ProviderError) -> None:
        if self.failure is None:
            self.failure = failure

    def _end(self, pieces: list[Piece]) -> None:
        """Append `AnswerEnd`, or settle why there is none."""
        if self._billed is not None and (self._call.usage is None or self._call.usage.cost is None):
            self._call.usage = read_usage({"cost": self._billed}, self._call.usage)
        if self.failure is None:
            self.failure = self._shortcoming()
        try:
            calls = self._calls.finish() if self.failure is None else ()
        except NamelessCall as error:
            self.failure = self._failures.make(BadAnswer, str(error), retryable=True)
        if self.failure is not None:
            if self._call.usage is not None or self._call.first_token is not None:
                self.failure.charged = None
            return
        reason = "tool-calls" if calls else FINISH_REASONS.get(self._finish or "", "other")
        if reason == "tool-calls" and not calls:
            reason = "other"
        self._call.finish_reason = reason
        self._call.is_usage_final = True
        pieces.append(AnswerEnd(reason, calls, self._reasoning.finish()))

    def _shortcoming(self) -> ProviderError | None:
        """Why what came is no answer."""
        if self._finish == "error" or self._native in _BROKEN:
            return self._failures.make(
                ProviderUnavailable, f"cut off with finish reason {self._native or self._finish}"
            )
        if not self._complete and not self._finish and (self._any_choice or self._calls):
            return self._failures.make(ProviderUnavailable, "the stream ended without a finish reason")
        if self._spoke or self._calls or self._finish in ("length", "max_tokens", "content_filter"):
            return None
        if not self._any_choice or _is_nothing(self._call.usage):
            return self._failures.make(BadAnswer, "an empty answer", retryable=True)
        return None


def _is_nothing(usage: TokenUsage | None) -> bool:
    return usage is None or not usage.total


def _text_of_parts(content: Json) -> str:
    """Some servers send content as a list of parts."""
    if not isinstance(content, list):
        return ""
    return "".join(text_of(part.get("text")) for part in content if isinstance(part, dict))


def _media_type(url: str) -> str:
    if url.startswith("data:"):
        return url[5:].partition(",")[0].partition(";")[0] or "image/png"
    return mimetypes.guess_type(url.partition("?")[0])[0] or "image/png"
