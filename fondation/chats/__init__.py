"""Chats that the server keeps: what a request means for one."""

from __future__ import annotations

from fondation.chats.history import TurnPlan, plan_turn

__all__ = ["TurnPlan", "plan_turn"]
