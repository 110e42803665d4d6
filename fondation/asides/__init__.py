"""Asides: what a model is asked beside the answer, for a chat's title, for suggestions, for a summary of old turns."""

from __future__ import annotations

from fondation.asides.company import Company, Untitled, accompany
from fondation.asides.under_way import Asides

__all__ = ["Asides", "Company", "Untitled", "accompany"]
