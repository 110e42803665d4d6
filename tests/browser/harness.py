"""A real browser as a test harness: headless Chromium, driven by playwright, and a judge of accessibility.

A `Tab` notes whatever a page must not do: errors on its console, violations of its Content-Security-Policy, requests to
any other host.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.clients.harness import ClientsUnavailable, install, required

try:
    from playwright.sync_api import (
        Browser,
        ConsoleMessage,
        FilePayload,
        Locator,
        Page,
        Request,
        Route,
        expect,
        sync_playwright,
    )
except ImportError:
    if required():
        raise
    pytest.skip("playwright is not installed: pip install -e '.[dev]'", allow_module_level=True)

__all__ = [
    "Browser",
    "BrowserUnavailable",
    "FilePayload",
    "Locator",
    "Page",
    "Route",
    "Tab",
    "chromium",
    "expect",
    "tab",
]

FOLDER = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TIMEOUT = 10_000.0
"""Milliseconds for whatever a test waits for."""


class BrowserUnavailable(ClientsUnavailable):
    """There is no browser on this machine; the text says what to type."""


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser. Raises `BrowserUnavailable`."""
    install(FOLDER)
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise BrowserUnavailable("there is no browser: apt-get install chromium")
    options = [*OPTIONS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Tab:
    """A page in a browser of its own: nothing is left of the one before."""

    page: Page
    hosts: frozenset[str]
    """Where its requests may go, such as `127.0.0.1:8000`."""
    complaints: list[str] = field(default_factory=list)
    """What it did that it must not do."""
    expected: list[str] = field(default_factory=list)
    """Parts of complaints that a test provokes."""

    def watch(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        self.page.on("request", self._on_request)

    def expect(self, *parts: str) -> None:
        """Complaints with these words are wanted."""
        self.expected += parts

    def check(self) -> None:
        """Fails where the page did what it must not do, or not what was expected."""
        wanted = [part for part in self.expected if not any(part in complaint for complaint in self.complaints)]
        assert wanted == []
        assert [each for each in self.complaints if not any(part in each for part in self.expected)] == []

    def violations(self) -> list[str]:
        """Of accessibility, by axe: the rule, what it wants, and where."""
        self.page.evaluate((FOLDER / "node_modules" / "axe-core" / "axe.min.js").read_text())
        found: list[dict[str, Any]] = self.page.evaluate(
            "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
        )
        return [f"{each['id']}: {each['help']}: {node['html'][:200]}" for each in found for node in each["nodes"]]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.netloc not in self.hosts:
            self.complaints.append(f"a request to another host: {request.url}")


@contextlib.contextmanager
def tab(browser: Browser, urls: Sequence[str], **options: Any) -> Iterator[Tab]:
    """A tab that may talk to the hosts of `urls`; `options` are of a browser's context, like `viewport`.

    At its end it is checked that the page did nothing that it must not do.
    """
    with contextlib.closing(browser.new_context(**options)) as context:
        context.set_default_timeout(TIMEOUT)
        opened = Tab(context.new_page(), frozenset(urlsplit(url).netloc for url in urls))
        opened.watch()
        yield opened
        opened.check()
