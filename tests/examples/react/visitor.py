"""A visitor of the pages in React."""

from __future__ import annotations

import urllib.request
from dataclasses import dataclass
from typing import Any

from tests.browser.harness import Locator, Page, Tab, expect
from tests.clients.upstream import Upstream


@dataclass(frozen=True)
class Visitor:
    tab: Tab
    url: str
    """Of the pages."""

    @property
    def page(self) -> Page:
        return self.tab.page

    @property
    def field(self) -> Locator:
        return self.page.get_by_label("Message", exact=True)

    @property
    def messages(self) -> Locator:
        return self.page.get_by_role("article")

    @property
    def header(self) -> Locator:
        """How many messages there are, and by which model."""
        return self.page.get_by_text("Messages: ")

    @property
    def agent(self) -> Locator:
        """Who has the conversation."""
        return self.page.get_by_role("status").filter(has_text="Current Agent: ")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def open(self, page: str, query: str = "") -> None:
        """A page by its place in the menu, such as `store/simple`."""
        self.page.goto(f"{self.url}{query}#/{page}")
        expect(self.field).to_be_focused()

    def say(self, text: str) -> dict[str, str]:
        """Gives the headers of the request."""
        self.field.fill(text)
        with self.page.expect_request("**/api/*") as request:
            self.button("Send").click()
        return request.value.headers

    def sees(self, text: str) -> None:
        """Waits until it shows in the newest message."""
        expect(self.messages.last).to_contain_text(text)

    def sees_end(self, text: str) -> None:
        """Waits until it shows and the answer is at its end: the visitor may go on."""
        self.sees(text)
        expect(self.field).to_be_focused()

    def refuse(self, status: int, answer: dict[str, Any]) -> None:
        """Have the next request refused."""
        self.page.route("**/api/*", lambda route: route.fulfill(status=status, json=answer), times=1)

    def release(self, upstream: Upstream) -> None:
        """Let the model go on where its answer says HOLD."""
        urllib.request.urlopen(urllib.request.Request(f"{upstream.url}/release", method="POST")).close()
