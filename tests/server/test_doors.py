"""Who may come in: Host, Origin, and whom CORS lets read."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from fondation.addresses import is_loopback
from fondation.config.models import Cors, Server
from fondation.errors import RequestError
from fondation.server.doors import Doors
from tests.support.scripted import ScriptedProvider, text
from tests.support.served import ANN, Kitchen, Reply, Served

CORS = ANN + "server: {cors: {origins: ['https://app.example.com']}}\n"
ANY = ANN + "server: {cors: {origins: ['*']}}\n"


async def serve(kitchen: Kitchen, file: str = ANN) -> Served:
    return await kitchen.serve(ScriptedProvider([text("ok") for _ in range(4)]), file)


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:3000", "127.0.0.1", "127.8.8.8:1", "[::1]", "[::1]:80", "app.localhost", "LOCALHOST"],
)
async def test_a_request_to_a_name_of_this_machine_comes_in(host: str, kitchen: Kitchen) -> None:
    assert (await (await serve(kitchen)).post(Host=host)).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "10.0.0.1",
        "[::2]",
        "@",
        ".",
    ],
)
async def test_a_name_that_only_resolves_to_this_machine_is_refused(host: str, kitchen: Kitchen) -> None:
    served = await serve(kitchen)
    for reply in (await served.post(Host=host), await served.ask("GET", "/healthz", headers={"Host": host})):
        assert reply.status == 403
        assert "use localhost or 127.0.0.1" in reply.json["error"]


async def test_what_names_no_host_is_no_browser_and_comes_in(kitchen: Kitchen) -> None:
    served = await serve(kitchen)
    assert b" 200 " in await served.send("GET /healthz HTTP/1.0\nX-Other: x")
    assert b" 200 " in await served.send("GET /healthz HTTP/1.1\nHost: \nConnection: close")
    assert b" 403 " in await served.send("GET /healthz HTTP/1.0\nOrigin: http://")


async def test_the_address_of_the_file_is_ours(kitchen: Kitchen) -> None:
    served = await serve(kitchen, ANN + "server: {host: desk.internal}\n")
    assert (await served.post(Host="desk.internal:8000")).status == 200


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://localhost:9", "null", "http://[", "", "https://app.example.com.evil.example"],
)
async def test_a_page_of_another_origin_is_refused(origin: str, kitchen: Kitchen) -> None:
    served = await serve(kitchen, CORS)
    reply = await served.post(Origin=origin)
    assert reply.status == 403
    assert "server.cors.origins" in reply.json["error"]
    assert "Access-Control-Allow-Origin" not in reply.headers


async def test_a_page_of_our_own_comes_in(kitchen: Kitchen) -> None:
    served = await serve(kitchen)
    assert (await served.post(Origin=f"http://127.0.0.1:{served.port}")).status == 200


def _is_readable(reply: Reply, origin: str) -> bool:
    exposed = reply.headers.get("Access-Control-Expose-Headers")
    return (
        reply.headers.get("Access-Control-Allow-Origin") == origin
        and exposed == "x-session-id, x-run-id"
        and reply.headers.get("Vary") == "Origin"
    )


@pytest.mark.parametrize("file", [CORS, ANY], ids=["named", "any"])
async def test_a_page_of_a_declared_origin_reads_streams_answers_and_errors(file: str, kitchen: Kitchen) -> None:
    served, origin = await serve(kitchen, file), "https://app.example.com"
    assert _is_readable(await served.post(Origin=origin), origin)
    assert _is_readable(await served.post(Origin=origin, Accept="application/json"), origin)
    for reply in (await served.post({}, Origin=origin), await served.post(path="/nothing", Origin=origin)):
        assert reply.status in (400, 404)
        assert _is_readable(reply, origin)
    assert (await served.post(Origin=origin.upper())).status == 200


@pytest.mark.parametrize(("path", "methods"), [("/api/chat", "OPTIONS, POST"), ("/healthz", "GET, OPTIONS")])
async def test_a_browser_that_asks_first_is_told_what_it_may_send(path: str, methods: str, kitchen: Kitchen) -> None:
    served = await serve(kitchen, CORS)
    headers = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}
    reply = await served.ask("OPTIONS", path, headers=headers)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["Access-Control-Allow-Methods"] == methods
    assert reply.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "content-type" in reply.headers["Access-Control-Allow-Headers"]
    assert "x-session-id" in reply.headers["Access-Control-Allow-Headers"]
    refused = await served.ask("OPTIONS", path, headers={**headers, "Origin": "https://evil.example"})
    assert refused.status == 403
    assert (await served.ask("OPTIONS", "/nothing", headers=headers)).status == 404


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("localhost", True),
        ("x.localhost", True),
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("localhost.example", False),
        ("2130706433", False),
        ("", False),
    ],
)
def test_which_names_mean_this_machine_only(name: str, expected: bool) -> None:
    assert is_loopback(name) is expected


class _Transport:
    """A connection that arrived at an address of this machine, from a peer."""

    def __init__(self, sockname: Any, peer: Any) -> None:
        self._names = {"sockname": sockname, "peername": peer}

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._names.get(name, default)


def _request(sockname: Any, peer: Any, host: str) -> web.Request:
    transport = _Transport(sockname, peer)
    return make_mocked_request("POST", "/api/chat", headers={"Host": host}, transport=transport)


@pytest.mark.parametrize(
    ("sockname", "peer", "host", "comes_in"),
    [
        (("192.168.0.2", 8000), ("192.168.0.9", 1), "192.168.0.2:8000", True),
        (("192.168.0.2", 8000), ("192.168.0.9", 1), "desk:8000", True),
        (("192.168.0.2", 8000), ("192.168.0.9", 1), "desk.internal", False),
        (("127.0.0.1", 8000), ("127.0.0.1", 1), "desk", False),
        (("127.0.0.1", 8000), ("127.0.0.1", 1), "desk.internal", False),
        (("::1", 8000, 0, 0), ("::1", 1, 0, 0), "desk.internal", False),
        ("/run/desk.sock", "", "desk.internal", True),
    ],
)
def test_a_name_that_somebody_else_could_make_resolve_to_us_is_refused(
    sockname: Any, peer: Any, host: str, comes_in: bool
) -> None:
    doors = Doors(Server())
    request = _request(sockname, peer, host)
    if comes_in:
        doors.check(request)
    else:
        with pytest.raises(RequestError):
            doors.check(request)


@pytest.mark.parametrize(
    "server",
    [
        Server(host="desk.example"),
        Server(cors=Cors(origins=["https://desk.example"])),
        Server(cors=Cors(origins=["*"])),
    ],
)
def test_a_host_that_the_file_names_comes_in(server: Server) -> None:
    Doors(server).check(_request(("192.168.0.2", 8000), ("192.168.0.9", 1), "desk.example:8000"))


def test_a_proxy_of_this_machine_may_name_any_host() -> None:
    request = _request(("127.0.0.1", 8000), ("127.0.0.1", 1), "desk.example")
    with pytest.raises(RequestError):
        Doors(Server()).check(request)
    Doors(Server(proxies=["127.0.0.1"])).check(request)
