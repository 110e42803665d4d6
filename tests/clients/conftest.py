from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from .harness import CLIENTS, Client, ClientsUnavailable, clients, required
from .loopback import Loopback
from .serving import Served, served
from .stage import Stage
from .upstream import Upstream


@pytest.fixture(scope="session")
def all_clients() -> Iterator[dict[str, Client]]:
    with contextlib.ExitStack() as stack:
        try:
            running = stack.enter_context(clients())
        except ClientsUnavailable as error:
            if required():
                pytest.fail(str(error))
            pytest.skip(str(error))
        yield running


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, all_clients: dict[str, Client]) -> Client:
    """Each published client in its turn."""
    return all_clients[request.param]


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    with Loopback(upstream.app()) as provider:
        upstream.url = provider.url
        yield upstream


@pytest.fixture(scope="session")
def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A running `fondation serve` whose models are `upstream`."""
    with served(tmp_path_factory.mktemp("project"), upstream.url) as running:
        yield running


@pytest.fixture
def stage(client: Client, server: Served, upstream: Upstream) -> Stage:
    return Stage(client, server, upstream)
