"""The chat page in a real browser: what a person does with one answer, and sees of it.

Every test ends with a look at what the page must not do: errors on the console, requests to other hosts, violations of
its policy (tests/browser/harness.py).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser.harness import FilePayload, expect
from tests.browser.person import Person
from tests.clients.upstream import HOLD, calls, hands_off, refuses, says

MARKDOWN = """# Title

A **bold** word, `code`, and [a link](https://example.com/a).

- one
  - two

| a | b |
|---|--:|
| 1 | 2 |

```python
print("<b>")
```
"""
HOSTILE = """<img src="http://127.0.0.1:9/x" onerror="document.title = 'owned'">
<script>document.title = 'owned'</script>

![pixel](http://127.0.0.1:9/pixel.png) [run](javascript:document.title='owned') [here](data:text/html,<script>)
"""


def test_an_empty_page_says_who_is_there(person: Person) -> None:
    person.open("/api/multi")
    expect(person.page.get_by_role("heading", name="New chat")).to_be_visible()
    expect(person.page.get_by_text("Invoices and payments.")).to_be_visible()
    expect(person.page.get_by_text("No chats yet.")).to_be_visible()
    assert person.tab.violations() == []


def test_text_shows_as_it_is_written(person: Person) -> None:
    person.open("/api/chat", says("Half of **it", HOLD, "** and the rest."))
    person.say("Hello")
    person.sees("Half of **it")
    expect(person.page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    person.release()
    person.sees_end("Half of it and the rest.")
    expect(person.answer.locator("strong")).to_have_text("it")
    expect(person.answer.locator(".facts")).to_have_text("scripted-1 · 12 tokens in, 3 out · $0.000081")


def test_each_paragraph_is_written_from_the_side_where_its_language_begins(person: Person) -> None:
    person.open("/api/chat", says("مرحبا بالعالم\n\nHello, world.\n\n- שלום"))
    person.say("Greet me")
    person.sees_end("Hello, world.")
    direction = "node => getComputedStyle(node).direction"
    assert [each.evaluate(direction) for each in person.answer.locator(".markdown > *").all()] == ["rtl", "ltr", "rtl"]


def test_markdown_is_nodes(person: Person) -> None:
    person.open("/api/chat", says(MARKDOWN))
    person.say("Show me")
    person.sees_end()
    expect(person.answer.get_by_role("heading", name="Title")).to_be_visible()
    expect(person.answer.locator("ul ul li")).to_have_text("two")
    expect(person.answer.get_by_role("cell", name="2")).to_have_class("right")
    expect(person.answer.locator("pre code")).to_have_text('print("<b>")')
    link = person.answer.get_by_role("link", name="a link")
    expect(link).to_have_attribute("href", "https://example.com/a")
    expect(link).to_have_attribute("rel", re.compile("noopener"))
    assert person.tab.violations() == []


def test_what_a_model_writes_never_runs_and_loads_nothing(person: Person) -> None:
    person.open("/api/chat", says(HOSTILE))
    person.say("Attack me")
    person.sees_end("<img src=", "<script>", "pixel", "run", "here")
    assert person.answer.locator("img, script").count() == 0
    hrefs = [link.get_attribute("href") or "" for link in person.answer.get_by_role("link").all()]
    assert hrefs == ["http://127.0.0.1:9/x", "http://127.0.0.1:9/pixel.png"]
    assert "owned" not in person.page.title()


def test_html_cannot_become_nodes_even_by_mistake(person: Person) -> None:
    person.open()
    refusal = person.page.evaluate("() => { try { document.body.innerHTML = '<b>'; } catch (e) { return e.name; } }")
    assert refusal == "TypeError"
    person.tab.expect("TrustedHTML")


def test_a_handoff_shows_and_the_agent_who_has_the_conversation(person: Person) -> None:
    person.open("/api/multi", hands_off("BillingSupport", "an invoice"), says("It is ", HOLD, "paid."))
    person.say("Is my invoice paid?")
    person.sees("Triage handed off to BillingSupport: an invoice", "It is")
    expect(person.page.get_by_text("BillingSupport is answering")).to_be_visible()
    person.release()
    person.sees_end("It is paid.", "Triage → BillingSupport")
    assert person.tab.violations() == []


def test_a_tool_shows_its_arguments_and_its_result(person: Person) -> None:
    person.open("/api/chat", calls(("get_weather", {"city": "Lyon"})), says("Cloudy."))
    person.say("Weather?")
    person.sees_end("get_weather", "done", "Cloudy.")
    expect(person.answer.get_by_text("city: Lyon")).to_be_visible()
    person.answer.get_by_text("get_weather").click()
    expect(person.answer.get_by_text("city: Lyon")).to_be_hidden()
    person.sees('"city": "Lyon"', '"temperature": 18')
    assert person.tab.violations() == []


def test_a_failing_tool_says_so_and_nothing_of_its_secrets(person: Person) -> None:
    person.open("/api/chat", calls(("crash", {})), says("It failed."))
    person.say("Try it")
    person.sees_end("failed", "It failed.")
    expect(person.answer).not_to_contain_text("sk-secret-key")


def test_what_a_tool_tells_the_page_shows(person: Person) -> None:
    person.open("/api/chat", calls(("show_progress", {})), says("Done."))
    person.say("Go")
    person.sees_end("report", "Done.")
    person.answer.get_by_text("report").click()
    person.sees('"pages": 2')


def test_thoughts_are_folded(person: Person) -> None:
    person.open("/api/chat", says({"reasoning": "Let me think"}, HOLD, "Here."))
    person.say("Think")
    expect(person.answer.get_by_text("Thinking…")).to_be_visible()
    expect(person.answer.get_by_text("Let me think")).to_be_hidden()
    person.release()
    person.sees_end("Here.")
    person.answer.get_by_text("Thoughts").click()
    expect(person.answer.get_by_text("Let me think")).to_be_visible()


@pytest.mark.parametrize("route", ["/api/desk", "/api/desk6", "/api/old"])
def test_a_call_runs_once_a_person_agrees(route: str, person: Person) -> None:
    person.open(route, calls(("refund", {"invoice": "INV-1", "amount": 5})), says("Refunded."))
    person.say("Refund me")
    person.sees_end("waits for your approval", '"invoice": "INV-1"')
    assert person.tab.violations() == []
    person.press("Approve")
    person.sees_end("Refunded.", "done", "refunded 5 for INV-1")
    assert len(person.upstream.calls) == 2


@pytest.mark.parametrize("route", ["/api/desk", "/api/desk6", "/api/old"])
def test_a_call_that_is_denied_does_not_run(route: str, person: Person) -> None:
    person.open(route, calls(("refund", {"invoice": "INV-1", "amount": 5})), says("Then not."))
    person.say("Refund me")
    person.sees_end("waits for your approval")
    person.page.get_by_label("Reason about refund").fill("too much")
    person.press("Deny")
    person.sees_end("Then not.")
    expect(person.answer).not_to_contain_text("refunded 5")
    assert "too much" in person.upstream.calls[1].texts[-1]


@pytest.mark.parametrize("route", ["/api/desk", "/api/desk6", "/api/old"])
def test_a_person_gives_the_output_of_a_clients_tool(route: str, person: Person) -> None:
    person.open(route, calls(("locate", {"exact": True})), says("You are in Lyon."))
    person.say("Where am I?")
    person.sees_end("waits for your answer", "You are this tool: Where the user is.", '"exact": true')
    assert person.tab.violations() == []
    person.page.get_by_label("Output of locate").fill('{"city": "Lyon"}')
    person.press("Send output")
    person.sees_end("You are in Lyon.", '"city": "Lyon"')
    assert '"city":"Lyon"' in person.upstream.calls[1].texts[-1].replace(" ", "")


def test_a_clients_tool_may_fail(person: Person) -> None:
    person.open("/api/desk", calls(("locate", {})), says("A pity."))
    person.say("Where am I?")
    person.page.get_by_label("Output of locate").fill("no signal")
    person.press("Say that it failed")
    person.sees_end("A pity.", "no signal")


def test_the_first_call_that_waits_shows_from_its_top(person: Person) -> None:
    wanted = [("refund", {"invoice": f"INV-{number}", "amount": 5}) for number in range(4)]
    person.open("/api/desk6", calls(*wanted))
    person.say("Refund them all")
    person.sees_end("waits for your approval")
    expect(person.answer.locator(".tool").first.get_by_text("refund")).to_be_in_viewport()


def test_calls_that_wait_together_go_on_together(person: Person) -> None:
    wanted = calls(("refund", {"invoice": "INV-1", "amount": 5}), ("locate", {}))
    person.open("/api/desk6", wanted, says("Both done."))
    person.say("Both")
    person.press("Approve")
    person.sees("answered, waits for the others")
    assert len(person.upstream.calls) == 1
    person.page.get_by_label("Output of locate").fill("here")
    person.press("Send output")
    person.sees_end("Both done.", "refunded 5 for INV-1")


def test_who_goes_on_leaves_a_call_that_waits(person: Person) -> None:
    person.open("/api/desk", calls(("locate", {})), says("As you like."))
    person.say("Where am I?")
    person.sees_end("waits for your answer")
    person.say("Never mind")
    person.sees_end("As you like.")
    expect(person.messages.nth(1)).to_contain_text("failed")
    expect(person.messages.nth(1)).not_to_contain_text("waits")
    expect(person.page.get_by_role("button", name="Send output")).to_have_count(0)


def test_a_long_result_is_shown_in_short_first(person: Person) -> None:
    person.open("/api/chat", calls(("write", {"characters": 9000})), says("Written."))
    person.say("Write")
    person.sees_end("Written.")
    person.answer.get_by_text("write", exact=True).click()
    result = person.answer.get_by_label("Result")
    assert len(result.inner_text()) == 4000
    person.press("Show all 9,000 characters")
    assert len(result.inner_text()) == 9000


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_files_are_dropped_and_pasted(way: str, person: Person) -> None:
    person.open("/api/chat", says("A note."))
    transfer = """() => {
        const data = new DataTransfer();
        data.items.add(new File(['a note'], 'note.txt', {type: 'text/plain'}));
        return data;
    }"""
    name = {"drop": "dataTransfer", "paste": "clipboardData"}[way]
    kind = {"drop": "DragEvent", "paste": "ClipboardEvent"}[way]
    person.field.evaluate(
        f"""(field) => field.dispatchEvent(
            new {kind}('{way}', {{bubbles: true, cancelable: true, {name}: ({transfer})()}}))"""
    )
    expect(person.page.get_by_label("Attached files")).to_contain_text("note.txt")
    person.press("Send")
    person.sees_end("A note.")
    assert "a note" in str(person.upstream.calls[0].body["messages"][-1])


def test_whatever_reads_as_text_is_sent_as_text(person: Person) -> None:
    person.open("/api/chat", says("One."))
    file: FilePayload = {"name": "a.json", "mimeType": "application/json", "buffer": b'{"city": "Lyon"}'}
    person.page.locator("input[type=file]").set_input_files(file)
    person.say("What is it?")
    person.sees_end("One.")
    assert '{"city": "Lyon"}' in person.upstream.calls[0].texts[-1]


def test_a_text_that_is_pasted_with_its_picture_is_text(person: Person) -> None:
    person.open()
    is_left_to_the_browser = person.field.evaluate(
        """(field) => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File(['x'], 'cells.png', {type: 'image/png'}));
            clipboardData.setData('text/plain', '1\t2');
            return field.dispatchEvent(new ClipboardEvent('paste', {bubbles: true, cancelable: true, clipboardData}));
        }"""
    )
    assert is_left_to_the_browser
    expect(person.page.get_by_label("Attached files")).to_be_hidden()


@pytest.mark.parametrize(
    ("name", "kind", "content", "words"),
    [
        ("a.zip", "application/zip", b"PK\x03\x04\0", "a.zip cannot be sent: images, audio, text and PDF can."),
        ("a.txt", "text/plain", b"", "a.txt is empty."),
        ("a.png", "image/png", b"no picture", "a.png is no picture that can be read."),
    ],
)
def test_a_file_that_no_model_takes_is_refused(
    name: str, kind: str, content: bytes, words: str, person: Person
) -> None:
    person.open()
    file: FilePayload = {"name": name, "mimeType": kind, "buffer": content}
    person.page.locator("input[type=file]").set_input_files(file)
    expect(person.page.get_by_text(words)).to_be_visible()
    expect(person.page.get_by_label("Attached files")).to_be_hidden()


def test_files_go_along(person: Person, tmp_path: Path) -> None:
    picture = tmp_path / "dot.png"
    picture.write_bytes(
        bytes.fromhex(
            "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
            "0000000d49444154789c63f8dfc0f01f000680027f104c1be10000000049454e44ae426082"
        )
    )
    person.open("/api/chat", says("A dot."))
    with person.page.expect_file_chooser() as chooser:
        person.press("Attach files")
    text: FilePayload = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"a note"}
    chooser.value.set_files([picture, tmp_path / "dot.png"])
    expect(person.page.get_by_label("Attached files").get_by_role("listitem")).to_have_count(2)
    person.page.get_by_role("button", name="Remove dot.png").first.click()
    expect(person.page.get_by_label("Attached files").get_by_role("listitem")).to_have_count(1)
    person.page.locator("input[type=file]").set_input_files(text)
    person.say("What is this?")
    person.sees_end("A dot.")
    expect(person.page.locator(".message.user img")).to_have_count(1)
    expect(person.page.locator(".message.user").get_by_text("note.txt")).to_be_visible()
    kinds = [part["type"] for part in person.upstream.calls[0].body["messages"][-1]["content"]]
    assert "image_url" in kinds
    assert person.tab.violations() == []


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(person: Person) -> None:
    person.open()
    large: FilePayload = {
        "name": "large.png",
        "mimeType": "image/png",
        "buffer": b"\x89PNG\r\n\x1a\n" + bytes(3_000_000),
    }
    person.page.locator("input[type=file]").set_input_files(large)
    expect(person.page.get_by_role("alert").filter(has_text="large.png is too large: 3.0 MB")).to_be_visible()


def test_a_message_that_is_too_long_stays_in_the_field(person: Person) -> None:
    person.open("/api/short")
    person.say("x" * 41)
    expect(person.page.get_by_text("The message has 41 characters; this route takes 40.")).to_be_visible()
    expect(person.field).to_have_value("x" * 41)


def test_an_answer_is_stopped_and_what_was_said_stays(person: Person) -> None:
    person.open("/api/chat", says("One, two, ", HOLD, "three"), says("Again."))
    person.say("Count")
    person.sees("One, two,")
    person.press("Stop")
    person.sees_end("One, two,", "Stopped.")
    assert person.upstream.calls[0].was_cut()
    person.press("Answer again")
    person.sees_end("Again.")
    expect(person.messages).to_have_count(2)


def test_an_answer_is_stopped_by_a_key(person: Person) -> None:
    person.open("/api/lasting", says("One, ", HOLD, "two"))
    person.say("Count")
    person.sees("One,")
    person.page.keyboard.press("Escape")
    person.sees_end("Stopped.")
    assert person.upstream.calls[0].was_cut()


def test_a_failure_is_told_in_words_and_tried_again(person: Person) -> None:
    person.open("/api/chat", refuses(401, "bad key sk-secret-key"), says("Now it works."))
    person.say("Hello")
    alert = person.page.get_by_role("alert").filter(has_text="run_")
    expect(alert).to_be_visible()
    expect(alert).not_to_contain_text("sk-secret-key")
    assert person.tab.violations() == []
    person.press("Try again")
    person.sees_end("Now it works.")
    expect(person.messages).to_have_count(2)
    expect(alert).to_have_count(0)


def test_an_answer_is_given_anew(person: Person) -> None:
    person.open("/api/chat", says("First."), says("Second."))
    person.say("Hello")
    person.sees_end("First.")
    person.press("Answer again")
    person.sees_end("Second.")
    expect(person.messages).to_have_count(2)
    assert person.upstream.calls[1].texts[-1] == "Hello"


def test_a_message_is_edited_and_what_followed_is_dropped(person: Person) -> None:
    person.open("/api/chat", says("First."), says("Second."), says("Third."))
    person.say("One")
    person.sees_end("First.")
    person.say("Two")
    person.sees_end("Second.")
    person.messages.first.hover()
    person.messages.first.get_by_role("button", name="Edit").click()
    person.page.get_by_label("Your message").fill("Uno")
    person.page.keyboard.press("Enter")
    person.sees_end("Third.")
    expect(person.messages).to_have_count(2)
    expect(person.messages.first).to_contain_text("Uno")
    assert person.upstream.calls[2].texts[-1] == "Uno"
    assert "Two" not in person.upstream.calls[2].texts


def test_an_edit_is_left(person: Person) -> None:
    person.open("/api/chat", says("First."))
    person.say("One")
    person.sees_end("First.")
    expect(person.field).to_have_value("")
    person.field.press("ArrowUp")
    expect(person.page.get_by_label("Your message")).to_be_focused()
    person.page.keyboard.press("Escape")
    expect(person.page.get_by_label("Your message")).to_have_count(0)
    expect(person.messages.first).to_contain_text("One")
    expect(person.messages.first.get_by_role("button", name="Edit")).to_be_focused()


@pytest.mark.parametrize(("route", "said"), [("/api/unpriced", "cost unknown"), ("/api/simulated", "simulated")])
def test_a_cost_that_nobody_knows_is_not_told_as_nothing(route: str, said: str, person: Person) -> None:
    person.open(route, says("Hello."))
    person.say("Hi")
    expect(person.answer.locator(".facts")).to_contain_text(said)
    expect(person.answer.locator(".facts")).not_to_contain_text("$0")


def test_suggestions_are_offered_and_a_title_is_given(person: Person) -> None:
    person.open("/api/beside", says("Hello."), says("More."))
    person.say("Tell me of Lyon")
    person.sees_end("Hello.")
    suggestion = person.page.locator(".suggestion").first
    expect(suggestion).to_be_visible()
    text = suggestion.inner_text()
    assert person.tab.violations() == []
    suggestion.click()
    person.sees_end("More.")
    assert person.upstream.calls[1].texts[-1] == text


def test_the_values_of_a_route_go_along(person: Person) -> None:
    person.open("/api/context", says("Noted."))
    person.page.get_by_text("Options").click()
    person.page.get_by_label("plan").fill("premium")
    person.page.get_by_label("seats").fill("3")
    person.page.get_by_label("trial").select_option("no")
    person.page.get_by_text("Options").click()
    expect(person.page.get_by_text("plan: premium, seats: 3, trial: false")).to_be_visible()
    assert person.tab.violations() == []
    with person.page.expect_request(lambda request: request.method == "POST") as posted:
        person.say("Hello")
    body = posted.value.post_data_json
    assert body is not None
    assert body["context"] == {"plan": "premium", "seats": 3, "trial": False}
    person.sees_end("Noted.")


def test_a_value_of_a_route_that_it_does_not_take_says_so(person: Person) -> None:
    person.open("/api/context")
    person.page.get_by_text("Options").click()
    seats = person.page.get_by_label("seats")
    seats.fill("1.5")
    seats.press("Tab")
    expect(seats).to_be_focused()
    assert seats.evaluate("field => field.validity.stepMismatch")


def test_a_person_chooses_the_agent(person: Person) -> None:
    person.open("/api/multi", says("Technically."))
    person.page.get_by_text("Options").click()
    person.page.get_by_label("Agent", exact=True).select_option("TechnicalSupport")
    person.say("Hello")
    person.sees_end("Technically.", "TechnicalSupport")
    assert len(person.upstream.calls) == 1


def test_a_screen_reader_is_told_of_a_handoff(person: Person) -> None:
    person.open("/api/multi", hands_off("BillingSupport", "an invoice"), says("It is ", HOLD, "paid."))
    person.say("Is my invoice paid?")
    expect(person.page.locator("[aria-live=polite]")).to_have_text("BillingSupport answers now.")
    person.release()
    person.sees_end("It is paid.")


def test_a_screen_reader_is_told_whole_sentences(person: Person) -> None:
    person.open("/api/chat", says("The first sentence. The sec", HOLD, "ond one."))
    person.say("Hello")
    status = person.page.locator("[aria-live=polite]")
    expect(status).to_have_text("The first sentence.")
    person.release()
    expect(status).to_have_text("The second one.")
