"""Everybody can use the chat page: by keys alone, with a screen reader, on a phone, in the dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.harness import Browser, FilePayload, Tab, expect, tab
from tests.browser.person import Person
from tests.clients.serving import Served
from tests.clients.upstream import HOLD, Upstream, calls, refuses, says

PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
LONG = "word " * 300 + "\n\n| a | b | c | d |\n|---|---|---|---|\n" + f"| {'x' * 60} | 2 | 3 | 4 |\n\n" + "y" * 400


@pytest.fixture
def phone(browser: Browser, server: Served, upstream: Upstream) -> Iterator[Person]:
    with tab(browser, [server.url], **PHONE) as opened:
        yield Person(opened, server, upstream)


@pytest.fixture
def dark(browser: Browser, server: Served, upstream: Upstream) -> Iterator[Person]:
    with tab(browser, [server.url], color_scheme="dark") as opened:
        yield Person(opened, server, upstream)


def focused(tab: Tab) -> str:
    """The name of what has the focus, or what it is."""
    script = "() => (({ariaLabel, id, textContent}) => ariaLabel || id || textContent)(document.activeElement)"
    return str(tab.page.evaluate(script))


def test_all_is_done_by_keys(person: Person) -> None:
    person.open("/api/desk6", calls(("refund", {"invoice": "INV-1", "amount": 5})), says("Refunded."))
    keyboard = person.page.keyboard
    person.field.focus()
    keyboard.type("Refund")
    keyboard.press("Shift+Enter")
    keyboard.type("me")
    keyboard.press("Enter")
    person.sees_end("waits for your approval")
    expect(person.messages.first).to_contain_text("Refund\nme")
    for _ in range(20):
        if focused(person.tab) == "Approve":
            break
        keyboard.press("Shift+Tab")
    assert focused(person.tab) == "Approve"
    keyboard.press("Enter")
    person.sees_end("Refunded.")
    assert focused(person.tab) == "Conversation"  # the button is gone, the reader is still there


def test_the_focus_is_never_lost_to_a_button_that_goes_away(person: Person) -> None:
    person.open("/api/chat", refuses(500, "no"), says("Hel", HOLD, "lo."))
    person.field.fill("Hi")
    person.page.get_by_role("button", name="Send", exact=True).focus()
    person.page.keyboard.press("Enter")
    expect(person.page.get_by_role("button", name="Try again")).to_be_visible()
    assert focused(person.tab) == "message"
    person.page.get_by_role("button", name="Try again").focus()
    person.page.keyboard.press("Enter")
    person.sees("Hel")
    assert focused(person.tab) == "Conversation"
    person.release()
    person.sees_end("Hello.")


def test_routes_are_walked_through_by_keys(person: Person) -> None:
    person.open("/api/chat")
    route = person.page.get_by_label("Route")
    person.page.keyboard.press("Shift+Tab")
    route.focus()
    for wanted in ("/api/lasting", "/api/desk"):
        person.page.keyboard.press("ArrowDown")
        expect(route).to_have_value(wanted)
    expect(route).to_be_focused()


def test_the_first_of_all_leads_to_the_message_field(person: Person) -> None:
    person.open()
    first = person.page.locator("a, button, input, select, textarea").first
    expect(first).to_have_text("To the message field")
    expect(first).not_to_be_in_viewport()
    first.focus()
    expect(first).to_be_in_viewport()
    person.page.keyboard.press("Enter")
    expect(person.field).to_be_focused()


def test_keys_for_what_is_done_often(person: Person) -> None:
    person.open("/api/chat", says("Hello."))
    person.say("Hi")
    person.sees_end("Hello.")
    keyboard = person.page.keyboard
    keyboard.press("Control+k")
    expect(person.page.get_by_label("Search chats")).to_be_focused()
    keyboard.press("Control+Shift+O")
    expect(person.messages).to_have_count(0)
    expect(person.field).to_be_focused()
    keyboard.press("Control+/")
    expect(person.page.get_by_role("dialog")).to_contain_text("Search the chats")
    assert person.tab.violations() == []
    keyboard.press("Escape")
    expect(person.page.get_by_role("dialog")).to_have_count(0)


def test_the_page_has_landmarks(person: Person) -> None:
    person.open()
    for role, name in (("navigation", "Chats"), ("form", "New message")):
        expect(person.page.get_by_role(role, name=name)).to_be_visible()  # type: ignore[arg-type]
    expect(person.page.get_by_role("main")).to_have_count(1)
    expect(person.page.get_by_role("heading", level=1)).to_have_count(1)


def test_a_phone_shows_all_of_it_within_its_width(phone: Person) -> None:
    phone.open("/api/chat", says(LONG))
    phone.say("Long")
    phone.sees_end("word")
    assert phone.page.evaluate("document.documentElement.scrollWidth") == 360
    assert phone.page.evaluate("document.querySelector('.scroller').scrollWidth") <= 360
    assert phone.tab.violations() == []


def test_long_names_of_files_and_many_options_fit(phone: Person) -> None:
    phone.open("/api/context", says("Noted."))
    phone.page.get_by_text("Options").click()
    expect(phone.page.get_by_label("Agent")).to_have_count(0)
    expect(phone.page.get_by_role("button", name="Send", exact=True)).to_be_in_viewport(ratio=1)
    file: FilePayload = {"name": f"{'n' * 120}.txt", "mimeType": "text/plain", "buffer": b"a note"}
    phone.page.locator("input[type=file]").set_input_files(file)
    phone.say("Read it")
    phone.sees_end("Noted.")
    assert phone.page.evaluate("document.querySelector('.scroller').scrollWidth") <= 360
    bubble = phone.messages.first.bounding_box()
    assert bubble is not None
    assert bubble["x"] >= 0


def test_a_phone_opens_the_list_of_chats_over_the_conversation(phone: Person) -> None:
    phone.open("/api/chat", says("Of Lyon."), says("Of Paris."))
    for city in ("Lyon", "Paris"):
        phone.page.get_by_role("button", name="Chats", exact=True).click()
        phone.press("New chat")
        phone.say(f"Tell me of {city}")
        phone.sees_end(f"Of {city}.")
    menu = phone.page.get_by_role("button", name="Chats", exact=True)
    menu.click()
    expect(phone.chats).to_have_count(2)
    expect(phone.chats.first).to_be_visible()
    assert phone.tab.violations() == []
    phone.chats.nth(1).get_by_role("link").click()
    phone.sees("Of Lyon.")
    expect(phone.chats.first).to_be_hidden()
    menu.click()
    phone.page.keyboard.press("Escape")
    expect(phone.chats.first).to_be_hidden()
    expect(menu).to_be_focused()


def test_the_dark_page_is_as_readable(dark: Person) -> None:
    dark.open("/api/desk", calls(("locate", {})), refuses(500, "no"))
    dark.say("Where am I?")
    dark.sees_end("waits for your answer")
    assert dark.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(25, 25, 24)"
    assert dark.tab.violations() == []
    dark.page.get_by_label("Output of locate").fill("here")
    dark.press("Send output")
    expect(dark.page.get_by_role("alert").filter(has_text="run_")).to_be_visible()
    assert dark.tab.violations() == []


def test_who_reads_further_up_is_not_pulled_down(person: Person) -> None:
    person.open("/api/chat", says(LONG * 3, HOLD, "The end."))
    person.say("Long")
    person.sees("word")
    scroller = person.page.locator(".scroller")
    assert scroller.evaluate("node => node.scrollHeight - node.scrollTop - node.clientHeight < 5")
    scroller.evaluate("node => { node.scrollTop = 0 }")
    expect(person.page.get_by_role("button", name="To the newest message")).to_be_visible()
    person.release()
    person.sees_end("The end.")
    assert scroller.evaluate("node => node.scrollTop") == 0
    person.press("To the newest message")
    assert scroller.evaluate("node => node.scrollHeight - node.scrollTop - node.clientHeight < 5")
