"""The project that the servers of the proof serve: a route for each way in which calls come about and are paid."""

from __future__ import annotations

from pathlib import Path

PRICES = {"input": 0.15, "output": 0.6, "cached_input": 0.075}
"""Of `plain/priced`: dollars per million tokens, also in the file."""
ESTIMATED = "gpt-4o-mini"
"""A model that the kept price table knows."""

AGENTS = f"""
version: 1
models:
  main: {{provider: openrouter, id: router/main, base_url: ROUTER, retries: 1, timeout: 1s}}
  byok: {{provider: openrouter, id: router/byok, base_url: ROUTER, retries: 1, timeout: 1s}}
  cached: {{provider: openrouter, id: router/cached, base_url: ROUTER, retries: 1, timeout: 1s}}
  free: {{provider: openrouter, id: router/free, base_url: ROUTER, retries: 1, timeout: 1s}}
  aside: {{provider: openrouter, id: router/aside, base_url: ROUTER, retries: 1, timeout: 1s}}
  priced: {{provider: openai, id: plain/priced, base_url: PLAIN, retries: 1, timeout: 1s, price: {PRICES}}}
  unpriced: {{provider: openai, id: plain/unpriced, base_url: PLAIN, retries: 1, timeout: 1s}}
  estimated: {{provider: openai, id: {ESTIMATED}, base_url: PLAIN, retries: 1, timeout: 1s}}
  shaky:
    {{provider: openrouter, id: router/shaky, base_url: ROUTER, retries: 0, timeout: 1s, fallbacks: [free, priced]}}
  played: {{provider: simulated, id: nobody/played}}
tools:
  quick: proof_tools:quick
  slow: proof_tools:slow
  failing: proof_tools:failing
  refund: {{python: proof_tools:quick, approval: always}}
  locate:
    runs_on: client
    description: Where the user is.
    parameters: {{type: object, properties: {{what: {{type: string}}}}}}
agents:
  Triage: {{model: main, instructions: You are Triage., route_only: true, handoffs: [Billing, Support]}}
  Billing: {{model: byok, description: Money., instructions: You are Billing., tools: [quick], handoffs: [Support]}}
  Support: {{model: cached, description: The rest., instructions: You are Support., tools: [slow], handoffs: [Billing]}}
  Worker: {{model: main, instructions: You are Worker., tools: [quick, slow, failing]}}
  Saver: {{model: priced, instructions: You are Saver., tools: [quick]}}
  Stranger: {{model: unpriced, instructions: You are Stranger.}}
  Guess: {{model: estimated, instructions: You are Guess.}}
  Careful: {{model: shaky, instructions: You are Careful.}}
  Desk: {{model: main, instructions: You are Desk., tools: [refund, locate]}}
  Talker: {{model: free, instructions: You are Talker.}}
  Rememberer: {{model: cached, instructions: You are Rememberer., memory: {{summary: true}}}}
  Player: {{model: played, instructions: You are Player.}}
routes:
  /api/triage: Triage
  /api/work: Worker
  /api/work4: {{agent: Worker, client: 4, chats: client}}
  /api/keeps-on: {{agent: Worker, on_disconnect: continue}}
  /api/saver: Saver
  /api/stranger: Stranger
  /api/guess: Guess
  /api/careful: Careful
  /api/desk: {{agent: Desk, client: 6}}
  /api/talk: {{agent: Talker, titles: {{model: aside}}, suggestions: {{model: aside}}}}
  /api/long: Rememberer
  /api/played: Player
budgets:
  - {{name: everyone, limit: $100000.00, warn_at: 1%}}
  - {{name: each-user, limit: $100000.00, per: user, every: month}}
  - {{name: each-agent, limit: $100000.00, per: agent}}
  - {{name: each-model, limit: $100000.00, per: model}}
  - {{name: thrifty, limit: $0.01, per: session, where: {{agent: Worker}}, on_exceed: {{use: free}}}}
  - {{name: strict, limit: $0.012, per: session, where: {{agent: Rememberer}}}}
usage: {{on_usage: proof_tools:note}}
"""

TOOLS = '''
import asyncio
import json
import os

import fondation.price_table

# the kept table speaks of OpenAI's own address alone, which no test asks: here the upstream is that place
fondation.price_table.ESTIMATED_PROVIDERS["openai"] = os.environ["PLAIN_URL"]

told = os.open("told.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def quick(what: str = "") -> str:
    """Answers at once."""
    return f"quick {what}"


async def slow(what: str = "") -> str:
    """Takes its time."""
    await asyncio.sleep(0.3)
    return f"slow {what}"


def failing(what: str = "") -> str:
    """Never works."""
    raise RuntimeError("it never works")


def note(event: dict) -> None:
    os.write(told, json.dumps(event).encode() + b"\\n")
'''


def write_project(folder: Path, router: str, plain: str) -> None:
    """Write the project into a folder; the two are the base URLs of its providers."""
    (folder / "agents.yaml").write_text(AGENTS.replace("ROUTER", router).replace("PLAIN", plain))
    (folder / "proof_tools.py").write_text(TOOLS)
