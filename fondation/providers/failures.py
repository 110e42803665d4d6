"""What went wrong upstream, as one of the `ProviderError`s: from a refusal, from an error inside a stream, or from a
connection that failed."""

from __future__ import annotations

import re
from collections.abc import Mapping

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
from fondation.providers.reports import Report, parse_body, read_report, read_retry_after

STALE_SECONDS = 0.5
"""A kept connection that dies later than this after the request was not dead when it was used."""

_NAMES: dict[type[ProviderError], str] = {
    AuthenticationFailed: "authentication authentication_error invalid_api_key permission_denied permission_error",
    CreditsExhausted: "payment_required insufficient_quota insufficient_credits billing_error",
    RateLimited: "rate_limit_exceeded rate_limit_error resource_exhausted",
    ModerationRefused: "content_policy_violation content_filter refusal",
    ContextTooLong: "context_length_exceeded max_tokens_exceeded token_limit_exceeded string_too_long"
    " payload_too_large request_too_large exceed_context_size_error",
    ModelNotFound: "not_found not_found_error model_not_found",
    ProviderUnavailable: "provider_overloaded provider_unavailable overloaded_error server server_error"
    " internal_server_error api_error unmapped",
    ProviderTimeout: "timeout timeout_error",
}
"""What OpenRouter, OpenAI, Anthropic and llama.cpp call each failure."""

_KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}

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

_PHRASES: tuple[tuple[re.Pattern[str], type[ProviderError]], ...] = (
    (re.compile(r"(?i)(invalid|incorrect) api key|api key (is )?(not valid|invalid)"), AuthenticationFailed),
    (
        re.compile(
            r"(?i)context.{0,12}(length|window|size)|maximum context|prompt is too long|too many (input )?tokens"
            r"|token limit|reduce the length"
        ),
        ContextTooLong,
    ),
    (
        re.compile(r"(?i)not a valid model|unknown model|model\b.{0,80}(not found|does not exist)"),
        ModelNotFound,
    ),
    (
        re.compile(r"(?i)moderation|flagged|request blocked|content (policy|filter|management)|safety system"),
        ModerationRefused,
    ),
)
"""For servers that give a bare 400 and a sentence."""

_MODERATION_FACTS = {"reasons", "flagged_input", "patterns"}
_DAILY = re.compile(r"(?i)per[- ]day|daily|\bRPD\b|\bTPD\b")
_HOPELESS_STATUSES = frozenset({501, 505})


GAVE_UP_WAITING = (408, 504, 524)
"""Statuses of a server that no longer waits for another: that one may have answered, and billed it."""


class Failures:
    """Makes the errors of one provider; their text never holds a key."""

    def __init__(self, provider: str, redact: Redactor) -> None:
        self._provider = provider
        self._redact = redact

    def make(
        self,
        kind: type[ProviderError],
        text: str,
        *,
        retryable: bool | None = None,
        charged: bool | None = None,
        retry_after: float | None = None,
        stale_connection: bool = False,
    ) -> ProviderError:
        """An error of this provider; None leaves what its class says."""
        return kind(
            f"{self._provider}: {self._redact(text)}",
            retryable=retryable,
            charged=charged,
            retry_after=retry_after,
            stale_connection=stale_connection,
        )

    def of_response(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """For a response that is no success, with as much of its body as was read."""
        if 300 <= status < 400:
            place = headers.get("Location", "another address")
            return self.make(
                ProviderUnavailable,
                f"HTTP {status}: it redirects to {place}, and redirects are not followed: correct base_url",
                retryable=False,
                charged=False,
            )
        value = parse_body(body)
        is_strange = status in (404, 405) and not isinstance(value, dict)
        place = f"HTTP {status}, no chat-completions server there, check base_url" if is_strange else f"HTTP {status}"
        error = self._classify(read_report(value, status), place, headers)
        if status not in GAVE_UP_WAITING:
            error.charged = False
        return error

    def of_stream(self, error: Json, *, answered: bool) -> ProviderError:
        """For an error that a server wrote into its stream; `answered`: part of an answer came before it."""
        failure = self._classify(read_report({"error": error}, None), "in the stream", {})
        if answered:
            failure.charged = None
        return failure

    def of_request(self, failure: BaseException, trace: RequestTrace, seconds: float) -> ProviderError:
        """For a request, begun `seconds` ago, that brought no response at all."""
        charged = None if trace.sent else False
        words = _words(failure)
        match failure:
            case aiohttp.ConnectionTimeoutError():
                return self.make(ProviderTimeout, f"no connection in {CONNECT_SECONDS:g} s", charged=False)
            case TimeoutError():
                return self.make(ProviderTimeout, f"no response in {seconds:.1f} s", charged=charged)
            case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
                hint = "for a certificate of your own, name its CA in SSL_CERT_FILE"
                return self.make(ProviderUnavailable, f"{words}; {hint}", retryable=False, charged=False)
            case aiohttp.ClientConnectorError():
                reason = "the network" if isinstance(failure, aiohttp.ClientConnectorDNSError) else "that it runs"
                return self.make(ProviderUnavailable, f"{words}; check base_url, and {reason}", charged=False)
            case aiohttp.ClientHttpProxyError(status=status):
                retryable = status >= 500
                text = f"the proxy answered {status} {failure.message}"
                return self.make(ProviderUnavailable, text, retryable=retryable, charged=False)
            case aiohttp.ClientResponseError():
                return self.make(BadAnswer, f"no HTTP response: {failure.message}", charged=charged)
            case aiohttp.ClientConnectionError() | ConnectionError() if trace.reused and seconds < STALE_SECONDS:
                text = f"a kept connection was dead: {words}"
                return self.make(ProviderUnavailable, text, stale_connection=True, charged=False)
            case aiohttp.ClientConnectionError() | ConnectionError():
                return self.make(ProviderUnavailable, words, charged=charged)
            case _:  # a bad address, a proxy that is not supported, a CA file that is not there
                return self.make(ProviderUnavailable, words, retryable=False, charged=charged)

    def of_broken_answer(self, failure: BaseException) -> ProviderError:
        """For a connection that broke while the answer came."""
        return self.make(ProviderUnavailable, f"the answer was cut off: {_words(failure)}")

    def _classify(self, report: Report, place: str, headers: Mapping[str, str]) -> ProviderError:
        kind = _kind_of(report)
        retryable: bool | None = None
        if isinstance(report.availability.get("retryable"), bool):
            retryable = report.availability["retryable"]
        elif kind is RateLimited:
            source = str(report.metadata.get("limit_source", ""))
            retryable = not _DAILY.search(f"{report.words} {source.replace('_', ' ')}")
        elif report.status in _HOPELESS_STATUSES:
            retryable = False
        return self.make(
            kind,
            f"{place}: {report.detail}",
            retryable=retryable,
            retry_after=read_retry_after(report, headers),
        )


def _kind_of(report: Report) -> type[ProviderError]:
    if _MODERATION_FACTS & report.metadata.keys():
        return ModerationRefused
    for name in report.kinds:
        if name.lower() in _KINDS:
            return _KINDS[name.lower()]
    if report.status in (None, 400, 403, 413, 422):
        for phrase, kind in _PHRASES:
            if phrase.search(report.words):
                return kind
    if report.status is None or report.status >= 500:
        return _STATUSES.get(report.status or 500, ProviderUnavailable)
    return _STATUSES.get(report.status, ProviderError)


def _words(failure: BaseException) -> str:
    return f"{type(failure).__name__}: {failure}" if str(failure) else type(failure).__name__
