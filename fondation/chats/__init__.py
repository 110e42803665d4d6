"""Chats that the server keeps: what a request means for one, and how an answer gets into it."""

from __future__ import annotations

from fondation.chats.answers import CallAnswer, match_answers
from fondation.chats.history import TurnPlan, brings_all, model_messages, plan_turn
from fondation.chats.keeper import Keeping, begun, keep

__all__ = [
    "CallAnswer",
    "Keeping",
    "TurnPlan",
    "begun",
    "brings_all",
    "keep",
    "match_answers",
    "model_messages",
    "plan_turn",
]
