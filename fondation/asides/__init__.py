"""Asides: what a model is asked beside the answer, for the title of a chat and for suggestions."""

from __future__ import annotations

from fondation.asides.company import Company, Untitled, accompany
from fondation.asides.under_way import Asides

__all__ = ["Asides", "Company", "Untitled", "accompany"]
