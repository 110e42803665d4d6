from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.clients.harness import ClientsUnavailable, required
from tests.clients.loopback import Loopback
from tests.clients.serving import Served, served
from tests.clients.upstream import Upstream

if TYPE_CHECKING:
    from .harness import Browser, Tab
    from .person import Person

PROJECT = Path(__file__).parent / "project"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Of this package alone: while it runs, its driver has the thread's event loop."""
    from .harness import chromium

    with contextlib.ExitStack() as stack:
        try:
            running = stack.enter_context(chromium())
        except ClientsUnavailable as error:
            if required():
                pytest.fail(str(error))
            pytest.skip(str(error))
        yield running


@pytest.fixture(scope="package")
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    with Loopback(upstream.app()) as provider:
        upstream.url = provider.url
        yield upstream


@pytest.fixture(scope="package")
def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A running `fondation serve` whose models are `upstream`."""
    with served(tmp_path_factory.mktemp("project"), upstream.url, project=PROJECT) as running:
        yield running


@pytest.fixture
def tab(browser: Browser, server: Served) -> Iterator[Tab]:
    from .harness import tab

    with tab(browser, [server.url]) as opened:
        yield opened


@pytest.fixture
def person(tab: Tab, server: Served, upstream: Upstream) -> Person:
    from .person import Person

    return Person(tab, server, upstream)
