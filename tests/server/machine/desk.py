"""What is served: agents, their tools, a route for each way to treat a lost reader; and the calls a model may make."""

from __future__ import annotations

from typing import Any

DESK = """
version: 1
models:
  main: {provider: simulated, id: acme/main, retries: 0}
tools:
  look: machine_tools:look
  ponder: {python: machine_tools:ponder, timeout: 30d}
  refund: {python: machine_tools:refund, approval: {when: machine_tools:is_large, expires: 1h}}
  locate: {runs_on: client, description: Where the user is., parameters: {type: object}}
agents:
  Triage:
    model: main
    description: Routes.
    instructions: You are Triage.
    tools: [look, ponder, refund, locate]
    handoffs: [Ann]
  Ann: {model: main, description: Ann., instructions: You are Ann., tools: [look, ponder, refund], handoffs: [Triage]}
limits: {max_rounds: 3, max_steps: 100, run_timeout: 30d}
routes:
"""
ROUTES = {
    f"/{departure}{major}": (departure, major) for departure in ("cancel", "continue", "grace") for major in (5, 6)
}
GRACE = 30.0
"""Seconds that a run of a graceful route goes on unread."""
EXPIRY = 3600.0
"""Seconds that a refund waits for somebody's yes."""
WHAT = {"cancel": "cancel", "continue": "continue", "grace": "{grace: 30s}"}
TEXT = DESK + "".join(
    f"  {path}: {{agent: Triage, client: {major}, on_disconnect: {WHAT[departure]}}}\n"
    for path, (departure, major) in ROUTES.items()
)
TOOLS = '''
import asyncio
from fondation import ToolError

pondering = {}

def look(city: str) -> dict:
    """Looks."""
    if city.endswith("0"):
        raise ToolError("There is no such city.")
    return {"city": city}

async def ponder(subject: str) -> str:
    """Takes its time."""
    pondering[subject] = asyncio.Event()
    try:
        await pondering[subject].wait()
    finally:
        del pondering[subject]
    return subject

def refund(amount: int, why: str) -> dict:
    """Pays back."""
    return {"paid": amount, "why": why}

def is_large(amount: int) -> bool:
    return amount > 100
'''
ARGUMENTS: dict[str, Any] = {
    "look": lambda word: {"city": word},
    "ponder": lambda word: {"subject": word},
    "refund": lambda word: {"amount": 500, "why": word},
    "small refund": lambda word: {"amount": 5, "why": word},
    "locate": lambda word: {"of": word},
    "handoff_to_agent": lambda word: {"targetAgent": "Ann", "reason": word},
    "handoff back": lambda word: {"targetAgent": "Triage", "reason": word},
    "nothing": lambda word: {"word": word},
}
WAITS = ("refund", "locate")
TOOLS_OF = {
    "You are Triage.": ("look", "ponder", "refund", "small refund", "locate"),
    "You are Ann.": ("look", "ponder", "refund", "small refund"),
}
"""By the agent's instructions."""
NAMES = {"small refund": "refund", "handoff back": "handoff_to_agent"}
"""The tool, where it is not named so."""
BROKEN = "{broken"
