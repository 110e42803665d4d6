"""What answers cost, as the chat page tells it: the ledger's own figures, and budgets that run out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import pytest

from tests.browser.harness import expect
from tests.browser.person import Person
from tests.clients.upstream import HOLD, calls, says

WEATHER = calls(("get_weather", {"city": "Oslo"}), text="Let me see. ")
USED_UP = 'The budget "thrift" is used up: $0.03 of $0.03 is spent.'


@pytest.fixture
def receipts(person: Person) -> Iterator[None]:
    """The provider tells what a call cost, some time after it."""
    yield
    person.upstream.receipt = None


def ledger_cost(person: Person) -> Decimal:
    """Of the chat that shows."""
    chat = person.page.url.rpartition("/")[2]
    query = "SELECT SUM(cost_pico) FROM usage_tracking WHERE chat_id = ? AND purpose = 'answer'"
    with closing(sqlite3.connect(person.server.folder / "fondation.db")) as database:
        ((pico,),) = database.execute(query, (chat,))
    return Decimal(pico) / 10**12


def test_an_answer_tells_to_the_last_digit_what_it_took(person: Person) -> None:
    person.open("/api/chat", calls(("get_weather", {"city": "Lyon"})), says("Cloudy."))
    person.say("Weather?")
    person.sees_end("Cloudy.")
    person.answer.locator(".facts").click()
    rows = person.answer.locator(".took dd")
    expect(rows).to_contain_text(
        ["scripted-1", "Assistant", "24 in, 6 out, 30 in all", "$0.000162, by the file's price", "run_"]
    )
    assert ledger_cost(person) == Decimal("0.000162")
    assert person.tab.violations() == []


@pytest.mark.usefixtures("receipts")
def test_a_cost_that_is_settled_later_is_told_then(person: Person) -> None:
    person.open("/api/routed", says("One, ", HOLD, "two."))
    person.say("Count")
    person.sees("One,")
    person.press("Stop")
    person.sees_end("Stopped.")
    facts = person.answer.locator(".facts")
    expect(facts).to_have_text("cost not known yet")
    person.upstream.receipt = {"total_cost": 0.000123456789, "tokens_prompt": 12, "tokens_completion": 3}
    expect(facts).to_have_text("12 tokens in, 3 out · $0.000123", timeout=20_000)
    facts.click()
    person.sees("$0.000123456789, billed by the provider")
    assert ledger_cost(person) == Decimal("0.000123456789")


def test_a_budget_that_runs_short_warns_and_then_stops_the_answer(person: Person) -> None:
    person.open("/api/thrifty", WEATHER, WEATHER, says("Never said."))
    person.say("Weather?")
    person.sees_end("Let me see.", "$0.03")
    expect(person.page.get_by_role("alert").filter(has_text=USED_UP)).to_be_visible()
    expect(person.page.get_by_text("Budget thrift: $0.03 of $0.03 spent, resets")).to_be_visible()
    expect(person.answer.locator(".tool")).to_have_count(2)
    assert len(person.upstream.calls) == 2
    assert person.tab.violations() == []
    with person.page.expect_response("**/api/thrifty") as refused:
        person.press("Try again")
    assert refused.value.status == 402
    expect(person.page.get_by_role("button", name="Try again")).to_be_visible()
    expect(person.answer.locator(".tool")).to_have_count(2)
    person.tab.expect("status of 402")


def test_a_message_that_there_is_no_money_for_stays_in_its_field(person: Person) -> None:
    person.open("/api/thrifty", WEATHER, says("Clear."))
    person.say("Weather?")
    person.sees_end("Clear.", "$0.03")
    warning = person.page.get_by_text("Budget thrift: $0.015 of $0.03 spent, resets")
    expect(warning).to_be_visible()
    person.press("Dismiss")
    expect(warning).to_have_count(0)
    person.say("And tomorrow?")
    expect(person.page.get_by_role("alert").filter(has_text=USED_UP)).to_be_visible()
    expect(person.field).to_have_value("And tomorrow?")
    expect(person.messages).to_have_count(2)
    assert len(person.upstream.calls) == 2
    person.page.reload()
    person.sees("Clear.")
    expect(person.messages).to_have_count(2)
    expect(person.field).to_have_value("And tomorrow?")
    person.tab.expect("status of 402")
