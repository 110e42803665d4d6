from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.clients.harness import ClientsUnavailable, required
from tests.clients.loopback import Loopback

from .harness import Browser, browser
from .serving import Kitchen


@pytest.fixture(scope="session")
def pages() -> Iterator[Browser]:
    with contextlib.ExitStack() as stack:
        try:
            running = stack.enter_context(browser())
        except ClientsUnavailable as error:
            if required():
                pytest.fail(str(error))
            pytest.skip(str(error))
        yield running


@pytest.fixture(scope="session")
def kitchen() -> Iterator[Kitchen]:
    kitchen = Kitchen()
    with Loopback(kitchen.app()) as server:
        kitchen.url = f"{server.url}/api/chat"
        yield kitchen
