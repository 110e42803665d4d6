"""The chat page's list of chats, and chats that one leaves and comes back to."""

from __future__ import annotations

import json
import re

import pytest

from tests.browser.harness import Route, expect
from tests.browser.person import Person
from tests.clients.upstream import HOLD, calls, hands_off, says


def test_chats_are_listed_with_their_titles(person: Person) -> None:
    person.open("/api/chat", says("Of Lyon."), says("Of Paris."))
    person.say("Tell me of Lyon")
    person.sees_end("Of Lyon.")
    expect(person.chats).to_have_count(1)
    person.press("New chat")
    expect(person.messages).to_have_count(0)
    person.say("Tell me of Paris")
    person.sees_end("Of Paris.")
    expect(person.chats).to_have_text([re.compile("Tell me of Paris"), re.compile("Tell me of Lyon")])
    person.chats.nth(1).get_by_role("link").click()
    person.sees("Of Lyon.")
    expect(person.chats.nth(1).get_by_role("link")).to_have_attribute("aria-current", "page")
    person.page.go_back()
    person.sees("Of Paris.")


def test_chats_are_searched(person: Person) -> None:
    person.open("/api/chat", says("Of Lyon."), says("Of Paris."))
    for city in ("Lyon", "Paris"):
        person.press("New chat")
        person.say(f"Tell me of {city}")
        person.sees_end(f"Of {city}.")
    search = person.page.get_by_label("Search chats")
    search.fill("lyon")
    expect(person.chats).to_have_count(1)
    search.fill("nowhere")
    expect(person.page.get_by_text("No chat has these words.")).to_be_visible()
    search.fill("")
    expect(person.chats).to_have_count(2)


def test_a_chat_is_renamed(person: Person) -> None:
    person.open("/api/chat", says("Hello."))
    person.say("Hi")
    person.sees_end("Hello.")
    person.chats.first.hover()
    person.press("Rename Hi")
    title = person.page.get_by_label("Title of the chat")
    title.fill("Never")
    title.press("Escape")
    expect(person.chats.first).to_contain_text("Hi")
    person.press("Rename Hi")
    title.fill("Greetings")
    title.press("Enter")
    expect(person.chats.first).to_contain_text("Greetings")
    expect(person.page.get_by_role("heading", name="Greetings", level=1)).to_be_visible()
    person.page.reload()
    expect(person.chats.first).to_contain_text("Greetings")


def test_a_chat_is_deleted_once_the_person_is_sure(person: Person) -> None:
    person.open("/api/chat", says("Hello."))
    person.say("Hi")
    person.sees_end("Hello.")
    person.press("Delete Hi")
    expect(person.page.get_by_role("dialog")).to_contain_text("Delete “Hi”?")
    assert person.tab.violations() == []
    person.press("Cancel")
    expect(person.chats).to_have_count(1)
    person.press("Delete Hi")
    person.press("Delete")
    expect(person.chats).to_have_count(0)
    expect(person.messages).to_have_count(0)


def test_a_title_that_the_server_makes_is_shown(person: Person) -> None:
    person.open("/api/beside", says("Hello."))
    person.say("Tell me of Lyon")
    person.sees_end("Hello.")
    title = person.page.get_by_role("heading", level=1)
    expect(title).not_to_have_text("New chat")
    expect(person.chats.first.locator(".title")).to_have_text(title.inner_text())


@pytest.mark.parametrize("route", ["/api/chat", "/api/multi", "/api/desk6", "/api/old", "/api/alone"])
def test_a_chat_is_as_it_was_after_a_reload(route: str, person: Person) -> None:
    first = [hands_off("BillingSupport", "money")] if route == "/api/multi" else []
    person.open(route, *first, says("**Hello**."), says("And on."))
    person.say("Hi")
    person.sees_end("Hello.")
    facts = person.answer.locator(".facts").inner_text()
    person.page.reload()
    person.sees("Hello.", facts)
    expect(person.answer.locator("strong")).to_have_text("Hello")
    expect(person.page.get_by_label("Route")).to_have_value(route)
    person.say("Go on")
    person.sees_end("And on.")
    expect(person.messages).to_have_count(4)
    assert "Hi" in person.upstream.calls[-1].texts


