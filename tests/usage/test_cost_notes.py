from __future__ import annotations

from typing import get_args

from fondation.calls import CostNote
from fondation.usage.cost_notes import why_unknown


def test_reasons_are_told_in_words_also_unheard_ones() -> None:
    assert why_unknown("no_receipts") == "its process died, and its provider keeps no receipts"
    assert (why_unknown(None), why_unknown("cosmic_rays")) == ("nobody said why", "cosmic_rays")


def test_each_reason_has_words() -> None:
    assert all(" " in why_unknown(note) for note in get_args(CostNote))
