"""Every part of the dashboard's look on one page, with made-up values: `python -m tests.dashboard.gallery FOLDER`."""

from __future__ import annotations

import random
import shutil
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import jinja2
from markupsafe import Markup

import fondation
from fondation.dashboard.charts.bars import bar, budget_bar, budget_state, part_bar
from fondation.dashboard.charts.measures import COST, Amount, counts
from fondation.dashboard.charts.ranges import Latency, ranges
from fondation.dashboard.charts.series import Days
from fondation.dashboard.charts.stacked import stacked
from fondation.dashboard.charts.waterfall import Bar, waterfall
from fondation.graph import Agent, Graph, Handoff, Route, draw
from fondation.svg import Element, as_text
from fondation.usage.traffic import Traffic

PACKAGE = Path(fondation.__file__).parent
FILES = ("dashboard/files/dashboard.css", "graph/graph.css", "server/page/files/icon.svg")
LAST = date(2026, 11, 23)
AGENTS = [
    "Triage",
    "Billing",
    "Researcher of the deep and wide web",
    "Writer",
    "Q" * 70,
    "<b>bold</b>",
    "Zoë",
    "7",
    "8",
]
MODELS = [
    "anthropic/claude-sonnet-4.5",
    "openai/gpt-5-mini",
    "meta-llama/llama-4-maverick-17b-128e-instruct-fp8-with-a-very-long-name:nitro",
    "local",
]
STATUSES = ["done", "refused", "error", "aborted", "simulated", "unknown", "pending", "running", "lost", *["done"] * 12]


def svg(drawing: Element) -> Markup:
    return Markup(as_text(drawing))


def gallery() -> str:
    """The page; its `FILES` stand beside it."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True)
    environment.filters["svg"] = svg
    environment.undefined = jinja2.StrictUndefined
    return environment.get_template("gallery.html").render(
        agents=[{"name": name} for name in AGENTS],
        stacked=[
            ("Cost by day", stacked("Cost", days(30, 4), COST)),
            ("A year of ten agents", stacked("Cost", days(400, 10), COST)),
            ("One day", stacked("Cost", {LAST: {"Triage": Amount(Decimal("0.0002"))}}, COST)),
            ("Tokens of 100 days", stacked("Tokens", tokens(100), counts("token"))),
            ("Nothing known", stacked("Cost", {LAST: {"Triage": Amount(None, 3)}}, COST, LAST - timedelta(6))),
        ],
        models=[
            {
                "name": name,
                "calls": f"{1200 - at * 7:,}",
                "tokens": f"{10 ** (8 - 2 * at):,}",
                "cost": cost,
                "bar": drawn,
            }
            for at, (name, cost, drawn) in enumerate(
                zip(
                    MODELS,
                    ["$1,100.2000", "$130.0000", "$0.0001", "unknown"],
                    [bar(1), bar(0.12), bar(0.0000001), bar(None)],
                    strict=True,
                )
            )
        ],
        cached=[
            {"name": name, "text": "-" if share is None else f"{share:.1%}", "bar": part_bar(share)}
            for name, share in zip(MODELS, [0.412, 0.999, 0, None], strict=True)
        ],
        latency=ranges(
            "Latency by model",
            [
                Latency(MODELS[0], 420, 1900, 6200, 31_000),
                Latency(MODELS[1], 210, 640, 1800, 5200),
                Latency(MODELS[2], None, None, 900, 61_000),
                Latency("never answered", None, None, None, None),
                Latency("local", 31, 31, 31, 31),
            ],
        ),
        budgets=[budget(*each) for each in BUDGETS],
        statuses=STATUSES,
        graph=draw(GRAPH, Traffic(TIMES, {}), href=lambda name: f"#{name}"),
        run=waterfall("Calls of the run", RUN),
    )


BUDGETS = [
    ("month", 12, 0.4, 50),
    ("per user: ada@example.org", 4.1, 0.3, 5),
    ("day", 10.2, 0, 10),
    ("far over", 31, 2, 10),
    ("nothing yet", 0, 0, 5),
    ("nothing allowed", 0, 0, 0),
]

GRAPH = Graph(
    (Route("/api/chat", "Triage"), Route("/api/desk", "Desk")),
    tuple(Agent(name, "fast", "openai/gpt-5-mini", ("lookup",)) for name in ("Triage", "Billing", "Refunds", "Desk")),
    tuple(Handoff(*ends) for ends in (("Triage", "Billing"), ("Billing", "Triage"), ("Billing", "Refunds"))),
)
TIMES = {("Triage", "Billing"): 1240, ("Billing", "Triage"): 3, ("Triage", "Sales"): 2}

RUN = [
    Bar("gpt-5-nano · title", "beside", 3, 900, 400),
    Bar("Triage · gpt-5-mini", "failed", 0, 310, None, "Round 1: Triage", "429 too many requests"),
    Bar("Triage · gpt-5-mini", "retry", 620, 1400, 380, "Round 1: Triage", "$0.0003"),
    Bar("Billing · claude-sonnet-4.5", "answer", 2030, 3100, 900, "Round 2: Billing", "lookup_invoice"),
    Bar("Billing · claude-sonnet-4.5 with a name that goes on and on", "failed", 6900, 20, None, "Round 2: Billing"),
    Bar("Billing · gpt-5", "fallback", 6930, 4100, 1200, "Round 2: Billing"),
    Bar("Triage · gpt-5-mini", "answer", 11100, None, None, "Round 3: Triage"),
]


def budget(name: str, spent: float, reserved: float, limit: float) -> dict[str, object]:
    amounts = (Decimal(str(spent)), Decimal(str(reserved)), Decimal(str(limit)))
    drawn = budget_bar(*amounts, warn=0.8)
    return {
        "name": name,
        "spent": f"${spent:,.2f}",
        "limit": f"${limit:,.2f}",
        "bar": drawn,
        "state": budget_state(*amounts, 0.8),
    }


def days(number: int, agents: int) -> Days:
    """Costs that differ by day and agent, some of them unknown."""
    dice = random.Random(number)
    return {
        LAST - timedelta(at): {
            name: Amount(Decimal(dice.randint(0, 40_000)) / (10_000 * (place + 1)), int(dice.random() < 0.04))
            for place, name in enumerate(AGENTS[:agents] + ["one", "two", "three"][: max(0, agents - len(AGENTS))])
        }
        for at in range(number)
        if at % 11 != 5
    }


def tokens(number: int) -> Days:
    dice = random.Random(1)
    return {LAST - timedelta(at): {"all": Amount(dice.randint(0, 2_400_000))} for at in range(number)}


def write(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        shutil.copy(PACKAGE / file, folder)
    page = folder / "index.html"
    page.write_text(gallery())
    return page


if __name__ == "__main__":
    write(Path(sys.argv[1]))
