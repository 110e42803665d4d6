from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from .harness import CLIENTS, Client, ClientsUnavailable, clients, required


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
