"""What a process goes by while its database fails."""

from __future__ import annotations

import pytest

from fondation.budgets import known as known_module
from fondation.budgets.known import LastKnown
from fondation.calls import Reservation
from fondation.stores.budgets import Claim, Counter, Decision, Scope, Standing


def claim(key: str = "a", amount: int = 10, warn_at: int | None = None) -> Claim:
    return Claim(Counter(key, key, "", Scope(), 60), amount, amount, 100, warn_at)


def told(spent: int, reserved: int = 0, granted: int = 0) -> Decision:
    return Decision({"a": Standing(spent, reserved)}, {"a": granted} if granted else {})


def test_it_goes_on_from_what_the_database_told() -> None:
    known = LastKnown()
    known.learn("t1", told(spent=60, reserved=20, granted=10))
    assert known.decide("t2", [claim()]).granted == {"a": 10}
    assert known.decide("t3", [claim()]).refused == ("a",)


def test_what_ends_meanwhile_is_spent() -> None:
    known = LastKnown()
    known.learn("t1", told(spent=60, granted=10))
    known.settle(Reservation("t1", ("a",)), 35)
    assert known.decide("t2", [claim()]).standings["a"] == Standing(95, 0)


def test_what_is_not_sent_is_free() -> None:
    known = LastKnown()
    known.decide("t1", [claim(amount=90)])
    assert known.decide("t2", [claim(amount=20)]).refused == ("a",)
    known.release("t1")
    assert known.decide("t2", [claim(amount=20)]).granted == {"a": 20}


def test_the_database_knows_better() -> None:
    known = LastKnown()
    known.decide("t1", [claim(amount=90)])
    known.learn("t2", told(spent=5))
    assert known.decide("t3", [claim()]).standings["a"] == Standing(5, 0)


def test_nobody_is_warned_twice() -> None:
    known = LastKnown()
    known.learn("t1", told(spent=60))
    assert [known.decide("t", [claim(amount=1, warn_at=50)]).crossed for _ in range(2)] == [("a",), ()]


def test_it_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_module, "MOST_COUNTERS", 3)
    known = LastKnown()
    for number in range(10):
        reservation = Reservation(f"t{number}", (f"k{number}",))
        known.learn(reservation.token, Decision({f"k{number}": Standing(1, 0)}, {f"k{number}": 1}))
        known.settle(reservation, 1)
    assert len(known._counters) == 3
    assert not known._reserved
