from __future__ import annotations

import json
import time
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

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
from fondation.http import RequestTrace
from fondation.providers.failures import Failures
from fondation.providers.redaction import Redactor
from tests.providers.canned import KEY, ask_canned

FAILURES = Failures("openrouter", Redactor(KEY))
RETURNED = "Provider returned error"
NOW = 1_800_000_000.0


def refused(status: int, body: Any, headers: dict[str, str] | None = None) -> ProviderError:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return FAILURES.of_response(status, headers or {}, data)


def error(message: str, code: Any = None, **rest: Any) -> dict[str, Any]:
    return {"error": {"message": message, **({} if code is None else {"code": code}), **rest}}


REFUSALS: list[tuple[int, Any, type[ProviderError]]] = [
    (400, error("acme/x is not a valid model ID", 400), ModelNotFound),
    (401, error("Missing Authentication header", 401), AuthenticationFailed),
    (401, error("No cookie auth credentials found", 401), AuthenticationFailed),
    (401, error("User not found.", 401), AuthenticationFailed),
    (402, error("Insufficient credits. Add more using https://openrouter.ai/credits", 402), CreditsExhausted),
    (
        402,
        error("This request requires more credits, or fewer max_tokens.", 402, metadata={"provider_name": None}),
        CreditsExhausted,
    ),
    (403, error("Flagged", 403, metadata={"reasons": ["x"], "flagged_input": "y"}), ModerationRefused),
    (403, error("Request blocked: prompt injection", 403, metadata={"patterns": ["p"]}), ModerationRefused),
    (403, error("Key limit exceeded", 403), AuthenticationFailed),
    (403, error("no", metadata={"error_type": "content_policy_violation"}), ModerationRefused),
    (404, {**error("No endpoints found for google/x:free.", 404), "user_id": "user_1"}, ModelNotFound),
    (408, error("Operation timed out. Please try again later.", 408), ProviderTimeout),
    (413, error("Request payload too large", 413), ContextTooLong),
    (422, error("Invalid argument", 422), ProviderError),
    (429, error("Rate limit exceeded: free-models-per-day.", 429), RateLimited),
    (429, error(RETURNED, 429, metadata={"raw": "x is temporarily rate-limited upstream."}), RateLimited),
    (500, error("Internal Server Error", 500, metadata={"error_type": "server"}), ProviderUnavailable),
    (502, error(RETURNED, 502), ProviderUnavailable),
    (503, error("Service temporarily unavailable", 503), ProviderUnavailable),
    (504, error("gateway", 504), ProviderTimeout),
    (524, error("Request timed out", 524), ProviderTimeout),
    (529, error("Provider overloaded", 529), ProviderUnavailable),
    (400, error(RETURNED, 400, metadata={"raw": '{"error":{"message":"prompt is too long: 9 > 8"}}'}), ContextTooLong),
    (
        400,
        error(RETURNED, 400, metadata={"raw": '{"type":"error","error":{"type":"overloaded_error","message":"x"}}'}),
        ProviderUnavailable,
    ),
    (400, error("x", 400, metadata={"error_type": "context_length_exceeded"}), ContextTooLong),
    (400, error("x", error_type="token_limit_exceeded", http_status=400), ContextTooLong),
    (503, error("x", availability={"code": "no_endpoints", "retryable": True}), ProviderUnavailable),
    # OpenAI, Azure, Anthropic, Google, llama.cpp, vLLM
    (401, error("Incorrect API key provided", "invalid_api_key", type="invalid_request_error"), AuthenticationFailed),
    (404, error("The model does not exist", "model_not_found", type="invalid_request_error"), ModelNotFound),
    (429, error("You exceeded your current quota", "insufficient_quota", type="insufficient_quota"), CreditsExhausted),
    (429, error("Rate limit reached", "rate_limit_exceeded", type="tokens"), RateLimited),
    (
        400,
        error("This model's maximum context length is 8192 tokens.", "context_length_exceeded", param="messages"),
        ContextTooLong,
    ),
    (400, error("Unrecognized request argument supplied: usage", None, type="invalid_request_error"), ProviderError),
    (400, error("The response was filtered", "content_filter", status=400), ModerationRefused),
    (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, ProviderUnavailable),
    (
        400,
        [error("API key not valid. Please pass a valid API key.", 400, status="INVALID_ARGUMENT")],
        AuthenticationFailed,
    ),
    (
        400,
        error("the request exceeds the available context size", 400, type="exceed_context_size_error"),
        ContextTooLong,
    ),
    (404, {"object": "error", "message": "The model `x` does not exist.", "code": 404}, ModelNotFound),
    (422, {"detail": [{"loc": ["body", "messages"], "msg": "field required"}]}, ProviderError),
    (400, error(RETURNED, "400"), ProviderError),
    (400, error(RETURNED, "4" * 5000), ProviderError),
    # not even JSON
    (
        502,
        b"<html><head><title>502</title><style>x{}</style></head><body>Bad gateway</body></html>",
        ProviderUnavailable,
    ),
    (404, b"404 page not found", ModelNotFound),
    (500, b"", ProviderUnavailable),
    (418, b"\xff\xfe", ProviderError),
    (400, {"error": None}, ProviderError),
    (400, {"error": "context window exceeded"}, ContextTooLong),
]


