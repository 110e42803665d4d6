"""Questions: one turn without tools that a model is asked for something else than a step of the answer."""

from __future__ import annotations

from fondation.questions.question import Question

__all__ = ["Question"]
