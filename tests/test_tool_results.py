from __future__ import annotations

from fondation.messages import Json
from fondation.tool_results import FAILURE, STOPPED, TOO_LATE, UNANSWERED, denial_text, failure_text, value_text


def test_text_is_read_as_it_is_and_other_values_as_json() -> None:
    values: list[Json] = ["sunny", "", None, {"city": "Liège"}, [1, 2.5, True]]
    assert [value_text(value) for value in values] == ["sunny", "", "null", '{"city":"Liège"}', "[1,2.5,true]"]


def test_a_failure_is_told_from_an_output() -> None:
    assert failure_text("no such invoice") == f"{FAILURE}no such invoice"


def test_a_denial_gives_its_reason_where_there_is_one() -> None:
    assert [denial_text(reason) for reason in ("too dear", "", None)] == [
        "Denied by the user: too dear",
        "Denied by the user.",
        "Denied by the user.",
    ]


def test_what_the_user_did_not_say_is_not_told_as_theirs() -> None:
    assert [denial_text(reason) for reason in (TOO_LATE, UNANSWERED, STOPPED)] == [TOO_LATE, UNANSWERED, STOPPED]
