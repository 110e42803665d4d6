"""A ledger of a million calls, and how long its reports take: `python bench/large_ledger.py [CALLS]`.

The file is made in a temporary folder; each command is the real one, its start included.
"""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from fondation.stores import open_store
from fondation.stores.rows import COLUMNS, Row

DAYS = 90
AGENTS = ("Triage", "BillingSupport", "TechnicalSupport", "Sales", "Research")
MODELS = {
    "anthropic/claude-sonnet-4.5": "anthropic/claude-4.5-sonnet-20250929",
    "openai/gpt-5-mini": "openai/gpt-5-mini-2025-08-07",
    "meta-llama/llama-3.3-70b-instruct": "meta-llama/llama-3.3-70b-instruct",
}
ENDS = {("done", "billed"): 95, ("aborted", "unknown"): 2, ("refused", "none"): 2, ("error", "none"): 1}
PROJECT = f"""\
version: 1
models:
  claude: {{provider: simulated}}
agents:
{"".join(f"  {name}: {{model: claude, instructions: Help.}}{chr(10)}" for name in AGENTS)}"""
REPORTS = (
    ("--since", "7d"),
    ("--since", "7d", "--by", "user", "--top", "10"),
    (),
    ("--agent", "Sales"),
    ("--by", "model"),
    ("--by", "provider"),
    ("--by", "purpose"),
    ("--by", "day"),
    ("--by", "model,day"),
    ("--by", "day", "--format", "csv"),
    ("--by", "user", "--top", "10"),
)
COMMANDS = (*(("usage", *options) for options in REPORTS), ("graph", "--since", "7d"), ("graph", "--traffic"))


def calls(count: int) -> Iterator[Row]:
    """Runs of one to four calls, evenly over the last ninety days."""
    rng = random.Random(1)
    now = time.time()
    number = 0
    while number < count:
        run_id = f"run_{uuid.UUID(int=rng.getrandbits(128)).hex}"
        session = str(uuid.UUID(int=rng.getrandbits(128)))
        user = f"user_{rng.randrange(5_000)}"
        begun = now - DAYS * 86_400 * (1 - number / count)
        chain = ["Triage"]
        for step in range(1, rng.randint(1, 4) + 1):
            number += 1
            yield {
                **dict.fromkeys(COLUMNS),
                **call(rng, int(begun) + 3 * step),
                **passed_on(rng, chain),
                "run_id": run_id,
                "chat_id": session,
                "session_id": session,
                "user_id": user,
                "step": step,
            }


def passed_on(rng: random.Random, chain: list[str]) -> Row:
    """Who makes the call: in every other one the conversation has gone on to another agent."""
    if rng.random() < 0.5:
        chain.append(rng.choice([name for name in AGENTS if name != chain[-1]]))
    return {"agent_name": chain[-1], "handoff_chain": json.dumps(chain), "round": len(chain)}


def call(rng: random.Random, moment: int) -> Row:
    requested, model = rng.choice(list(MODELS.items()))
    prompt, completion = rng.randrange(200, 20_000), rng.randrange(5, 1_500)
    status, source = rng.choices(list(ENDS), list(ENDS.values()))[0]
    return {
        "timestamp": moment,
        "method": "stream",
        "provider": "openrouter",
        "requested_model": requested,
        "model": model,
        "generation_id": f"gen-{moment}-{rng.getrandbits(80):020x}",
        "status": status,
        "cost_source": source,
        "cost": (3 * prompt + 15 * completion) / 1e6 if source == "billed" else 0.0,
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "cached_tokens": prompt // 2,
        "reasoning_tokens": completion // 3,
        "duration": int(rng.lognormvariate(8, 1)),
        "time_to_first_token": int(rng.lognormvariate(6, 1)),
        "attempt": 1,
        "owner": "6f1c1a7e-8f7b-4a57-9df6-a24ff0a4d7d3/4026531836:12345:123456:deadbeef",
    }


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "fondation.db"
        open_store(ledger).close()
        marks = ", ".join(f":{name}" for name in COLUMNS)
        with closing(sqlite3.connect(ledger)) as connection, connection:
            connection.executemany(f"INSERT INTO usage_tracking ({', '.join(COLUMNS)}) VALUES ({marks})", calls(count))
        sys.stdout.write(f"{count:,} calls, {ledger.stat().st_size / 1e6:,.0f} MB\n")
        (Path(folder) / "agents.yaml").write_text(PROJECT)
        for name, *options in COMMANDS:
            command = [sys.executable, "-m", "fondation", name, "--db", str(ledger), *options]
            begun = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)
            sys.stdout.write(f"{time.perf_counter() - begun:6.2f} s  fondation {' '.join((name, *options))}\n")


if __name__ == "__main__":
    main()
