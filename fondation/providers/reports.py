"""What a server wrote about a failure, read from any of the shapes that servers use."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from fondation.messages import Json
from fondation.providers.untyped import map_of

_TOLD = ("provider_name", "model_slug", "limit_source", "remedy_hint", "reasons", "patterns")
"""The metadata worth a log line; `flagged_input` is what a user wrote, and stays out."""

_MARKUP = re.compile(r"(?is)<(script|style)\b.*?(?:</\1\s*>|\Z)|<[^<>]*>")
"""Reads every character once, whatever a server sends."""
_LONGEST_WORDS = 4_000
"""Characters of an explanation that are looked at."""
_OLDEST_RESET = 1e9
"""Unix seconds: a smaller X-RateLimit-Reset is no moment in time."""
_MILLISECONDS = 1e11
"""A greater one is in milliseconds."""


@dataclass(frozen=True, slots=True)
class Report:
    """A failure in the server's own words."""

    message: str
    status: int | None
    """The HTTP status; of an error inside a stream its `code`, None where that is none."""
    kinds: tuple[str, ...] = ()
    """What the server calls it: its error_type, code and type, those of a provider behind it last."""
    metadata: Mapping[str, Json] = field(default_factory=dict)
    availability: Mapping[str, Json] = field(default_factory=dict)
    raw: str = ""
    """The words of the provider behind a router."""

    @property
    def words(self) -> str:
        return f"{self.message} {self.raw}"

    @property
    def detail(self) -> str:
        """All of it that a log line should hold."""
        facts = [f"{name} {self.metadata[name]}" for name in _TOLD if self.metadata.get(name)]
        facts += [text for text in (", ".join(self.kinds), self.raw) if text]
        return f"{self.message} ({'; '.join(facts)})" if facts else self.message


def parse_body(body: bytes) -> Json:
    """The JSON value of an error's body, or its text without markup: a page of the CDN in front."""
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _MARKUP.sub(" ", text)


def read_report(body: Json, status: int | None) -> Report:
    """Reads {"error": {...}}, {"error": "text"}, {"message": ...}, {"detail": ...}, a list of these, or plain text."""
    if isinstance(body, list) and body:
        body = body[0]
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return Report(_line(error) or "no explanation", status)
    metadata = map_of(error.get("metadata"))
    code = error.get("code", error.get("http_status"))
    if isinstance(code, str) and code.isdecimal():
        code = int(code[:9])
    named = (metadata.get("error_type"), error.get("error_type"), code, error.get("type"), error.get("status"))
    behind = _report_behind(metadata.get("raw"))
    kinds = [*(kind for kind in named if isinstance(kind, str) and kind), *(behind.kinds if behind else ())]
    is_status = isinstance(code, int) and 400 <= code < 600
    return Report(
        message=_line(error.get("message") or error.get("detail") or error.get("error")) or "no explanation",
        status=code if status is None and is_status else status,
        kinds=tuple(dict.fromkeys(kinds)),
        metadata=metadata,
        availability=map_of(error.get("availability")),
        raw=behind.message if behind else "",
    )


def read_retry_after(report: Report, headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from whichever place the server chose to say it; None where it does not."""
    told = {name.lower(): value for name, value in map_of(report.metadata.get("headers")).items()}
    told.update((name.lower(), value) for name, value in headers.items())
    milliseconds = _number(told.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    for value in (told.get("retry-after"), report.availability.get("retry_after")):
        seconds = _seconds(value)
        if seconds is not None:
            return seconds
    reset = _number(told.get("x-ratelimit-reset"))
    if report.status != 429 or reset is None or reset < _OLDEST_RESET:
        return None
    return max(0.0, (reset / 1000 if reset > _MILLISECONDS else reset) - time.time())


def _report_behind(raw: Json) -> Report | None:
    """OpenRouter's `raw`: the answer of the provider behind it, mostly JSON inside a string."""
    if not raw:
        return None
    return read_report(parse_body(raw.encode("utf-8", "replace")) if isinstance(raw, str) else raw, None)


def _seconds(value: Json) -> float | None:
    """Of a number, or of a date as in HTTP."""
    number = _number(value)
    if number is not None or not isinstance(value, str):
        return number
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _number(value: Json) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < 1e15 else None


def _line(value: Json) -> str:
    text = value if isinstance(value, str) else json.dumps(value) if value else ""
    return " ".join(text[:_LONGEST_WORDS].split())
