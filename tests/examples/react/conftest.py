from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import browser as browser
from tests.clients.harness import ClientsUnavailable, required
from tests.clients.loopback import Loopback
from tests.clients.serving import Served, served
from tests.clients.upstream import Upstream
from tests.examples.projects import scripted_copy

from .site import PROJECT, build, site

if TYPE_CHECKING:
    from tests.browser.harness import Browser

    from .visitor import Visitor


@pytest.fixture(scope="package")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built pages."""
    folder = tmp_path_factory.mktemp("pages")
    try:
        build(folder)
    except ClientsUnavailable as error:
        if required():
            pytest.fail(str(error))
        pytest.skip(str(error))
    return folder


@pytest.fixture(scope="package")
def simulated(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Served]]:
    """The address of the pages, and the server behind them, whose models are simulated."""
    with (
        served(tmp_path_factory.mktemp("simulated"), "", "--simulate=all", project=PROJECT) as server,
        site("preview", server.url, "--outDir", str(pages)) as url,
    ):
        yield url, server


@pytest.fixture(scope="package")
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    with Loopback(upstream.app()) as provider:
        upstream.url = provider.url
        yield upstream


@pytest.fixture(scope="package")
def scripted(pages: Path, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the pages, before a server whose models are `upstream`."""
    project = scripted_copy("react-chat", tmp_path_factory.mktemp("project"))
    with (
        served(tmp_path_factory.mktemp("scripted"), upstream.url, project=project) as server,
        site("preview", server.url, "--outDir", str(pages)) as url,
    ):
        yield url


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Opens a new browser's tab for the pages at an address; options are those of its context."""
    from tests.browser.harness import tab

    from .visitor import Visitor

    with contextlib.ExitStack() as stack:

        def opened(url: str, **options: Any) -> Visitor:
            return Visitor(stack.enter_context(tab(browser, [url], **options)), url)

        yield opened


@pytest.fixture
def visitor(visit: Callable[..., Visitor], simulated: tuple[str, Served]) -> Visitor:
    return visit(simulated[0])


@pytest.fixture
def scripted_visitor(visit: Callable[..., Visitor], scripted: str) -> Visitor:
    return visit(scripted)
