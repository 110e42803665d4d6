"""What the names of a template may be: a sample for every kind of value that a run can bring."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment

_SAMPLES: dict[str, tuple[object, ...]] = {
    "string": ("text", "", None),
    "integer": (1, 0, None),
    "number": (1.5, 1, 0, None),
    "boolean": (True, False, None),
}
"""A context value's type -> what it may be."""

OF_A_RUN: dict[str, tuple[object, ...]] = {
    "user_id": ("someone", None),
    "session_id": ("0b9f2c",),
    "chat_id": ("0b9f2c",),
    "now": ("2026-01-31T09:05:00+00:00",),
    "today": ("2026-01-31",),
}


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression may be."""

    samples: tuple[object, ...] = ()
    """One for each kind of value; none where nothing is known."""
    exact: bool = False
    """Whether the one sample is the value of every run."""


UNKNOWN = Value()


def exactly(value: object) -> Value:
    return Value((value,), exact=True)


def values_of_a_run(
    environment: Environment, agent: str, contexts: Sequence[Mapping[str, str]] | None
) -> dict[str, Value]:
    """The values by their names. `contexts` has for each route that reaches the agent the types of its context."""
    values = {name: Value(samples) for name, samples in OF_A_RUN.items()}
    values |= {name: exactly(value) for name, value in environment.globals.items()}
    return values | {"agent": exactly(agent), "context": Value(tuple(_sample_contexts(contexts or ())))}


def _sample_contexts(contexts: Iterable[Mapping[str, str]]) -> Iterator[dict[str, object]]:
    everything = tuple(itertools.chain.from_iterable(_SAMPLES.values()))
    for context in contexts:
        samples = {name: _SAMPLES.get(type_name, everything) for name, type_name in context.items()}
        for turn in range(max((len(values) for values in samples.values()), default=1)):
            yield {name: values[turn % len(values)] for name, values in samples.items()}
