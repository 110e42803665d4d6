"""Which pictures the dashboard shows of its figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from fondation.dashboard.charts.measures import COST, Amount, Measure, counts
from fondation.dashboard.charts.ranges import Latency, ranges
from fondation.dashboard.charts.stacked import Stacked, stacked
from fondation.dashboard.charts.waterfall import Bar, Kind, waterfall
from fondation.dashboard.overview import Overview
from fondation.svg import Element
from fondation.usage.calls import Call
from fondation.usage.explaining import Run
from fondation.usage.figures import Figures
from fondation.usage.run_cells import label
from fondation.usage.run_times import begins_of
from fondation.usage.table import name_text

_TOKENS = counts("token")
_LEGEND = {
    "answer": "answer",
    "retry": "retry",
    "fallback": "fallback",
    "beside": "beside the answer",
    "failed": "failed",
}


def by_day(overview: Overview) -> Stacked | None:
    """What each agent cost on each day; where no money was charged, its tokens. None where there is no call."""
    is_charged = bool(overview.total.cost_pico or overview.total.unknown_cost_calls)
    measure = COST if is_charged else _TOKENS
    days: dict[date, dict[str, Amount]] = {}
    for (day, agent), figures in overview.days.groups:
        if day is not None:
            days.setdefault(date.fromisoformat(day), {})[name_text(agent)] = _amount(figures, measure)
    if not days:
        return None
    return stacked("Cost" if is_charged else "Tokens", days, measure, *_ends(overview))


def latencies(overview: Overview) -> Element | None:
    """How long the dearest models took; None where none was timed."""
    timed = [
        Latency(
            name_text(model), figures.first_token_p50_ms, figures.first_token_p95_ms, figures.p50_ms, figures.p95_ms
        )
        for (model,), figures in overview.dearest_models.groups
        if figures.p50_ms is not None
    ]
    return ranges("Latency by model", timed) if timed else None


@dataclass(frozen=True, slots=True)
class RunPicture:
    drawing: Element
    legend: Mapping[str, str]
    """What the colours mean that are in it: class of the stylesheet -> words."""
    has_waits: bool
    """Whether a part of a bar is light, until a first token."""


def run_over_time(run: Run) -> RunPicture:
    """Its calls over time, and those beside the answer under a heading of their own."""
    bars = list(_bars(run))
    known = [bar for bar in bars if bar.duration is not None]
    shown = {bar.kind for bar in known} | {"unknown" for bar in bars if bar.duration is None}
    colours = {**_LEGEND, "unknown": "running" if run.is_running else "end unknown"}
    return RunPicture(
        drawing=waterfall("The calls of this run", bars),
        legend={css: said for css, said in colours.items() if css in shown},
        has_waits=any(bar.first_token for bar in known),
    )


def _amount(figures: Figures, measure: Measure) -> Amount:
    if measure is COST:
        return Amount(figures.cost, figures.unknown_cost_calls)
    return Amount(figures.total_tokens + figures.simulated_tokens)


def _ends(overview: Overview) -> tuple[date | None, date | None]:
    """The first and last day of what is selected; None where that end is open."""
    since, until = overview.period.since, overview.period.until
    if since is None:
        return None, None if until is None else _day_before(until)
    return since.date(), _day_before(min(until or overview.now, overview.now))


def _day_before(moment: datetime) -> date:
    """The last day before the moment: a midnight belongs to the day that it ends."""
    return (moment - timedelta(microseconds=1)).date()


def _bars(run: Run) -> Iterator[Bar]:
    begins = begins_of(run.calls)
    for step in run.steps:
        for call in step.calls:
            yield Bar(
                label=f"{label(step, call)}  {name_text(call.model)}",
                kind=_kind(call, step.calls),
                start=begins[call],
                duration=call.row["duration"],
                first_token=call.row["time_to_first_token"],
                group=name_text(call.row["agent_name"]) if call.purpose is None else "Beside the answer",
                is_running=call.is_running,
            )


def _kind(call: Call, attempts: Sequence[Call]) -> Kind:
    """What a call of a step is; `attempts` are all of the step."""
    first = attempts[0]
    match call.row["status"]:
        case "error" | "refused":
            return "failed"
        case _ if call.purpose is not None:
            return "beside"
        case _ if call is first:
            return "answer"
        case _:
            return "retry" if call.row["requested_model"] == first.row["requested_model"] else "fallback"
