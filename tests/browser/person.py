"""A person at the chat page, with a scripted model behind the server."""

from __future__ import annotations

import urllib.request
from dataclasses import dataclass

from tests.browser.harness import Locator, Page, Tab, expect
from tests.clients.serving import Served
from tests.clients.upstream import Answer, Upstream


@dataclass(frozen=True)
class Person:
    tab: Tab
    server: Served
    upstream: Upstream

    @property
    def page(self) -> Page:
        return self.tab.page

    @property
    def field(self) -> Locator:
        return self.page.get_by_label("Message", exact=True)

    @property
    def messages(self) -> Locator:
        return self.page.locator(".message")

    @property
    def answer(self) -> Locator:
        """The newest message of an agent."""
        return self.page.locator(".message.assistant").last

    @property
    def chats(self) -> Locator:
        return self.page.get_by_role("navigation", name="Chats").get_by_role("listitem")

    def open(self, route: str = "/api/chat", *answers: Answer) -> None:
        """The page, on a route, with a new chat."""
        self.upstream.play(*answers)
        self.page.goto(self.server.url)
        expect(self.field).to_be_focused()
        self.page.get_by_label("Route").select_option(route)

    def say(self, text: str) -> None:
        self.field.fill(text)
        self.page.get_by_role("button", name="Send", exact=True).click()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def release(self) -> None:
        """Let the model go on where its answer says HOLD."""
        urllib.request.urlopen(urllib.request.Request(f"{self.upstream.url}/release", method="POST")).close()

    def sees(self, *texts: str) -> None:
        """Waits until each shows in the newest answer."""
        for text in texts:
            expect(self.answer).to_contain_text(text)

    def sees_end(self, *texts: str) -> None:
        """Waits until each shows, and the answer has come to its end."""
        self.sees(*texts)
        expect(self.page.get_by_role("button", name="Stop", exact=True)).to_be_hidden()
