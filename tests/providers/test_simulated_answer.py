"""The text of a simulated answer."""

from __future__ import annotations

import pytest

from fondation.messages import FilePart, Json, Message, UserMessage
from fondation.providers.simulated import STATEMENT
from fondation.providers.simulated.answer import write_answer
from fondation.providers.simulated.turn import newest_turn
from tests.providers.simulated_requests import DESKS, INVOICE, SEARCH, WEATHER, called, request, user


def answer(messages: str | list[Message], **offered: Json) -> str:
    asked = request(messages, **offered)
    text = write_answer(asked, newest_turn(asked.messages))
    assert text.startswith(f"{STATEMENT} ")
    return text.removeprefix(f"{STATEMENT} ")


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (
            {"invoiceId": "INV-42", "status": "Paid", "amount": 99.99},
            "According to look_up, the invoice id is INV-42, the status is Paid and the amount is 99.99.",
        ),
        ({"is_open": True, "owner": None}, "According to look_up, the is open is yes and the owner is unknown."),
        ({"results": []}, "According to look_up, the results are none."),
        (
            {"results": [{"title": "A", "text": "First."}, {"title": "B", "text": "Second."}]},
            "According to look_up, the results are (A, First) and (B, Second).",
        ),
        ({"place": {"city": "Lyon"}}, "According to look_up, the place is (the city is Lyon)."),
        ([1, 2, 3, 4, 5], "According to look_up: 1, 2, 3 and 2 more."),
        ("It is sunny.", "According to look_up: It is sunny."),
        ("Error: There is no such thing", "look_up failed: There is no such thing."),
        (0, "According to look_up: 0."),
        (False, "According to look_up: no."),
        ("", "look_up returned nothing."),
        ("null", "look_up returned nothing."),
        ({}, "look_up returned nothing."),
        ("x" * 500, f"According to look_up: {'x' * 199}…."),
    ],
)
def test_a_result_is_said_in_a_sentence(result: Json, sentence: str) -> None:
    assert answer([user("?"), *called("look_up", result)]) == sentence


def test_every_result_of_the_turn_is_told() -> None:
    conversation = [user("?"), *called("first", "one"), *called("second", "two")]
    assert answer(conversation) == "According to first: one. According to second: two."


def test_results_of_earlier_turns_are_not_told() -> None:
    assert "one" not in answer([user("?"), *called("first", "one"), user("hello")])


def test_a_greeting_is_greeted_and_told_what_to_ask() -> None:
    text = answer("hello", tools=[WEATHER, SEARCH], handoffs=DESKS)
    assert text == (
        "Hello! This agent can call get_weather and search_web and can hand off to TechnicalSupport and "
        "BillingSupport; ask for something that fits."
    )


def test_what_fits_nothing_is_quoted() -> None:
    assert answer("Tell me\na joke", tools=[INVOICE]).startswith("You wrote: “Tell me a joke”. This agent can call")


def test_without_tools_a_model_would_answer_by_itself() -> None:
    assert answer("Bonjour !") == "Hello! A model would answer this in its own words."


def test_files_are_named() -> None:
    message = UserMessage((FilePart("data:,", "image/png", "cat.png"), FilePart("data:,", "text/plain")))
    assert answer([message]).startswith("You sent 2 files (cat.png, text/plain).")


def test_an_empty_conversation_has_an_answer() -> None:
    assert answer([]) == "A model would answer this in its own words."
