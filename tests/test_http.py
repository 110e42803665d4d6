from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from yarl import URL

from fondation.errors import ProviderUnavailable
from fondation.http import CA_VARIABLES, HttpClient, RequestTrace
from fondation.providers.openai import OpenAIProvider
from tests.providers.upstream import Pause, Upstream
from tests.providers.wire import DONE, Outcome, ask, chunk, stream, text

CERTIFICATE = Path(__file__).parent / "providers" / "localhost.pem"
ANSWER = stream(text("Hello"), chunk(finish="stop"), DONE)


@pytest.fixture(autouse=True)
def plain_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", *CA_VARIABLES):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient()
    yield client
    await client.close()


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    server = Upstream()
    await server.start()
    yield server
    await server.close()


async def asked(http: HttpClient, base_url: str) -> Outcome:
    return await ask(OpenAIProvider("acme/large", http, key="sk-test-123456", base_url=base_url, timeout=5))


async def test_more_than_a_hundred_streams_at_once(upstream: Upstream, http: HttpClient) -> None:
    upstream.reply(Pause(0.3), ANSWER)
    outcomes = await asyncio.gather(*(asked(http, upstream.base_url) for _ in range(130)))
    assert all(outcome.text == "Hello" for outcome in outcomes)
    assert upstream.connections == 130


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_a_proxy_of_the_environment_is_used(
    upstream: Upstream, http: HttpClient, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, f"http://127.0.0.1:{upstream.port}")
    upstream.reply(ANSWER)
    assert (await asked(http, "http://models.test/v1")).text == "Hello"
    request = await upstream.request()
    assert request.target == "http://models.test/v1/chat/completions"
    assert request.headers["host"] == "models.test"


async def test_a_proxy_may_want_a_password(
    upstream: Upstream, http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://ann:s%40cret@127.0.0.1:{upstream.port}")
    upstream.reply(ANSWER)
    assert (await asked(http, "http://models.test/v1")).text == "Hello"
    headers = (await upstream.request()).headers
    assert headers["proxy-authorization"] == "Basic " + base64.b64encode(b"ann:s@cret").decode()
    assert headers["authorization"] == "Bearer sk-test-123456"


async def test_https_goes_through_a_tunnel(
    upstream: Upstream, http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://ann:s3cret@127.0.0.1:{upstream.port}")
    upstream.reply(status=403)
    error = (await asked(http, "https://models.test/v1")).error
    assert isinstance(error, ProviderUnavailable)
    assert "the proxy answered 403" in str(error)
    assert not error.retryable
    assert error.charged is False
    request = await upstream.request()
    assert (request.method, request.target) == ("CONNECT", "models.test:443")
    assert request.headers["proxy-authorization"].startswith("Basic ")
    assert "authorization" not in request.headers


async def test_no_proxy_is_respected(upstream: Upstream, http: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,models.test")
    upstream.reply(ANSWER)
    assert (await asked(http, upstream.base_url)).text == "Hello"
    assert http.proxy_for(URL("http://models.test/v1")) is None
    assert http.proxy_for(URL("http://other.test/v1")) == URL("http://127.0.0.1:9")


async def test_a_proxy_without_a_scheme_speaks_http(http: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.test:3128")
    assert http.proxy_for(URL("https://models.test/v1")) == URL("http://proxy.test:3128")


async def test_a_proxy_that_is_not_supported_says_what_to_do(http: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://ann:s3cret@proxy.test")
    error = (await asked(http, "http://models.test/v1")).error
    assert isinstance(error, ProviderUnavailable)
    assert "use an http:// proxy, or add models.test to NO_PROXY" in str(error)
    assert "s3cret" not in str(error)
    assert not error.retryable


@pytest.fixture
async def secure(upstream: Upstream) -> AsyncIterator[Upstream]:
    """An upstream that speaks TLS with a certificate that nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server = Upstream()
    await server.start(ssl=context)
    server.reply(ANSWER)
    yield server
    await server.close()


@pytest.mark.parametrize(
    "names", [("SSL_CERT_FILE",), ("REQUESTS_CA_BUNDLE",), ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")]
)
async def test_certificates_of_ones_own_are_trusted(
    secure: Upstream, http: HttpClient, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    for name in names:
        monkeypatch.setenv(name, str(CERTIFICATE))
    assert (await asked(http, f"https://localhost:{secure.port}/v1")).text == "Hello"


async def test_a_certificate_that_nobody_knows_is_refused(secure: Upstream, http: HttpClient) -> None:
    error = (await asked(http, f"https://localhost:{secure.port}/v1")).error
    assert isinstance(error, ProviderUnavailable)
    assert "SSL_CERT_FILE" in str(error)
    assert not error.retryable
    assert error.charged is False


async def test_a_certificate_file_that_is_not_there_is_named(http: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    error = (await asked(http, "https://models.test/v1")).error
    assert isinstance(error, ProviderUnavailable)
    assert 'SSL_CERT_FILE names "/nowhere/ca.pem", which cannot be read' in str(error)


async def test_the_trace_knows_a_kept_connection(upstream: Upstream, http: HttpClient) -> None:
    upstream.reply(ANSWER)
    for reused in (False, True):
        trace = RequestTrace()
        response = await http.post(URL(upstream.base_url), {}, b"{}", silence=5, trace=trace)
        await response.read()
        assert trace == RequestTrace(reused=reused, sent=True)


async def test_other_requests_need_no_trace(upstream: Upstream, http: HttpClient) -> None:
    upstream.reply(b"hello", headers={})
    for _ in range(2):
        async with http.session.get(upstream.base_url) as response:
            assert await response.text() == "hello"


async def test_the_session_opens_when_it_is_used_and_once(http: HttpClient) -> None:
    await http.close()
    assert http.session is http.session
    await http.close()
    assert not http.session.closed


async def test_a_small_document_is_read_whole(upstream: Upstream, http: HttpClient) -> None:
    upstream.reply(b'{"a"', Pause(0.01), b": 1}", status=404, headers={"X-Id": "7"})
    response = await http.get(URL(f"{upstream.base_url}/it?id=1"), {"Accept": "text/plain"}, seconds=5, most=8)
    assert (response.status, response.headers["x-id"], response.body) == (404, "7", b'{"a": 1}')
    request = await upstream.request()
    assert (request.method, request.target, request.headers["accept"]) == ("GET", "/v1/it?id=1", "text/plain")


async def test_a_document_that_is_larger_than_it_may_be_is_not_read(upstream: Upstream, http: HttpClient) -> None:
    upstream.reply(b"123456789")
    with pytest.raises(ValueError, match="more than 8 bytes"):
        await http.get(URL(upstream.base_url), {}, seconds=5, most=8)


async def test_a_document_that_takes_too_long_is_given_up(upstream: Upstream, http: HttpClient) -> None:
    upstream.reply(b"1", Pause(5))
    with pytest.raises(TimeoutError):
        await http.get(URL(upstream.base_url), {}, seconds=0.05, most=8)