@pytest.mark.parametrize(("status", "body", "kind"), REFUSALS, ids=[f"{s} {str(b)[:60]}" for s, b, _ in REFUSALS])
def test_refusals(status: int, body: Any, kind: type[ProviderError]) -> None:
    failure = refused(status, body)
    assert type(failure) is kind
    assert failure.charged is (None if status in (408, 504, 524) else False)
    assert f"HTTP {status}" in str(failure)
    assert "<" not in str(failure)


@pytest.mark.parametrize("markup", [b"<", b"<script ", b"<script></script ", b"</script"])
def test_broken_markup_is_read_once(markup: bytes) -> None:
    began = time.process_time()
    refused(502, markup * (64_000 // len(markup)))
    assert time.process_time() - began < 2


def test_a_script_that_is_cut_off_is_no_explanation() -> None:
    assert str(refused(502, b"<p>Bad gateway</p><script>track()")).endswith("HTTP 502: Bad gateway")


def test_an_explanation_without_end_is_cut() -> None:
    assert len(str(refused(500, error("x" * 1_000_000, 500)))) < 1000


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 524, 529])
def test_what_may_be_tried_again(status: int) -> None:
    assert refused(status, error("x", status)).retryable


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 501])
def test_what_is_of_no_use_to_try_again(status: int) -> None:
    assert not refused(status, error("x", status)).retryable


@pytest.mark.parametrize(
    "body",
    [
        error("Rate limit exceeded: free-models-per-day. Add 10 credits", 429),
        error("Rate limit exceeded", 429, metadata={"limit_source": "openrouter_free_tier_daily"}),
        error("Rate limit reached for x on requests per day (RPD)", "rate_limit_exceeded"),
    ],
)
def test_a_daily_quota_is_not_tried_again(body: Any) -> None:
    failure = refused(429, body)
    assert type(failure) is RateLimited
    assert not failure.retryable


def test_the_server_may_say_whether_to_try_again() -> None:
    assert not refused(503, error("x", availability={"retryable": False})).retryable
    assert refused(404, error("x", availability={"retryable": True})).retryable


def soon(seconds: float) -> str:
    return str(int((NOW + seconds) * 1000))


@pytest.mark.parametrize(
    ("headers", "rest", "seconds"),
    [
        ({"Retry-After": "7"}, {}, 7),
        ({"retry-after": "0.5"}, {}, 0.5),
        ({"Retry-After": formatdate(NOW + 30, usegmt=True)}, {}, 30),
        ({"retry-after-ms": "1500", "Retry-After": "2"}, {}, 1.5),
        ({}, {"metadata": {"headers": {"Retry-After": "9"}}}, 9),
        ({}, {"metadata": {"headers": {"X-RateLimit-Reset": soon(40)}}}, 40),
        ({"X-RateLimit-Reset": str(int(NOW) + 40)}, {}, 40),
        ({}, {"availability": {"retry_after": 3}}, 3),
        ({"X-RateLimit-Reset": "60"}, {}, None),
        ({"Retry-After": "soon"}, {}, None),
        ({"Retry-After": "-1"}, {}, None),
        ({"Retry-After": "Sat, 01 Jan 99999999999 00:00:00 GMT"}, {}, None),
        ({}, {"availability": {"retry_after": 10**400}}, None),
        ({}, {}, None),
    ],
)
def test_the_time_to_wait(
    headers: dict[str, str], rest: Any, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW)
    told = refused(429, error("slow down", 429, **rest), headers).retry_after
    assert told == (None if seconds is None else pytest.approx(seconds))


async def test_a_refusal_reaches_the_caller_with_its_headers() -> None:
    body = json.dumps(error("slow down", 429)).encode()
    outcome = await ask_canned(
        body,
        status=429,
        content_type="application/json",
        headers={"Retry-After": "3", "X-Generation-Id": "gen-9"},
    )
    assert type(outcome.error) is RateLimited
    assert outcome.error.retry_after == 3
    assert outcome.call.generation_id == "gen-9"
    assert outcome.pieces == []


