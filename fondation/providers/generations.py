"""OpenRouter's receipts: its generation endpoint says what a call cost, some time after the call has ended."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from fondation import __version__
from fondation.errors import BadAnswer, ProviderError
from fondation.http import HttpClient, RequestTrace, Response
from fondation.messages import Json
from fondation.providers.answer import FINISH_REASONS
from fondation.providers.base import Receipt
from fondation.providers.failures import Failures
from fondation.providers.redaction import Redactor
from fondation.providers.token_usage import read_dollars, read_usage
from fondation.providers.untyped import map_of, text_of

SECONDS = 10.0
"""The longest that one question may take."""
LARGEST = 1024 * 1024
"""Bytes of an answer."""


@dataclass(frozen=True)
class Generations:
    """The `Receipts` of one account: the calls made with its key."""

    http: HttpClient
    base_url: str
    key: str | None = field(repr=False)

    async def find(self, generation_id: str) -> Receipt | None:
        response = await self._ask(generation_id)
        if response.status == 404:
            return None
        failures = self._failures
        if response.status != 200:
            raise failures.of_response(response.status, response.headers, response.body)
        try:
            return read_receipt(json.loads(response.body))
        except (ValueError, RecursionError):
            raise failures.make(BadAnswer, "a receipt that is no JSON: check base_url") from None

    async def _ask(self, generation_id: str) -> Response:
        headers = {"Accept": "application/json", "User-Agent": f"fondation/{__version__}"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        try:
            return await self.http.get(self._address(generation_id), headers, seconds=SECONDS, most=LARGEST)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._failure(error) from None

    def _address(self, generation_id: str) -> URL:
        """Beside the address of calls, which may be written in full."""
        url = URL(self.base_url)
        path = url.path.rstrip("/").removesuffix("/chat/completions")
        return url.with_path(f"{path}/generation").with_query({**url.query, "id": generation_id})

    def _failure(self, error: BaseException) -> ProviderError:
        return self._failures.of_request(error, RequestTrace(), SECONDS)

    @property
    def _failures(self) -> Failures:
        return Failures("openrouter", Redactor(self.key))


def read_receipt(body: Json) -> Receipt | None:
    """A generation as a receipt; None where it does not say yet what was charged.

    Tokens are the model's own count, as in an answer, where that is told.
    """
    told = map_of(map_of(body).get("data"))
    if read_dollars(told.get("total_cost")) is None:
        return None
    usage = read_usage(
        {
            "prompt_tokens": _native(told.get("native_tokens_prompt"), told.get("tokens_prompt")),
            "completion_tokens": _native(told.get("native_tokens_completion"), told.get("tokens_completion")),
            "prompt_tokens_details": {"cached_tokens": told.get("native_tokens_cached")},
            "completion_tokens_details": {"reasoning_tokens": told.get("native_tokens_reasoning")},
            "cost": told.get("total_cost"),
            "cost_details": {"upstream_inference_cost": told.get("upstream_inference_cost")},
            "is_byok": told.get("is_byok"),
        }
    )
    assert usage is not None
    reason = FINISH_REASONS.get(text_of(told.get("finish_reason")))
    return Receipt(usage, text_of(told.get("model")) or None, reason)


def _native(native: Json, normalized: Json) -> Json:
    return normalized if native is None else native
