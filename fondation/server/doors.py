"""Who may come in: the Host of a request must be ours, its Origin allowed, and a user's name vouched for.

The port spends money. A page on any other site could reach a server on the same machine through the visitor's browser:
by a plain cross-site POST (its Origin tells), or by a name of its own that resolves to 127.0.0.1 (its Host tells).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import TypeAlias
from urllib.parse import urlsplit

from aiohttp import web

from fondation.addresses import is_loopback
from fondation.config import Server
from fondation.errors import RequestError

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

ALLOWED_HEADERS = "content-type, x-session-id, x-user-id, authorization"
EXPOSED_HEADERS = "x-session-id, x-run-id"

_PASSED_ON = re.compile(
    r"forwarded|via|x-(real|client|cluster-client)-ip|x-(original-)?forwarded-.*|x-envoy-.*"
    r"|(true-client|cf-connecting|fastly-client|fly-client)-ip|cf-ray|x-amzn-trace-id"
)
"""The headers by which a proxy shows that it brings the request of somebody else."""


class Doors:
    """The checks that one server's settings ask for."""

    def __init__(self, server: Server) -> None:
        self._host = server.host.lower()
        self._origins = frozenset(origin.lower().rstrip("/") for origin in server.cors.origins)
        self._page_hosts = frozenset(urlsplit(origin).hostname or "" for origin in self._origins)
        self._proxies = [ipaddress.ip_network(proxy, strict=False) for proxy in server.proxies]

    def check(self, request: web.Request) -> None:
        """Raises `RequestError` (403) for a foreign Host or Origin."""
        if not self._is_ours(request):
            raise RequestError(
                403,
                f"The host {_host_name(request)!r} is not this server's; use localhost or 127.0.0.1, or name it in "
                "server.host, its pages in server.cors.origins, or the proxy before it in server.proxies",
            )
        origin = request.headers.get("Origin")
        if origin is not None and self.allowed_origin(request) is None and not _same_origin(origin, request):
            raise RequestError(403, f"The origin {origin!r} is not in server.cors.origins of agents.yaml")

    def allowed_origin(self, request: web.Request) -> str | None:
        """The request's Origin where a page of it may read our answers."""
        origin = request.headers.get("Origin")
        if origin is not None and ("*" in self._origins or origin.lower() in self._origins):
            return origin
        return None

    def vouched_for(self, request: web.Request) -> bool:
        """Whether `x-user-id` is believed: it comes from this machine, or from one of the proxies."""
        peer = request.remote
        return not peer or is_loopback(peer) or _within(peer, self._proxies)

    def check_own_machine(self, request: web.Request) -> None:
        """What belongs to the server's owner alone is shown to nobody else. Raises `RequestError` (403)."""
        if not self.is_own_machine(request):
            raise RequestError(
                403,
                "This is shown on the server's own machine alone, at a loopback address; from elsewhere reach it "
                "through a tunnel, such as ssh -L 8000:localhost:8000 HOST",
            )

    def is_own_machine(self, request: web.Request) -> bool:
        """Whether a browser of this machine asks, by a name that means it, and for no page of another origin."""
        origin = request.headers.get("Origin")
        return (
            is_loopback(request.remote or "")
            and is_loopback(_host_name(request))
            and not any(_PASSED_ON.fullmatch(name.lower()) for name in request.headers)
            and (origin is None or _same_origin(origin, request))
        )

    def _is_ours(self, request: web.Request) -> bool:
        """Whether the Host is a name of this server, and not one that somebody made to resolve to it."""
        name = _host_name(request)
        if not name or name == self._host or is_loopback(name):
            return True  # a browser always names its host
        if name in self._page_hosts or "*" in self._origins or _within(request.remote or "", self._proxies):
            return True
        own = request.transport.get_extra_info("sockname") if request.transport is not None else None
        if not isinstance(own, tuple):
            return True  # a Unix socket: no browser comes that way
        return not is_loopback(own[0]) and _cannot_be_rebound(name)


def _cannot_be_rebound(name: str) -> bool:
    """Addresses, and names without a dot: nobody outside makes those resolve to us."""
    return _is_address(name) or "." not in name


def cors_headers(origin: str) -> dict[str, str]:
    """What lets a page of `origin` read an answer."""
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": EXPOSED_HEADERS,
        "Vary": "Origin",
    }


def preflight_headers(methods: str) -> dict[str, str]:
    """What a browser asks before it sends the real request."""
    return {
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": ALLOWED_HEADERS,
        "Access-Control-Max-Age": "600",
    }


def _host_name(request: web.Request) -> str:
    """The name in the Host header, without its port; `request.host` would look up our own where there is none."""
    host = request.headers.get("Host", "")
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _within(name: str, networks: Sequence[Network]) -> bool:
    return _is_address(name) and any(ipaddress.ip_address(name) in network for network in networks)


def _same_origin(origin: str, request: web.Request) -> bool:
    try:
        name = urlsplit(origin).netloc.lower()
    except ValueError:
        return False
    return bool(name) and name == request.headers.get("Host", "").lower()
