"""What fits: the rule by which money is set aside."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fondation.stores.budgets import Claim, Counter, Scope, Standing, decide


def claim(key: str = "a", amount: int = 15, least: int = 10, limit: int | None = 100) -> Claim:
    return Claim(Counter(key, key, "", Scope(), 60), amount, least, limit)


def test_what_fits_is_set_aside() -> None:
    assert claim().granted(spent=70, reserved=15) == 15


def test_what_others_have_set_aside_counts() -> None:
    assert claim().granted(spent=70, reserved=16) is None


def test_a_call_that_is_alone_may_be_as_small_as_the_usual_one() -> None:
    assert claim().granted(spent=90, reserved=0) == 10
    assert claim().granted(spent=91, reserved=0) is None


def test_a_first_guess_that_is_too_high_takes_what_is_left() -> None:
    assert claim(amount=5_000, least=1).granted(spent=99, reserved=0) == 1


def test_the_first_call_of_all_goes_whatever_it_asks_for() -> None:
    dear = claim(amount=900, least=600)
    assert [dear.granted(0, 0), dear.granted(0, 1), dear.granted(1, 0)] == [100, None, None]


def test_what_is_used_up_grants_nothing() -> None:
    assert claim(amount=0, least=0).granted(spent=100, reserved=0) is None


def test_what_is_not_checked_is_counted() -> None:
    assert claim(limit=None).granted(spent=1_000, reserved=7) == 15


def test_only_what_others_hold_is_worth_waiting_for() -> None:
    assert claim().may_fit_later(spent=70, reserved=16)
    assert not claim().may_fit_later(spent=95, reserved=0)
    assert not claim().may_fit_later(spent=100, reserved=16)


def test_all_is_granted_or_nothing() -> None:
    claims = [claim("a"), claim("b"), claim("c")]
    decision = decide(claims, {"a": Standing(0, 0), "b": Standing(100, 0), "c": Standing(100, 0)})
    assert (decision.granted, decision.refused) == ({}, ("b", "c"))
    assert decide(claims, dict.fromkeys("abc", Standing(0, 0))).granted == dict.fromkeys("abc", 15)


amounts = st.integers(0, 1_000)


@given(amounts, amounts, amounts, amounts, amounts)
def test_a_grant_never_goes_beyond_the_limit(amount: int, least: int, limit: int, spent: int, reserved: int) -> None:
    granted = claim(amount=amount, least=least, limit=limit).granted(spent, reserved)
    assert granted is None or (spent + reserved + granted <= limit and granted <= amount)
