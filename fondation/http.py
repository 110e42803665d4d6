"""The one client session that every model call of this process goes through."""

from __future__ import annotations

import aiohttp

KEEPALIVE_SECONDS = 60.0
CONNECT_SECONDS = 10.0
READ_BUFFER = 64 * 1024
"""Bytes of an answer that wait for a slow reader before the upstream socket is paused."""


class HttpClient:
    """Opens its session on first use and inside the running loop; `close` ends it.

    No cap on connections: aiohttp's default of 100 would let the 101st stream wait in silence. Proxies come
    from the
    environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), certificates from the system or SSL_CERT_FILE.
    """

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0, limit_per_host=0, keepalive_timeout=KEEPALIVE_SECONDS, ttl_dns_cache=300
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                read_bufsize=READ_BUFFER,
                trust_env=True,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=True,
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
