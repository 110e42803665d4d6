"""The chat page when something is wrong: each in words, and nothing that was said or written is lost."""

from __future__ import annotations

import json
import urllib.request

import pytest

from tests.browser.harness import FilePayload, Route, expect
from tests.browser.person import Person
from tests.clients.upstream import HOLD, calls, says

NOTE: FilePayload = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"a note"}


def stream(*chunks: dict[str, object]) -> str:
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (402, '{"error": "The budget team is spent"}', "The budget team is spent"),
        (429, '{"error": "Too many requests; try again in 3 s"}', "Too many requests; try again in 3 s"),
        (502, "<html>nginx</html>", "The server answered 502 Bad Gateway"),
    ],
)
def test_a_request_that_is_refused(status: int, body: str, words: str, person: Person) -> None:
    person.open("/api/chat", says("Now it works."))
    person.page.route("**/api/chat", lambda route: route.fulfill(status=status, body=body))
    person.say("Hello")
    expect(person.page.get_by_role("alert").filter(has_text=words)).to_be_visible()
    assert person.tab.violations() == []
    expect(person.messages).to_have_count(0)
    expect(person.field).to_have_value("Hello")
    person.page.unroute("**/api/chat")
    person.press("Send")
    person.sees_end("Now it works.")
    assert person.upstream.calls[0].texts[-1] == "Hello"
    expect(person.field).to_have_value("")
    person.tab.expect(f"status of {status}")


def test_what_is_refused_changes_nothing_and_goes_back_to_where_it_was_written(person: Person) -> None:
    person.open("/api/chat", says("One."), says("Two."), says("Three."))
    for question, answer in (("First", "One."), ("Second", "Two.")):
        person.say(question)
        person.sees_end(answer)
    person.page.route("**/api/chat", lambda route: route.fulfill(status=429, body='{"error": "Too many requests"}'))
    refused = person.page.get_by_role("alert").filter(has_text="Too many requests")
    person.press("Answer again")
    expect(refused).to_be_visible()
    expect(person.messages).to_contain_text(["First", "One.", "Second", "Two."])
    person.messages.first.hover()
    person.messages.first.get_by_role("button", name="Edit").click()
    person.page.get_by_label("Your message").fill("Uno")
    person.page.keyboard.press("Enter")
    expect(refused).to_be_visible()
    expect(person.messages).to_have_count(4)
    expect(person.page.get_by_label("Your message")).to_have_value("Uno")
    assert person.tab.violations() == []
    person.page.unroute("**/api/chat")
    person.page.keyboard.press("Enter")
    person.sees_end("Three.")
    expect(person.messages).to_contain_text(["Uno", "Three."])
    person.tab.expect("status of 429")


def test_files_of_a_message_that_is_refused_stay_with_it(person: Person) -> None:
    person.open("/api/chat", says("A note."))
    person.page.locator("input[type=file]").set_input_files(NOTE)
    person.page.route("**/api/chat", lambda route: route.abort("connectionrefused"))
    person.say("What is this?")
    expect(person.page.get_by_role("alert").filter(has_text="The server cannot be reached")).to_be_visible()
    expect(person.page.get_by_label("Attached files")).to_contain_text("note.txt6 B")
    person.page.unroute("**/api/chat")
    person.press("Send")
    person.sees_end("A note.")
    assert "a note" in str(person.upstream.calls[0].body["messages"][-1])
    person.tab.expect("ERR_CONNECTION_REFUSED")


def test_an_answer_to_a_tool_that_is_refused_can_be_given_again(person: Person) -> None:
    person.open("/api/desk6", calls(("locate", {})), says("You are in Lyon."))
    person.say("Where am I?")
    person.page.get_by_label("Output of locate").fill('{"city":"Lyon"}')
    person.page.route("**/api/desk6", lambda route: route.fulfill(status=402, body='{"error": "All is spent"}'))
    person.press("Send output")
    expect(person.page.get_by_role("alert").filter(has_text="All is spent")).to_be_visible()
    expect(person.page.get_by_label("Output of locate")).to_have_value('{"city":"Lyon"}')
    person.page.unroute("**/api/desk6")
    person.press("Send output")
    person.sees_end("You are in Lyon.", '"city": "Lyon"')
    person.tab.expect("status of 402")