@pytest.mark.parametrize("route", ["/api/lasting", "/api/alone"])
def test_an_answer_goes_on_after_a_reload(route: str, person: Person) -> None:
    person.open(route, says("One, two, ", HOLD, "three."))
    person.say("Count")
    person.sees("One, two,")
    person.page.reload()
    person.sees("One, two,")
    expect(person.page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    person.release()
    person.sees_end("One, two, three.")
    expect(person.messages).to_have_count(2)
    assert len(person.upstream.calls) == 1


@pytest.mark.parametrize("route", ["/api/desk", "/api/desk6", "/api/old"])
def test_a_call_still_waits_after_a_reload(route: str, person: Person) -> None:
    person.open(route, calls(("refund", {"invoice": "INV-1", "amount": 5})), says("Refunded."))
    person.say("Refund me")
    person.sees_end("waits for your approval")
    person.page.reload()
    person.sees("waits for your approval")
    person.press("Approve")
    person.sees_end("Refunded.", "refunded 5 for INV-1")


def test_an_answer_is_written_on_while_another_chat_shows(person: Person) -> None:
    person.open("/api/chat", says("One, ", HOLD, "two."), says("Of Paris."))
    person.say("Count")
    person.sees("One,")
    person.press("New chat")
    person.say("Tell me of Paris")
    person.sees_end("Of Paris.")
    person.release()
    person.chats.filter(has_text="Count").get_by_role("link").click()
    person.sees_end("One, two.")
    assert not person.upstream.calls[0].was_cut()


def test_a_chat_that_went_on_in_another_tab_is_read_again(person: Person) -> None:
    person.open("/api/chat", says("One."), says("Two."))
    person.say("First")
    person.sees_end("One.")
    other = person.page.context.new_page()
    other.goto(person.page.url)
    messages = other.locator(".message")
    expect(messages).to_have_count(2)
    person.page.bring_to_front()
    person.say("Second")
    person.sees_end("Two.")
    other.bring_to_front()
    other.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(messages).to_contain_text(["First", "One.", "Second", "Two."])
    person.page.bring_to_front()
    person.press("Delete First")
    person.press("Delete")
    expect(person.chats).to_have_count(0)
    other.bring_to_front()
    other.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(other.get_by_role("alert").filter(has_text="This chat is not here.")).to_be_visible()
    expect(messages).to_have_count(0)
    other.close()


def test_a_chat_that_is_deleted_elsewhere_is_missed_in_a_list_of_many(person: Person) -> None:
    person.open("/api/chat", says("One."))
    person.say("First")
    person.sees_end("One.")
    script = """async (id) => {
        const headers = {'x-session-id': JSON.parse(localStorage.getItem('fondation.session'))};
        await fetch(`/api/chats/${id}`, {method: 'DELETE', headers});
    }"""
    person.page.evaluate(script, person.page.url.rpartition("/")[2])
    older = {"id": "old", "title": "Old", "excerpt": "", "updatedAt": "2020-01-01T00:00:00.000Z"}
    page = json.dumps({"chats": [older], "next": "more"})
    person.page.route("**/api/chats?*", lambda route: route.fulfill(body=page, content_type="application/json"))
    person.page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(person.page.get_by_role("alert").filter(has_text="This chat is not here.")).to_be_visible()
    person.tab.expect("status of 404")


def test_a_long_list_stays_as_long_as_it_was(person: Person) -> None:
    person.open("/api/simulated")
    script = """async (count) => {
        const headers = {'content-type': 'application/json', accept: 'application/json'};
        headers['x-session-id'] = JSON.parse(localStorage.getItem('fondation.session'));
        const begin = (_, i) => {
            const body = JSON.stringify({id: `c${i}`, message: 'Hi'});
            return fetch('/api/simulated', {method: 'POST', headers, body});
        };
        await Promise.all(Array.from({length: count}, begin));
    }"""
    person.page.evaluate(script, 60)
    person.page.reload()
    expect(person.chats).to_have_count(50)
    person.press("Show more")
    expect(person.chats).to_have_count(60)
    person.chats.last.get_by_role("link").click()
    listed = person.page.locator(".listed")
    place = listed.evaluate("node => node.scrollTop")
    assert place > 0
    expect(person.page.get_by_label("Search chats")).to_be_in_viewport()
    with person.page.expect_response("**/api/chats?*"):
        person.page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(person.chats.last.get_by_role("link")).to_have_attribute("aria-current", "page")
    expect(person.chats).to_have_count(60)
    assert listed.evaluate("node => node.scrollTop") == place


@pytest.mark.parametrize("way", ["forbidden", "full"])
def test_a_browser_that_keeps_nothing_keeps_chats_as_long_as_the_page_is_open(way: str, person: Person) -> None:
    name = {"forbidden": "SecurityError", "full": "QuotaExceededError"}[way]
    person.page.add_init_script(
        f"""for (const name of ['localStorage', 'sessionStorage']) {{
            const fail = () => {{ throw new DOMException('', '{name}'); }};
            const value = {{getItem: () => null, setItem: fail}};
            const get = '{way}' === 'full' ? () => value : fail;
            Object.defineProperty(window, name, {{get}});
        }}"""
    )
    person.open("/api/alone", says("Of Lyon."), says("Of Paris."))
    for city in ("Lyon", "Paris"):
        person.press("New chat")
        person.say(f"Tell me of {city}")
        person.sees_end(f"Of {city}.")
    expect(person.chats).to_have_count(2)
    person.chats.nth(1).get_by_role("link").click()
    person.sees("Of Lyon.")


def test_a_chat_that_is_gone_says_so(person: Person) -> None:
    person.page.goto(f"{person.server.url}#chat/never")
    expect(person.page.get_by_role("alert").filter(has_text="This chat is not here.")).to_be_visible()
    person.tab.expect("status of 404")


def test_a_chat_that_this_browser_keeps_is_listed_renamed_and_deleted(person: Person) -> None:
    person.open("/api/alone", says("Hello."))
    person.say("Hi")
    person.sees_end("Hello.")
    person.press("Rename Hi")
    person.page.get_by_label("Title of the chat").fill("Mine")
    person.page.keyboard.press("Enter")
    expect(person.chats).to_have_text([re.compile("Mine")])
    person.page.reload()
    expect(person.page.get_by_role("heading", name="Mine", level=1)).to_be_visible()
    person.press("Delete Mine")
    person.press("Delete")
    expect(person.chats).to_have_count(0)


def test_a_chat_that_this_browser_keeps_stays_where_it_was_when_it_is_read(person: Person) -> None:
    person.open("/api/alone", says("Of Lyon."), says("Of Paris."))
    for city in ("Lyon", "Paris"):
        person.press("New chat")
        person.say(f"Tell me of {city}")
        person.sees_end(f"Of {city}.")
    order = [re.compile("Paris"), re.compile("Lyon")]
    expect(person.chats).to_have_text(order)
    person.chats.nth(1).get_by_role("link").click()
    person.sees("Of Lyon.")
    person.page.reload()
    person.sees("Of Lyon.")
    expect(person.chats).to_have_text(order)


def test_another_browser_sees_none_of_it(person: Person) -> None:
    person.open("/api/chat", says("Hello."))
    person.say("Hi")
    person.sees_end("Hello.")
    address = person.page.url
    browser = person.page.context.browser
    assert browser is not None
    other = browser.new_context()
    page = other.new_page()
    page.goto(address)
    expect(page.get_by_role("alert").filter(has_text="This chat is not here.")).to_be_visible()
    expect(page.get_by_text("No chats yet.")).to_be_visible()
    other.close()


def test_what_is_written_and_not_sent_waits_in_its_chat(person: Person) -> None:
    person.open("/api/chat", says("Of Lyon."))
    person.say("Tell me of Lyon")
    person.sees_end("Of Lyon.")
    person.field.fill("And of its")
    person.press("New chat")
    expect(person.field).to_have_value("")
    person.field.fill("Tell me of Par")
    person.chats.first.get_by_role("link").click()
    expect(person.field).to_have_value("And of its")
    person.page.reload()
    expect(person.field).to_have_value("And of its")
    person.press("New chat")
    expect(person.field).to_have_value("Tell me of Par")


def test_what_is_written_while_a_new_chat_begins_is_of_that_chat(person: Person) -> None:
    person.open("/api/chat", says("Of Lyon."))
    posted: list[Route] = []

    def hold(route: Route) -> None:
        posted.append(route)

    person.page.route("**/api/chat", hold)
    with person.page.expect_request("**/api/chat"):
        person.say("Tell me of Lyon")
    person.field.fill("And of its")
    posted[0].continue_()
    person.sees_end("Of Lyon.")
    person.press("New chat")
    expect(person.field).to_have_value("")
    person.chats.first.get_by_role("link").click()
    expect(person.field).to_have_value("And of its")
