"""The pages in React in a real browser, each of their functions before a running server.

Every test ends with a look at what a page must not do: errors and warnings on the console, requests to other hosts.
"""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.browser.harness import expect
from tests.clients.loopback import Loopback
from tests.clients.serving import API_KEY, Served
from tests.clients.upstream import HOLD, Answer, Upstream, calls, hands_off, held, refuses, says
from tests.examples.projects import ROOT
from tests.support.markdown import blocks

from .site import site, type_errors
from .visitor import Visitor

TALKING = ["ai-sdk/simple", "store/simple"]
ADVANCED = ["ai-sdk/advanced", "store/advanced"]
AGENTS = ["ai-sdk/multi-agent", "store/multi-agent"]
AI_SDK_4 = "ai-sdk-4/chat"

WITH_WEATHER = [*TALKING, *ADVANCED]
WITH_DESK = [*AGENTS, AI_SDK_4]
"""Their agent is one that passes each question on."""
EVERY = [*WITH_WEATHER, *WITH_DESK]
WITH_STOP = [*ADVANCED, AI_SDK_4]

PLACEHOLDERS = {
    "simple": "Type your message...",
    "advanced": "Ask me anything...",
    "multi-agent": "Ask about technical or billing issues...",
    "chat": "Ask about technical or billing issues...",
}
CUT = re.compile("Error: (network error|Failed to fetch)")
"""What a browser says of a connection that broke, with the answer's headers or without."""
LONG = "Llanfair" * 12
WEATHER = {"location": "Lyon", "temperature": 22, "condition": "Sunny"}
INVOICE = {"invoiceId": "INV-42", "status": "Paid", "amount": 99.99}


def plays(upstream: Upstream, page: str, *answers: Answer) -> None:
    """Have the agent that a page talks to answer so."""
    first = [hands_off("BillingSupport", "an invoice")] if page in WITH_DESK else []
    upstream.play(*first, *answers)


async def breaks_off(request: web.Request) -> web.StreamResponse:
    """A server that dies while it answers."""
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    assert request.transport is not None
    request.transport.abort()
    return response