def test_a_server_that_is_not_there(person: Person) -> None:
    person.open("/api/chat", says("Now it works."))
    person.page.route("**/api/chat", lambda route: route.abort("connectionrefused"))
    person.say("Hello")
    expect(person.page.get_by_role("alert").filter(has_text="The server cannot be reached")).to_be_visible()
    person.page.unroute("**/api/chat")
    person.press("Send")
    person.sees_end("Now it works.")
    person.tab.expect("ERR_CONNECTION_REFUSED")


def test_a_page_without_its_server_says_so(person: Person) -> None:
    person.page.route("**/@page/routes", lambda route: route.abort("connectionrefused"))
    person.page.goto(person.server.url)
    expect(person.page.get_by_role("alert")).to_have_text("The server cannot be reached. Is it running?")
    assert person.tab.violations() == []
    person.tab.expect("ERR_CONNECTION_REFUSED", "cannot be reached")


def test_an_answer_that_cannot_be_read(person: Person) -> None:
    person.open()
    person.page.route("**/api/chat", lambda route: route.fulfill(body="data: {oops\n\n"))
    person.say("Hi")
    expect(person.page.get_by_role("alert").filter(has_text="The answer cannot be read.")).to_be_visible()
    person.tab.expect("SyntaxError")


def test_an_answer_whose_connection_breaks_is_found_again(person: Person) -> None:
    person.open("/api/lasting", says("One, ", HOLD, "two."))
    broken = stream({"type": "start", "messageId": "m1"}).removesuffix("data: [DONE]\n\n")

    def post_and_break(route: Route) -> None:
        """The server begins its answer, of which the page is sent the beginning."""
        request = urllib.request.Request(
            route.request.url, route.request.post_data_buffer, route.request.headers, method="POST"
        )
        with urllib.request.urlopen(request) as response:
            response.read(10)
        route.fulfill(body=broken, content_type="text/event-stream")

    person.page.route("**/api/lasting", post_and_break)
    person.say("Count")
    person.sees("One,")
    person.release()
    person.sees_end("One, two.")
    expect(person.messages).to_have_count(2)
    assert len(person.upstream.calls) == 1


def test_an_answer_that_is_told_once_more_stands_once(person: Person) -> None:
    """A page that comes back late is told again what it has."""
    person.open("/api/chat", says("One."))
    person.say("Count")
    person.sees_end("One.")
    with person.page.expect_response("**/api/chats/*") as loaded:
        person.page.reload()
    person.sees_end("One.")
    told = stream(
        {"type": "start", "messageId": loaded.value.json()["messages"][1]["id"]},
        {"type": "text-start", "id": "t"},
        {"type": "text-delta", "id": "t", "delta": "One, told again."},
        {"type": "text-end", "id": "t"},
        {"type": "finish"},
    )
    person.page.route("**/stream", lambda route: route.fulfill(body=told, content_type="text/event-stream"))
    person.page.reload()
    person.sees_end("One, told again.")
    expect(person.messages).to_have_count(2)


def test_a_message_to_a_chat_that_answers_elsewhere_is_not_lost(person: Person) -> None:
    person.open("/api/chat", says("One."))
    person.say("Count")
    person.sees_end("One.")
    person.page.route("**/api/chat", lambda route: route.fulfill(status=409, body='{"error": "Still answering"}'))
    person.say("And on?")
    expect(person.page.get_by_role("alert").filter(has_text="Still answering")).to_be_visible()
    expect(person.field).to_have_value("And on?")
    person.press("Load the chat again")
    expect(person.messages).to_have_count(2)
    person.tab.expect("status of 409")
