from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondation.dashboard.selection import BadSelection, Selection
from fondation.usage.filters import Filters
from fondation.usage.periods import Period

NOW = datetime(2026, 11, 23, 12, tzinfo=ZoneInfo("Europe/Paris"))


def test_nothing_selected_is_everything() -> None:
    assert Selection.of({}).filters(NOW) == Filters()
    assert Selection().address() == "?"


def test_what_is_typed_selects() -> None:
    selection = Selection.of({"since": " 7d ", "until": "2026-11-22", "agent": "Billing", "user": "ada", "page": "2"})
    assert selection.filters(NOW) == Filters(
        Period(NOW - timedelta(days=7), datetime(2026, 11, 21, 23, tzinfo=UTC)), agent="Billing", user="ada"
    )


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (Selection(since="yesterday"), "^since: "),
        (Selection(until="7x"), "^until: "),
        (Selection(since="1d", until="2d"), "^since 1d is not before until 2d$"),
    ],
)
def test_a_period_that_is_none_is_told_with_its_name(selection: Selection, words: str) -> None:
    with pytest.raises(BadSelection, match=words):
        selection.filters(NOW)


@given(st.builds(Selection, *[st.text().map(str.strip)] * 5))
def test_an_address_selects_the_same(selection: Selection) -> None:
    assert Selection.of(dict(parse_qsl(selection.address()[1:], errors="strict"))) == selection


def test_an_address_keeps_what_is_not_changed() -> None:
    selection = Selection(since="7d", agent="Bill & Ben")
    assert selection.address(since="") == "?agent=Bill+%26+Ben"
    assert selection.address(user="ada", format="json") == "?since=7d&agent=Bill+%26+Ben&user=ada&format=json"
