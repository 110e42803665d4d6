"""OpenAI, and any server that speaks its chat-completions protocol."""

from __future__ import annotations

from collections.abc import Mapping

from yarl import URL

from fondation import __version__
from fondation.calls import ModelCall
from fondation.errors import BadAnswer
from fondation.http import HttpClient
from fondation.messages import Json
from fondation.providers.answer import Answer
from fondation.providers.base import Accepted, ModelRequest, Pieces, Receipts
from fondation.providers.exchange import Endpoint, open_exchange
from fondation.providers.failures import Failures
from fondation.providers.redaction import Redactor
from fondation.providers.request_body import call_ids, encode_body

PATH = "/chat/completions"


class OpenAIProvider:
    """One model at a chat-completions server."""

    name = "openai"
    default_base_url = "https://api.openai.com/v1"
    sends_reasoning_back = False
    names_generations = False
    receipts: Receipts | None = None

    def __init__(self, model: str, http: HttpClient, *, key: str | None, base_url: str | None, timeout: float) -> None:
        """`timeout`: the longest silence of the server, in seconds."""
        key = key.strip() if key else None
        self._model = model
        self._failures = Failures(self.name, Redactor(key))
        headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream, application/json",
            "Accept-Encoding": "identity",  # a compressed stream comes late
            "User-Agent": f"fondation/{__version__}",
            **self.own_headers(),
        }
        if key:
            headers["Authorization"] = f"Bearer {key}"
        url = _address(base_url or self.default_base_url)
        self._endpoint = Endpoint(http, url, headers, timeout, self._failures, self.names_generations)

    def own_headers(self) -> Mapping[str, str]:
        """Headers of this provider, the same for every call."""
        return {}

    def own_fields(self, request: ModelRequest) -> Mapping[str, Json]:
        """Body fields of this provider. api.openai.com refuses every field that it does not know."""
        return {"stream_options": {"include_usage": True}}

    async def stream(self, request: ModelRequest, call: ModelCall) -> Pieces:
        """Send the call when the first batch is asked for; one batch for each read of the answer."""
        body = encode_body(request, self._model, self.own_fields(request), with_reasoning=self.sends_reasoning_back)
        exchange = await open_exchange(self._endpoint, body, call)
        try:
            if exchange.content_type == "text/html":
                raise self._failures.make(BadAnswer, "a web page instead of an answer: check base_url")
            answer = Answer(
                call,
                self._failures,
                is_document=exchange.content_type == "application/json",
                billed=exchange.billed,
                taken_ids=call_ids(request.messages),
            )
            accepted = call.generation_id is not None
            if accepted:
                yield [Accepted()]
            while not answer.over:
                pieces = answer.feed(await (exchange.linger() if answer.failure else exchange.read()))
                if pieces:
                    if not accepted:
                        accepted = True
                        pieces.insert(0, Accepted())
                    yield pieces
            if answer.failure is not None:
                raise answer.failure
            await exchange.drain()
        finally:
            exchange.close()


def _address(base_url: str) -> URL:
    """Where calls go: also for an address that is written in full, or that ends in a query as Azure's does."""
    url = URL(base_url)
    return url.with_path(url.path.rstrip("/").removesuffix(PATH) + PATH).with_query(url.query)
