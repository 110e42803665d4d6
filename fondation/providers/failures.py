"""What went wrong upstream, as one of the `ProviderError`s: from an HTTP status and its body, from an error inside a
stream, or from a connection that failed."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import aiohttp

from fondation.errors import (
    AuthenticationFailed,
    BadAnswer,
    ContextTooLong,
    CreditsExhausted,
    ModelNotFound,
    ModerationRefused,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
)
from fondation.http import CONNECT_SECONDS, RequestTrace
from fondation.messages import Json
from fondation.providers.redaction import Redactor

STALE_SECONDS = 2.0
"""A kept connection that dies later than this after the request was dead of something else."""

# What servers call a failure: OpenRouter's error_type, OpenAI's code and type, Anthropic's type.
_KINDS: dict[str, type[ProviderError]] = {
    **dict.fromkeys(
        ("authentication", "authentication_error", "invalid_api_key", "permission_denied", "permission_error"),
        AuthenticationFailed,
    ),
    **dict.fromkeys(
        ("payment_required", "insufficient_quota", "insufficient_credits", "billing_error"), CreditsExhausted
    ),
    **dict.fromkeys(("rate_limit_exceeded", "rate_limit_error", "resource_exhausted"), RateLimited),
    **dict.fromkeys(
        ("content_policy_violation", "content_filter", "refusal", "responsibleaipolicyviolation"), ModerationRefused
    ),
    **dict.fromkeys(
        (
            "context_length_exceeded",
            "max_tokens_exceeded",
            "token_limit_exceeded",
            "string_too_long",
            "string_above_max_length",
            "payload_too_large",
            "request_too_large",
            "exceed_context_size_error",
        ),
        ContextTooLong,
    ),
    **dict.fromkeys(("not_found", "not_found_error", "model_not_found"), ModelNotFound),
    **dict.fromkeys(
        (
            "provider_overloaded",
            "provider_unavailable",
            "overloaded_error",
            "server",
            "server_error",
            "internal_server_error",
            "api_error",
            "unmapped",
        ),
        ProviderUnavailable,
    ),
    **dict.fromkeys(("timeout", "timeout_error"), ProviderTimeout),
}

_STATUSES: dict[int, type[ProviderError]] = {
    401: AuthenticationFailed,
    402: CreditsExhausted,
    403: AuthenticationFailed,
    404: ModelNotFound,
    408: ProviderTimeout,
    413: ContextTooLong,
    429: RateLimited,
    504: ProviderTimeout,
    524: ProviderTimeout,
}

_TOO_LONG = re.compile(
    r"(?i)context.{0,12}(length|window|size)|maximum context|prompt is too long|too many (input )?tokens"
    r"|token limit|reduce the length|exceeds? .{0,40}(token|context)"
)
_MODERATED = re.compile(r"(?i)moderation|flagged|request blocked|content (policy|filter|management)|safety system")
_UNKNOWN_MODEL = re.compile(r"(?i)not a valid model|model\b.{0,80}(not found|does not exist|not exist)|unknown model")
_DAILY = re.compile(r"(?i)per[- ]day|daily|\bRPD\b|\bTPD\b")
_MODERATION_FACTS = {"reasons", "flagged_input", "patterns"}
_HOPELESS_STATUSES = frozenset({501, 505})


@dataclass(frozen=True, slots=True)
class _Report:
    """What a server wrote about a failure."""

    message: str
    status: int | None
    kinds: tuple[str, ...] = ()
    metadata: Mapping[str, Json] = field(default_factory=dict)
    availability: Mapping[str, Json] = field(default_factory=dict)
    raw: str = ""
    """The words of the provider behind a router."""

    @property
    def words(self) -> str:
        return f"{self.message} {self.raw}"

    @property
    def detail(self) -> str:
        facts = [f"{name} {self.metadata[name]}" for name in _TOLD if self.metadata.get(name)]
        facts += [", ".join(self.kinds)] if self.kinds else []
        facts += [self.raw] if self.raw else []
        return f"{self.message} ({'; '.join(facts)})" if facts else self.message


_TOLD = ("provider_name", "model_slug", "limit_source", "remedy_hint", "reasons", "patterns")
"""The metadata worth a log line; `flagged_input` is what a user wrote, and stays out."""


class Failures:
    """Turns failures of one provider into errors whose text holds no key."""

    def __init__(self, provider: str, redact: Redactor) -> None:
        self._provider = provider
        self._redact = redact

    def of_response(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """For a response that is no success, with as much of its body as was read."""
        if 300 <= status < 400:
            place = headers.get("Location", "another address")
            return self._error(
                ProviderUnavailable,
                f"HTTP {status}: it redirects to {place}, and redirects are not followed: correct base_url",
                retryable=False,
                charged=False,
            )
        report = _read_report(_parse(body), status)
        error = self._classify(report, f"HTTP {status}: ", headers)
        if 400 <= status < 500 and status != 408:
            error.charged = False
        return error

    def of_stream(self, report: Json, *, answered: bool) -> ProviderError:
        """For an error that a server wrote into its stream; `answered`: part of an answer came before it."""
        error = self._classify(_read_report({"error": report}, None), "in the stream: ", {})
        if answered:
            error.charged = None
        return error

    def of_connection(self, failure: BaseException, trace: RequestTrace, seconds: float) -> ProviderError:
        """For a request, sent `seconds` ago, that brought no response at all."""
        charged = None if trace.sent else False
        match failure:
            case aiohttp.ConnectionTimeoutError():
                return self._error(ProviderTimeout, f"no connection within {CONNECT_SECONDS:.0f} s", charged=False)
            case TimeoutError():
                return self._error(ProviderTimeout, f"no response after {seconds:.1f} s", charged=charged)
            case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
                hint = "for a certificate of your own, name its CA in SSL_CERT_FILE"
                return self._error(ProviderUnavailable, f"{_words(failure)}; {hint}", retryable=False, charged=False)
            case aiohttp.ClientHttpProxyError():
                text = f"the proxy answered {failure.status} {failure.message}"
                return self._error(ProviderUnavailable, text, retryable=failure.status >= 500, charged=False)
            case aiohttp.ClientConnectorError():
                return self._error(ProviderUnavailable, _words(failure), charged=False)
            case aiohttp.ClientResponseError():
                return self._error(BadAnswer, f"no HTTP response: {failure.message}", charged=charged)
            case aiohttp.ClientConnectionError() | ConnectionError() if trace.reused and seconds < STALE_SECONDS:
                text = f"a kept connection was dead: {_words(failure)}"
                return self._error(ProviderUnavailable, text, stale_connection=True, charged=False)
            case aiohttp.ClientConnectionError() | ConnectionError():
                return self._error(ProviderUnavailable, _words(failure), charged=charged)
            case _:  # a bad address, an unsupported proxy, a CA file that is not there
                return self._error(ProviderUnavailable, _words(failure), retryable=False, charged=charged)

    def of_broken_answer(self, failure: BaseException) -> ProviderError:
        """For a connection that broke while the answer came."""
        return self._error(ProviderUnavailable, f"the answer was cut off: {_words(failure)}")

    def of_silence(self, seconds: float) -> ProviderError:
        return self._error(ProviderTimeout, f"silent for {seconds:g} s")

    def of_slow_start(self, seconds: float) -> ProviderError:
        return self._error(ProviderTimeout, f"no token after {seconds:g} s")

    def cut(self, text: str) -> ProviderError:
        """For an answer that ends before it is complete."""
        return self._error(ProviderUnavailable, f"the answer was cut off: {text}")

    def bad_answer(self, text: str, *, retryable: bool = False) -> ProviderError:
        return self._error(BadAnswer, text, retryable=retryable)

    def _classify(self, report: _Report, prefix: str, headers: Mapping[str, str]) -> ProviderError:
        kind = _class_of(report)
        retryable = None
        if kind is RateLimited:
            source = str(report.metadata.get("limit_source", ""))
            retryable = not (_DAILY.search(report.words) or "daily" in source)
        elif report.status in _HOPELESS_STATUSES:
            retryable = False
        elif isinstance(report.availability.get("retryable"), bool):
            retryable = report.availability["retryable"]
        return self._error(kind, prefix + report.detail, retryable=retryable, retry_after=_retry_after(report, headers))

    def _error(
        self,
        kind: type[ProviderError],
        text: str,
        *,
        retryable: bool | None = None,
        charged: bool | None = None,
        retry_after: float | None = None,
        stale_connection: bool = False,
    ) -> ProviderError:
        return kind(
            f"{self._provider}: {self._redact(text)}",
            retryable=retryable,
            charged=charged,
            retry_after=retry_after,
            stale_connection=stale_connection,
        )


def _class_of(report: _Report) -> type[ProviderError]:
    if _MODERATION_FACTS & report.metadata.keys():
        return ModerationRefused
    for kind in report.kinds:
        if kind.lower() in _KINDS:
            return _KINDS[kind.lower()]
    if report.status in (None, 400, 413, 422):
        if _TOO_LONG.search(report.words):
            return ContextTooLong
        if _UNKNOWN_MODEL.search(report.words):
            return ModelNotFound
    if report.status in (None, 400, 403, 422) and _MODERATED.search(report.words):
        return ModerationRefused
    if report.status is None:
        return ProviderUnavailable
    return _STATUSES.get(report.status, ProviderUnavailable if report.status >= 500 else ProviderError)


def _parse(body: bytes) -> Json:
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return re.sub(r"(?s)<(script|style).*?</\1>|<[^>]*>", " ", text)  # a page of the CDN in front


def _read_report(body: Json, status: int | None) -> _Report:
    """All shapes: {"error": {...}}, {"error": "text"}, {"message": ...}, {"detail": ...}, or no JSON at all."""
    if isinstance(body, list) and body:
        body = body[0]
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return _Report(_line(error) or "no explanation", status)
    metadata = _map(error.get("metadata"))
    code = error.get("code", error.get("http_status"))
    if isinstance(code, str) and code.isdecimal():
        code = int(code)
    is_status = isinstance(code, int) and 400 <= code < 600
    raw = metadata.get("raw")
    raw_report = _read_report(_parse_raw(raw), None) if raw else None
    named = (metadata.get("error_type"), error.get("error_type"), code, error.get("type"), error.get("status"))
    kinds = tuple(dict.fromkeys(kind for kind in named if isinstance(kind, str) and kind))
    return _Report(
        message=_line(error.get("message") or error.get("detail") or error.get("error")) or "no explanation",
        status=code if status is None and is_status else status,
        kinds=kinds + (raw_report.kinds if raw_report else ()),
        metadata=metadata,
        availability=_map(error.get("availability")),
        raw=raw_report.message if raw_report else "",
    )


def _parse_raw(raw: Json) -> Json:
    return _parse(raw.encode("utf-8", "replace")) if isinstance(raw, str) else raw


def _line(value: Json) -> str:
    text = value if isinstance(value, str) else json.dumps(value) if value else ""
    return " ".join(text.split())


def _map(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _retry_after(report: _Report, headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from whichever place the server chose to say it."""
    told = {name.lower(): value for name, value in _map(report.metadata.get("headers")).items()}
    told.update((name.lower(), value) for name, value in headers.items())
    milliseconds = _number(told.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    for value in (told.get("retry-after"), report.availability.get("retry_after")):
        seconds = _seconds(value)
        if seconds is not None:
            return seconds
    reset = _number(told.get("x-ratelimit-reset"))
    if reset is None or report.status != 429 or reset < 1e9:
        return None
    return max(0.0, (reset / 1000 if reset > 1e11 else reset) - time.time())


def _seconds(value: Json) -> float | None:
    """Of a number, or of a date as in HTTP."""
    number = _number(value)
    if number is not None or not isinstance(value, str):
        return number
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _number(value: Json) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number < 1e15 else None


def _words(failure: BaseException) -> str:
    return f"{type(failure).__name__}: {failure}"
