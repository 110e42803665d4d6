"""The rows of the dashboard's tables, each with its small picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fondation.budgets.budget import Budget
from fondation.budgets.reports import Amounts, Bucket, Spending
from fondation.budgets.table import missing_text, whose
from fondation.config.words import counted
from fondation.dashboard.charts.bars import bar, budget_bar, budget_state, part_bar
from fondation.dashboard.overview import Overview
from fondation.svg import Element
from fondation.usage.figures import Figures
from fondation.usage.money import ROW_PLACES, dollars, from_pico, shortest_dollars
from fondation.usage.reports import Report
from fondation.usage.table import name_text


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Calls that have something in common. Where all of them are simulated, so are the figures."""

    name: str | None
    """None for those of which it is not known, or that have none."""
    text: str
    runs: int
    calls: int
    tokens: int
    cost: str
    notes: tuple[str, ...]
    """What the figures leave out."""
    bar: Element | None = None
    """Its part of the greatest: of cost, or of tokens where no money was charged at all."""


@dataclass(frozen=True, slots=True)
class GroupRows:
    rows: list[GroupRow]
    others: GroupRow | None
    """Those that are not shown, together."""


def group_rows(report: Report, css: Mapping[str, str] | None = None) -> GroupRows:
    """Each group of a report by one thing; `css` gives groups the colour that they have elsewhere, by their text."""
    is_charged = bool(report.total.cost_pico)

    def size(figures: Figures) -> int:
        return figures.cost_pico if is_charged else figures.total_tokens + figures.simulated_tokens

    greatest = max((size(figures) for _, figures in report.groups), default=0)
    rows = []
    for (name,), figures in report.groups:
        text = name_text(name)
        is_unknown = is_charged and figures.cost is None
        share = None if is_unknown else size(figures) / greatest if greatest else 0.0
        rows.append(_group_row(name, text, figures, bar(share, (css or {}).get(text, "series-1"))))
    rest = report.others
    return GroupRows(rows, None if rest is None else _group_row(None, counted(rest.groups, "other"), rest.figures))


def _group_row(name: str | None, text: str, figures: Figures, drawn: Element | None = None) -> GroupRow:
    if figures.are_simulated:
        runs, calls, tokens = figures.simulated_runs, figures.simulated, figures.simulated_tokens
        return GroupRow(name, text, runs, calls, tokens, "simulated", (), drawn)
    runs, calls, tokens = figures.runs, figures.calls, figures.total_tokens
    cost = "unknown" if figures.cost is None else dollars(figures.cost, ROW_PLACES)
    return GroupRow(name, text, runs, calls, tokens, cost, tuple(left_out(figures)), drawn)


def left_out(figures: Figures) -> Iterator[str]:
    """What a sum over real calls does not tell by itself."""
    if figures.cost is not None:
        yield from (f"+ {calls}" for calls in figures.missing)
    yield from counted_apart(figures)


def counted_apart(figures: Figures) -> Iterator[str]:
    """The calls that are in no sum of real calls that were sent."""
    if figures.refused:
        yield f"{figures.refused:,} refused"
    if figures.simulated:
        yield f"{figures.simulated:,} simulated"


@dataclass(frozen=True, slots=True)
class CachedRow:
    """What a cache answered of a model's input."""

    text: str
    prompt_tokens: int
    cached_tokens: int
    share: float
    bar: Element


def cached_rows(models: Report) -> list[CachedRow]:
    """The models that were asked anything, the others together, and all of them where they are several."""
    groups = [(name_text(model), figures) for (model,), figures in models.groups]
    if models.others is not None:
        groups.append((counted(models.others.groups, "other"), models.others.figures))
    rows = [
        CachedRow(text, figures.prompt_tokens, figures.cached_tokens, share, part_bar(share))
        for text, figures in (*groups, ("All models", models.total))
        if (share := figures.cached_share) is not None
    ]
    return rows if len(rows) > 2 else rows[:1]


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """A bucket of a budget."""

    budget: str
    whose: str
    spent: str
    limit: str
    left: str
    used: str
    state: str
    """`well`, `warned` or `full`."""
    resets: float | None
    """Unix seconds; None for never."""
    bar: Element


def budget_rows(overview: Overview) -> Iterator[BudgetRow]:
    """The buckets of each budget that have spent most."""
    for spending in overview.budgets:
        for bucket in spending.buckets or [Bucket(None, Amounts())]:
            yield _budget_row(spending, bucket)


def budget_notes(overview: Overview) -> Iterator[str]:
    """What the rows of budgets leave out."""
    for spending in overview.budgets:
        if spending.others is not None:
            more, spent = spending.others.buckets, _dollars(spending.others.amounts.spent)
            yield f"{spending.budget.name}: {more:,} more, who spent {spent} together."
        if missing := missing_text(spending):
            yield missing


def _budget_row(spending: Spending, bucket: Bucket) -> BudgetRow:
    budget, amounts = spending.budget, bucket.amounts
    state = (amounts.spent, amounts.reserved, budget.limit, _warn_share(budget))
    left = spending.left(amounts)
    return BudgetRow(
        budget=budget.name,
        whose=whose(spending, bucket),
        spent=_dollars(amounts.spent),
        limit=shortest_dollars(from_pico(budget.limit)),
        left=_dollars(left),
        used=f"{amounts.spent * 100 // budget.limit:,}%",
        state=budget_state(*state),
        resets=None if spending.period is None else spending.period.ends,
        bar=budget_bar(*state, tip=_tip(amounts, left)),
    )


def _tip(amounts: Amounts, left: int) -> str:
    held = f", {_dollars(amounts.reserved)} set aside" if amounts.reserved else ""
    return f"{_dollars(amounts.spent)} spent{held}, {_dollars(left)} left"


def _warn_share(budget: Budget) -> float | None:
    return None if budget.warn_at is None else budget.warn_at / budget.limit


def _dollars(pico: int) -> str:
    return dollars(from_pico(pico), ROW_PLACES)
