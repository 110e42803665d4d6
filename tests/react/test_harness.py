"""The harness against pages that go wrong: it must be able to fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aiohttp import web

from tests.clients.loopback import Loopback

from .harness import Action, Browser, Major, Outcome, Scenario, send, wait

pytestmark = pytest.mark.clients


def play(
    running_browser: Browser, page: str, *actions: Action, major: Major = 4, limit: float = 10.0, **props: object
) -> Outcome:
    return running_browser.play(Scenario(page=page, major=major, props=props, actions=[*actions], limit=limit))


@pytest.fixture(scope="module")
def wrong_stream() -> Iterator[str]:
    """The address of a route whose streams no client knows."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/5":
            return web.Response(text='data: {"type":"agent-status"}\n\n', content_type="text/event-stream")
        return web.Response(text='x:"unknown"\n', headers={"X-Vercel-AI-Data-Stream": "v1"})

    app = web.Application()
    app.router.add_post("/{major}", answer)
    with Loopback(app) as server:
        yield server.url


def test_what_react_warns_of_is_told(running_browser: Browser) -> None:
    outcome = play(running_browser, "harness/wrong", wait("Two"), breaks=False)
    assert outcome.lines == ["One", "Two"]
    assert len(outcome.complaints) == 1
    assert 'unique "key" prop' in outcome.complaints[0]


def test_a_page_that_breaks_is_told(running_browser: Browser) -> None:
    outcome = play(running_browser, "harness/wrong", wait("Two"), breaks=True, limit=0.5)
    assert any("broken while it was shown" in complaint for complaint in outcome.complaints)


def test_what_cannot_be_done_is_told(running_browser: Browser) -> None:
    outcome = play(running_browser, "harness/wrong", wait("One"), wait("Three"), breaks=False, limit=1.0)
    assert outcome.stuck is not None
    assert outcome.stuck["wait"] == "Three"


@pytest.mark.parametrize(("page", "major"), [("4/advanced", 4), ("store/chat", 5), ("store/chat", 7)])
def test_a_stream_that_the_client_refuses_is_told(
    running_browser: Browser, wrong_stream: str, page: str, major: Major
) -> None:
    route = f"{wrong_stream}/{min(major, 5)}"
    outcome = play(running_browser, page, *send("Hi"), wait("Error: "), major=major, api=route)
    assert outcome.stuck is None
    assert len(outcome.problems) == 1