def test_the_log_line_tells_who_refused_and_why() -> None:
    text = str(
        refused(
            400,
            error(
                RETURNED,
                400,
                metadata={
                    "provider_name": "Acme",
                    "raw": '{"error":{"message":"bad temperature","type":"bad_request"}}',
                    "flagged_input": "my private words",
                },
            ),
        )
    )
    for word in ("openrouter", "HTTP 400", RETURNED, "Acme", "bad temperature", "bad_request"):
        assert word in text
    assert "private" not in text


def test_a_server_that_is_none_is_a_matter_of_base_url() -> None:
    assert "check base_url" in str(refused(404, b"404 page not found"))
    assert "check base_url" not in str(refused(404, error("No endpoints found", 404)))


@pytest.mark.parametrize("body", [error(f"Key {KEY} is bad", 401), f"bad key {KEY}".encode()])
def test_no_key_reaches_the_log(body: Any) -> None:
    assert KEY not in str(refused(401, body))
    assert KEY not in repr(refused(401, body))


def request_failure(
    failure: BaseException, *, sent: bool = True, reused: bool = False, after: float = 0.1
) -> ProviderError:
    return FAILURES.of_request(failure, RequestTrace(reused=reused, sent=sent), after)


@pytest.mark.parametrize(
    ("failure", "kind", "retryable"),
    [
        (aiohttp.ConnectionTimeoutError(), ProviderTimeout, True),
        (aiohttp.SocketTimeoutError(), ProviderTimeout, True),
        (TimeoutError(), ProviderTimeout, True),
        (aiohttp.ServerDisconnectedError(), ProviderUnavailable, True),
        (aiohttp.ClientOSError(104, "reset"), ProviderUnavailable, True),
        (ConnectionResetError(), ProviderUnavailable, True),
        (aiohttp.ClientPayloadError(), ProviderUnavailable, False),
        (aiohttp.InvalidURL("http://"), ProviderUnavailable, False),
        (ValueError("bad proxy"), ProviderUnavailable, False),
        (OSError("SSL_CERT_FILE names"), ProviderUnavailable, False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_requests_without_a_response(failure: Exception, kind: type[ProviderError], retryable: bool) -> None:
    made = request_failure(failure)
    assert type(made) is kind
    assert made.retryable is retryable
    assert not made.stale_connection
    assert request_failure(failure, sent=False).charged is False


@pytest.mark.parametrize(
    ("kind", "advice"),
    [(aiohttp.ClientConnectorError, "that it runs"), (aiohttp.ClientConnectorDNSError, "the network")],
)
def test_who_finds_no_server_is_told_where_to_look(kind: type[aiohttp.ClientConnectorError], advice: str) -> None:
    place: Any = SimpleNamespace(host="models.test", port=443, ssl=True)
    made = request_failure(kind(place, OSError(111, "refused")), sent=False)
    assert "models.test:443" in str(made)
    assert str(made).endswith(f"; check base_url, and {advice}")


def test_only_a_kept_connection_can_be_stale() -> None:
    for failure in (aiohttp.ServerDisconnectedError(), aiohttp.ClientOSError(104, "x"), ConnectionResetError()):
        stale = request_failure(failure, reused=True)
        assert stale.stale_connection
        assert stale.charged is False
        assert not request_failure(failure).stale_connection
        assert request_failure(failure).charged is None
        late = request_failure(failure, reused=True, after=1)
        assert (late.stale_connection, late.charged) == (False, None), "it may have been at work"
    assert not request_failure(TimeoutError(), reused=True).stale_connection


def test_inside_a_stream_the_code_is_the_status() -> None:
    assert type(FAILURES.of_stream({"code": 402, "message": "x"}, answered=False)) is CreditsExhausted
    assert type(FAILURES.of_stream({"code": "context_length_exceeded"}, answered=False)) is ContextTooLong
    assert type(FAILURES.of_stream({"message": "flagged by moderation"}, answered=False)) is ModerationRefused
    assert type(FAILURES.of_stream(None, answered=False)) is ProviderUnavailable


def test_after_part_of_an_answer_nobody_knows_what_was_charged() -> None:
    assert FAILURES.of_stream({"code": 429}, answered=False).charged is False
    assert FAILURES.of_stream({"code": 429}, answered=True).charged is None


def test_bad_answers_are_made_with_the_provider_s_name() -> None:
    assert str(FAILURES.make(BadAnswer, f"x {KEY}")) == "openrouter: x [hidden]"


def test_a_quota_that_is_used_up_does_not_ask_to_try_in_a_moment() -> None:
    assert "in a moment" in RateLimited("429").sentence
    assert "in a moment" not in RateLimited("429: free-models-per-day", retryable=False).sentence
