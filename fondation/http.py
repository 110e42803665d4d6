"""The one client session that every model call of this process goes through: no cap on connections, the
environment's proxies and certificates, no redirects. And requests to another process of this machine."""

from __future__ import annotations

import contextlib
import io
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies, proxy_bypass
from weakref import WeakSet

import aiohttp
from yarl import URL

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

KEEPALIVE_SECONDS = 60.0
CONNECT_SECONDS = 10.0
READ_BUFFER = 64 * 1024
"""Bytes of an answer that wait for a slow reader before the upstream socket is paused."""
LARGE_BODY = 512 * 1024
"""Bytes. A larger body is written in slices, so that other streams go on meanwhile."""

CA_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


@dataclass(slots=True)
class RequestTrace:
    """What is known of a request on its way, also where no response comes of it."""

    reused: bool = False
    """It went out on a kept connection."""
    sent: bool = False
    """It has its connection, and is written: the server may have it."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response that was read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


_trace: ContextVar[RequestTrace | None] = ContextVar("trace of the request under way", default=None)


class _Connector(aiohttp.TCPConnector):
    """Tells a request's trace which connection it got; aiohttp's own tracing costs a sixth of a short request."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._used: WeakSet[object] = WeakSet()

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout) -> Connection:
        connection = await super().connect(req, traces, timeout)
        trace = _trace.get()
        if trace is not None:
            trace.reused, trace.sent = connection.protocol in self._used, True
        self._used.add(connection.protocol)
        return connection


class HttpClient:
    """Opens its session on first use and inside the running loop; `close` ends it.

    Proxies come from the environment (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY), certificates from the
    system, or from SSL_CERT_FILE and SSL_CERT_DIR; those of REQUESTS_CA_BUNDLE are trusted besides.
    """

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._proxies: dict[URL, URL | None] = {}
        self._timeouts: dict[float, aiohttp.ClientTimeout] = {}

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                # aiohttp's default limit of 100 would let the 101st stream wait in silence
                connector=_Connector(
                    limit=0,
                    limit_per_host=0,
                    keepalive_timeout=KEEPALIVE_SECONDS,
                    ttl_dns_cache=300,
                    ssl=_own_certificates() or True,
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                read_bufsize=READ_BUFFER,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def post(
        self, url: URL, headers: Mapping[str, str], body: bytes, *, silence: float, trace: RequestTrace
    ) -> aiohttp.ClientResponse:
        """Send `body` and wait for the response's headers; its content is still to be read.

        `silence` is the longest pause of the server, in seconds, while it answers. A redirect is not followed.
        Raises aiohttp.ClientError, TimeoutError, OSError or ValueError.
        """
        _trace.set(trace)
        return await self.session.post(
            url,
            data=body if len(body) <= LARGE_BODY else io.BytesIO(body),
            headers=headers,
            proxy=self.proxy_for(url),
            allow_redirects=False,
            timeout=self._timeout(silence),
        )

    async def get(self, url: URL, headers: Mapping[str, str], *, seconds: float, most: int) -> Response:
        """A small document, read whole within `seconds`. A redirect is not followed.

        Raises aiohttp.ClientError, TimeoutError, OSError or ValueError, also for one of more than `most` bytes.
        """
        async with self.session.get(
            url,
            headers=headers,
            proxy=self.proxy_for(url.origin()),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=seconds),
        ) as response:
            body = bytearray()
            while data := await response.content.readany():
                body += data
                if len(body) > most:
                    raise ValueError(f"an answer of more than {most:,} bytes")
            return Response(response.status, response.headers, bytes(body))

    def proxy_for(self, url: URL) -> URL | None:
        """The proxy that the environment names for `url`; looked up once.

        aiohttp's own `trust_env` asks two threads for every request, and reads .netrc.
        """
        if url not in self._proxies:
            self._proxies[url] = _environment_proxy(url.origin())
        return self._proxies[url]

    def _timeout(self, silence: float) -> aiohttp.ClientTimeout:
        # not `connect`: that one is a timer for every request, also on a kept connection
        if silence not in self._timeouts:
            self._timeouts[silence] = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=silence)
        return self._timeouts[silence]

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


@contextlib.asynccontextmanager
async def request_over(
    socket: str, method: str, path: str, headers: Mapping[str, str], body: bytes, *, silence: float | None
) -> AsyncIterator[aiohttp.ClientResponse]:
    """One request over a Unix socket, whose connection ends with the block; `path` is percent-encoded.

    `silence` is the longest pause in the answer, in seconds; None is for ever. Raises aiohttp.ClientConnectorError
    where nobody listens, else aiohttp.ClientError, TimeoutError or OSError.
    """
    async with (
        aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(socket),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=silence),
            read_bufsize=READ_BUFFER,
            cookie_jar=aiohttp.DummyCookieJar(),
        ) as session,
        session.request(
            method,
            URL(f"http://localhost{path}", encoded=True),
            data=body,
            headers=headers,
            skip_auto_headers=("Accept-Encoding", "User-Agent"),
            allow_redirects=False,
        ) as answer,
    ):
        yield answer


def _environment_proxy(origin: URL) -> URL | None:
    if proxy_bypass(origin.host or ""):
        return None
    proxies = getproxies()
    address = proxies.get(origin.scheme) or proxies.get("all")
    if not address:
        return None
    proxy = URL(address if "://" in address else f"http://{address}")
    if proxy.scheme not in ("http", "https"):
        raise ValueError(
            f"the proxy {proxy.scheme}://{proxy.host} of the environment is not supported: use an http:// proxy, "
            f"or add {origin.host} to NO_PROXY"
        )
    return proxy


def _own_certificates() -> ssl.SSLContext | None:
    """A context that trusts the certificates the environment names; None where it names none.

    aiohttp's own context is made when it is imported, before a .env file is read.
    """
    named = {name: os.environ[name] for name in CA_VARIABLES if os.environ.get(name)}
    if not named:
        return None
    for name, path in named.items():
        if not os.access(path, os.R_OK):
            raise OSError(f'{name} names "{path}", which cannot be read')
    context = ssl.create_default_context()
    bundle = named.pop("REQUESTS_CA_BUNDLE", None)
    if bundle is not None and bundle not in named.values():
        is_folder = os.path.isdir(bundle)
        context.load_verify_locations(cafile=None if is_folder else bundle, capath=bundle if is_folder else None)
    context.set_alpn_protocols(("http/1.1",))
    return context
