from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.harness import ClientsUnavailable, required
from tests.clients.loopback import Loopback
from tests.clients.serving import served
from tests.clients.upstream import Upstream

from .harness import Browser, browser

PROJECT = Path(__file__).parent / "project"


@pytest.fixture(scope="session")
def running_browser() -> Iterator[Browser]:
    with contextlib.ExitStack() as stack:
        try:
            running = stack.enter_context(browser())
        except ClientsUnavailable as error:
            if required():
                pytest.fail(str(error))
            pytest.skip(str(error))
        yield running


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    with Loopback(upstream.app()) as provider:
        upstream.url = provider.url
        yield upstream


@pytest.fixture(scope="session")
def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running `fondation serve` whose models are `upstream`."""
    with served(tmp_path_factory.mktemp("project"), upstream.url, project=PROJECT) as running:
        yield running.url
