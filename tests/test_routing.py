"""Which agent begins a run."""

from __future__ import annotations

from typing import Any

import pytest

from fondation.agents import Route
from fondation.errors import RequestError
from fondation.routing import choose_agent
from tests.support.scripted import Player, ScriptedProvider, build_route

PLAYERS = {
    "Triage": Player(handoffs=("Billing", "Tech")),
    "Billing": Player(match_on=("invoice", "pay")),
    "Tech": Player(handoffs=("Expert",), match_on=("/err(or)?/i", "invoice")),
    "Expert": Player(match_on=("kernel",)),
}


def desk(**config: Any) -> Route:
    return build_route(ScriptedProvider([]), PLAYERS, **config)


def chosen(text: str, route: Route | None = None, **options: Any) -> tuple[str, str | None]:
    start = choose_agent(route or desk(), text, **options)
    return start.agent.name, start.strategy


def test_without_a_better_reason_the_routes_own_agent_begins() -> None:
    assert chosen("Hello") == ("Triage", None)


def test_a_message_that_matches_goes_straight_to_its_agent() -> None:
    assert chosen("My INVOICE 12, please") == ("Billing", "programmatic")
    assert chosen("An Error occurred") == ("Tech", "programmatic")


def test_the_first_handoff_that_matches_wins() -> None:
    assert chosen("an invoice with an error") == ("Billing", "programmatic")


def test_only_the_agents_that_the_routes_own_may_hand_off_to_are_matched() -> None:
    assert chosen("the kernel") == ("Triage", None)


def test_a_chat_goes_on_with_the_agent_that_answered_last() -> None:
    assert chosen("an invoice", last_agent="Expert") == ("Expert", None)


@pytest.mark.parametrize("last_agent", ["Gone", "", None])
def test_an_agent_that_is_not_reachable_any_more_is_forgotten(last_agent: str | None) -> None:
    assert chosen("an invoice", last_agent=last_agent) == ("Billing", "programmatic")


def test_a_route_that_is_not_sticky_begins_anew() -> None:
    assert chosen("Hello", desk(sticky=False), last_agent="Tech") == ("Triage", None)


def test_the_clients_choice_is_above_all_else() -> None:
    assert chosen("an invoice", choice="Expert", last_agent="Tech") == ("Expert", "explicit")


@pytest.mark.parametrize("choice", ["Nobody", "", "billing"])
def test_a_choice_that_handoffs_do_not_lead_to_is_refused_with_the_names_that_are(choice: str) -> None:
    with pytest.raises(RequestError, match="agentChoice: one of Triage, Billing, Tech, Expert") as refused:
        choose_agent(desk(), "Hello", choice=choice)
    assert refused.value.status == 400
