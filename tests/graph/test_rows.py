from __future__ import annotations

from fondation.graph import Passed, rows

from .support import graph, traffic_of


def test_without_a_ledger_the_handoffs_are_in_the_files_order_and_nobody_knows_how_often() -> None:
    assert rows(graph("B A", "A B")) == [Passed("B", "A", None, False), Passed("A", "B", None, False)]


def test_the_most_travelled_are_first_those_never_taken_too() -> None:
    found = rows(graph("A B", "A C", "B C", "C A"), traffic_of({"B C": 7, "C A": 40, "Old A": 8}))
    assert found == [
        Passed("C", "A", 40, False),
        Passed("Old", "A", 8, True),
        Passed("B", "C", 7, False),
        Passed("A", "B", 0, False),
        Passed("A", "C", 0, False),
    ]
