"""What loading a file gives: its configuration, or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fondation.config.models import Config
from fondation.config.problems import Format, Problem, render
from fondation.config.words import counted, printable


@dataclass(frozen=True, slots=True)
class Loaded:
    """An agents.yaml, read and checked."""

    file: Path
    folder: Path
    """The project: the absolute folder of the file."""
    config: Config | None
    """None when there is any error, or a value whose variable was not looked up."""
    problems: list[Problem]
    """Errors and warnings, sorted by place."""
    environment: Mapping[str, str]
    """The process's variables over .env.local over .env of the folder."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """The text of each file that a problem points into."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many agents, tools, models and routes there are, and budgets if any, by the singular noun."""

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "warning"]

    def summary(self, *, strict: bool = False) -> str:
        """`agents.yaml: 3 agents, 2 tools, 1 model, 1 route`, or `agents.yaml: 2 problems`.

        `strict` counts warnings as problems.
        """
        wrong = len(self.problems if strict else self.errors)
        if wrong:
            return f"{printable(str(self.file))}: {counted(wrong, 'problem')}"
        return (
            f"{printable(str(self.file))}: {', '.join(counted(number, noun) for noun, number in self.counts.items())}"
        )

    def report(self, *, strict: bool = False) -> str:
        """The problems and the summary as text: what `validate` and `serve` print."""
        return "\n\n".join(filter(None, (render(self.problems, sources=self.sources), self.summary(strict=strict))))


def render_all(results: Sequence[Loaded], format: Format, *, strict: bool = False) -> str:
    """What is wrong with several files: text with a summary of each, one JSON list, or GitHub annotations."""
    if format == "text":
        return "\n\n".join(result.report(strict=strict) for result in results)
    return render([problem for result in results for problem in result.problems], format)