def chats_of(server: Served, **headers: str) -> list[dict[str, Any]]:
    """What the server lists of somebody's."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"{server.url}/api/chats", headers=named)
    with urllib.request.urlopen(request) as response:
        chats: list[dict[str, Any]] = json.load(response)["chats"]
        return chats


@pytest.mark.parametrize("page", EVERY)
def test_a_page_talks_to_its_agents(visitor: Visitor, page: str) -> None:
    question, tool, result = "What is the weather in Lyon?", "get_weather", WEATHER
    if page in WITH_DESK:
        question, tool, result = "Is my invoice INV-42 paid?", "check_invoice", INVOICE
    visitor.open(page)
    expect(visitor.button("Send")).to_be_disabled()
    visitor.say(question)
    visitor.sees_end("Simulated answer")
    assert visitor.messages.first.inner_text().split() == ["You", *question.split()]
    if page in TALKING:
        expect(visitor.messages.last).not_to_contain_text("🔧")  # what is said is all it shows
    else:
        expect(visitor.messages.last.locator("code")).to_have_text(f"🔧 {tool}")
        assert json.loads(visitor.messages.last.locator("pre").inner_text()) == result
    if page in WITH_DESK:
        expect(visitor.agent).to_have_text("Current Agent: BillingSupport")
    if page in WITH_STOP:
        expect(visitor.header).to_have_text("Messages: 2 | Model: anthropic/claude-sonnet-4.5 | Status: ready")
    assert visitor.tab.violations() == []


@pytest.mark.parametrize("page", EVERY)
def test_text_shows_as_it_comes(scripted_visitor: Visitor, upstream: Upstream, page: str) -> None:
    visitor = scripted_visitor
    plays(upstream, page, says(HOLD, "Hello", HOLD, ", world."), says("Gladly."))
    visitor.open(page)
    visitor.say("Hi")
    thinking = visitor.page.get_by_role("status").filter(has_text="Assistant is ")
    expect(thinking).to_be_visible()
    visitor.release(upstream)
    visitor.sees("Hello")
    expect(visitor.field).to_be_disabled()
    visitor.release(upstream)
    visitor.sees_end("Hello, world.")
    expect(thinking).to_be_hidden()
    visitor.say("Thank you")
    visitor.sees_end("Gladly.")
    expect(visitor.messages).to_have_count(4)
    assert upstream.calls[-1].texts[-3:] == ["Hi", "Hello, world.", "Thank you"]


@pytest.mark.parametrize("page", WITH_STOP)
def test_the_header_counts_messages_and_names_the_model(
    scripted_visitor: Visitor, upstream: Upstream, page: str
) -> None:
    visitor = scripted_visitor
    plays(upstream, page, says("Hello", HOLD, "."))
    visitor.open(page)
    expect(visitor.header).to_have_text("Messages: 0 | Model: none yet | Status: ready")
    assert "x-user-id" not in visitor.say("Hi")  # nobody is logged in
    expect(visitor.header).to_have_text("Messages: 2 | Model: none yet | Status: streaming")
    visitor.release(upstream)
    expect(visitor.header).to_have_text("Messages: 2 | Model: scripted-1 | Status: ready")


@pytest.mark.parametrize("page", WITH_STOP)
def test_who_asks_is_known(visitor: Visitor, simulated: tuple[str, Served], page: str) -> None:
    visitor.open(page, "?user=ada")
    headers = visitor.say("Hello")
    visitor.sees_end("Simulated answer")
    session = visitor.page.evaluate("sessionStorage.getItem('session-id')")
    assert (headers["x-session-id"], headers["x-user-id"]) == (session, "ada")
    newest = chats_of(simulated[1], x_user_id="ada")[0]
    assert newest["messages"] == 2
    visitor.page.reload()
    assert visitor.say("Hello again")["x-session-id"] == session


@pytest.mark.parametrize("page", WITH_STOP)
def test_stop_ends_the_models_call_and_keeps_what_came(
    scripted_visitor: Visitor, upstream: Upstream, page: str
) -> None:
    visitor = scripted_visitor
    plays(upstream, page, says("So far", ending="silence"), says("Gladly."))
    visitor.open(page)
    visitor.say("Hi")
    visitor.sees("So far")
    visitor.button("Stop").click()
    expect(visitor.field).to_be_focused()
    assert upstream.calls[-1].was_cut()
    visitor.say("Go on")
    visitor.sees_end("Gladly.")
    assert upstream.calls[-1].texts[-3:] == ["Hi", "So far", "Go on"]


@pytest.mark.parametrize("page", ADVANCED)
def test_a_simulated_answer_can_be_stopped_too(visitor: Visitor, page: str) -> None:
    visitor.open(page)
    visitor.say(f"Search for {'long ' * 50}")
    visitor.sees("According to search_web")
    visitor.button("Stop").click()
    expect(visitor.field).to_be_focused()
    expect(visitor.messages.last.get_by_text("According to")).not_to_contain_text("Another page")


@pytest.mark.parametrize("page", EVERY)
def test_a_failing_model_is_told_in_words(scripted_visitor: Visitor, upstream: Upstream, page: str) -> None:
    visitor = scripted_visitor
    again = [hands_off("BillingSupport", "an invoice")] if page == AI_SDK_4 else []  # its Retry begins at the desk
    plays(upstream, page, refuses(401, f"no {API_KEY}"), *again, says("Now it works."))
    if page in WITH_STOP:
        visitor.tab.expect("Chat error:")
    visitor.open(page)
    visitor.say("Hi")
    alert = visitor.page.get_by_role("alert")
    expect(alert).to_contain_text("Error: The model provider rejected the server's API key")
    assert API_KEY not in visitor.page.content()
    assert visitor.tab.violations() == []
    if page in WITH_STOP:
        visitor.button("Retry").click()
    else:
        visitor.say("Hi once more")
    visitor.sees_end("Now it works.")
    expect(alert).to_be_hidden()


@pytest.mark.parametrize("page", WITH_STOP)
def test_a_refused_request_is_told_in_words_and_tried_again(visitor: Visitor, page: str) -> None:
    visitor.tab.expect("Chat error:", "503 (Service Unavailable)")
    visitor.open(page)
    visitor.refuse(503, {"error": "The server is restarting"})
    visitor.say("Hello")
    expect(visitor.page.get_by_role("alert").get_by_text("Error:")).to_have_text("Error: The server is restarting")
    visitor.button("Retry").click()
    visitor.sees_end("Simulated answer")
    expect(visitor.messages).to_have_count(2)


def test_agents_that_break_off_and_are_gone_then_are_told_in_words(pages: Path, visit: Callable[..., Visitor]) -> None:
    app = web.Application()
    app.router.add_post("/{path:.*}", breaks_off)
    with ExitStack() as stack:
        with Loopback(app) as agents:
            url = stack.enter_context(site("preview", agents.url, "--outDir", str(pages)))
            visitors = [visit(url) for _ in range(2)]
            for visitor, page in zip(visitors, (ADVANCED[0], AI_SDK_4), strict=True):
                visitor.tab.expect("Chat error:", "net::ERR_", "502 (Bad Gateway)")
                visitor.open(page)
                visitor.say("Hello")
                expect(visitor.page.get_by_role("alert")).to_contain_text(CUT)
        for visitor in visitors:
            visitor.button("Retry").click()
            expect(visitor.page.get_by_role("alert")).to_contain_text(f"Error: Nothing answers at {agents.url}.")


@pytest.mark.parametrize("page", WITH_DESK)
def test_the_current_agent_is_shown(scripted_visitor: Visitor, upstream: Upstream, page: str) -> None:
    visitor = scripted_visitor
    upstream.play(
        held(hands_off("BillingSupport", "an invoice")),
        calls(("check_invoice", {"invoiceId": "INV-42"})),
        says("It is paid."),
        hands_off("TechnicalSupport", "an outage"),
        says("All is well."),
    )
    visitor.open(page)
    expect(visitor.agent).to_be_hidden()
    visitor.say("Is INV-42 paid?")
    expect(visitor.agent).to_have_text("Current Agent: Triage")
    visitor.release(upstream)
    visitor.sees_end("It is paid.")
    expect(visitor.agent).to_have_text("Current Agent: BillingSupport")
    visitor.say("Is the server up?")
    visitor.sees_end("All is well.")
    expect(visitor.agent).to_have_text("Current Agent: TechnicalSupport")


def test_the_menu_leads_to_every_page(visitor: Visitor) -> None:
    visitor.open("nowhere")
    links = visitor.page.get_by_role("navigation", name="Pages").get_by_role("link")
    current = visitor.page.locator("a[aria-current=page]")
    expect(current).to_have_attribute("href", f"#/{EVERY[0]}")
    assert sorted(link.get_attribute("href") or "" for link in links.all()) == sorted(f"#/{page}" for page in EVERY)
    for link in links.all():
        link.click()
        expect(visitor.field).to_have_attribute("placeholder", PLACEHOLDERS[link.inner_text()])
        expect(current).to_have_attribute("href", link.get_attribute("href") or "")
        expect(visitor.field).to_be_enabled()


@pytest.mark.parametrize("page", [ADVANCED[0], AI_SDK_4])
def test_a_dark_phone_shows_a_page_well(
    visit: Callable[..., Visitor], scripted: str, upstream: Upstream, page: str
) -> None:
    visitor = visit(scripted, viewport={"width": 360, "height": 640}, color_scheme="dark")
    name, argument = ("check_invoice", "invoiceId") if page in WITH_DESK else ("get_weather", "location")
    plays(upstream, page, calls((name, {argument: LONG})), says(LONG))
    visitor.open(page)
    visitor.page.keyboard.type("Where is it?")
    visitor.page.keyboard.press("Enter")
    visitor.sees_end(LONG)
    expect(visitor.messages.last.locator("pre")).to_contain_text(LONG)
    for box in (visitor.page.locator("html"), visitor.page.get_by_role("log")):
        assert box.evaluate("box => box.scrollWidth - box.clientWidth") == 0
    assert visitor.tab.violations() == []


def test_the_type_checker_knows_the_page_of_the_readme(pages: Path, tmp_path: Path) -> None:
    [page] = blocks((ROOT / "README.md").read_text(), "tsx")
    assert type_errors(page, tmp_path) == ""


def test_npm_start_serves_the_pages_as_they_are_written(
    visit: Callable[..., Visitor], simulated: tuple[str, Served]
) -> None:
    with site("start", simulated[1].url) as url:
        visitor = visit(url)
        visitor.open("store/simple")
        visitor.say("Hello")
        visitor.sees_end("Simulated answer")
