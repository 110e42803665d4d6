"""The chat page in a real browser: every function is used, and nothing is done that a page must not do."""

from __future__ import annotations

from tests.browser.harness import Tab
from tests.clients.serving import Served


def test_the_page_opens(tab: Tab, server: Served) -> None:
    tab.page.goto(server.url)
    assert tab.page.title() == "fondation"
