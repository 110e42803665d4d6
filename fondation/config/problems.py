"""What is wrong with a file: `Problem`, and the three ways to print a list of them."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from fondation.config.words import printable

Format = Literal["text", "json", "github"]
Severity = Literal["error", "warning"]

_WIDEST_SOURCE = 160
"""Source lines longer than this are shown around the problem only."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where it is, and what to type instead."""

    file: str
    line: int | None
    """From 1; None for a problem of the whole file."""
    column: int | None
    """From 1, in characters."""
    code: str
    """Names the kind of problem, like unknown-agent."""
    message: str
    help: str = ""
    severity: Severity = "error"
    end_column: int | None = None
    """The column after the last underlined character, on the same line."""

    @property
    def place(self) -> tuple[str, int, int, str, str]:
        """The sort key: as a reader goes through the file."""
        return (self.file, self.line or 0, self.column or 0, self.code, self.message)


def render(problems: Sequence[Problem], format: Format = "text", sources: Mapping[str, str] | None = None) -> str:
    """The problems as text with source lines, as a JSON list, or as GitHub annotations; "" for none as text.

    `sources` holds the text of each file, by the name that its problems carry.
    """
    match format:
        case "json":
            return json.dumps([asdict(problem) for problem in problems], ensure_ascii=False, indent=2)
        case "github":
            return "\n".join(_annotation(problem) for problem in problems)
        case "text":
            lines = {file: _lines(text) for file, text in (sources or {}).items()}
            return "\n\n".join(_paragraph(problem, lines.get(problem.file, ())) for problem in problems)


def _paragraph(problem: Problem, lines: Sequence[str]) -> str:
    place = printable(problem.file)
    if problem.line is not None:
        place += f":{problem.line}:{problem.column}"
    label = "warning: " if problem.severity == "warning" else ""
    parts = [f"{place}: {label}{problem.message} [{problem.code}]"]
    gutter = " " * len(str(problem.line or ""))
    if problem.line is not None and problem.column is not None and problem.line <= len(lines):
        text, underline = _excerpt(lines[problem.line - 1], problem.column, problem.end_column)
        parts += [f"{gutter} |", f"{problem.line} | {text}".rstrip(), f"{gutter} | {underline}"]
    if problem.help:
        parts.append(f"{gutter or '  '} = help: {problem.help}")
    return "\n".join(parts)


def _excerpt(line: str, column: int, end_column: int | None) -> tuple[str, str]:
    """The source line, cut around the problem where it is long, and the underline below it."""
    start = column - 1
    end = min(max(end_column or column + 1, column + 1) - 1, max(len(line), column))
    if len(line) > _WIDEST_SOURCE:
        first = max(0, start - _WIDEST_SOURCE // 2)
        line, start = line[first : first + _WIDEST_SOURCE], start - first
        end = min(end - first, len(line))
    pad = "".join("\t" if char == "\t" else " " * _width(char) for char in line[:start])
    width = max(sum(_width(char) for char in line[start:end]), 1)
    return printable(line), pad + "^" + "~" * (width - 1)


def _width(char: str) -> int:
    """The terminal cells that a character takes."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _annotation(problem: Problem) -> str:
    properties = {"file": problem.file, "line": problem.line, "col": problem.column, "endColumn": problem.end_column}
    where = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items() if value is not None)
    text = f"{problem.message}: {problem.help}" if problem.help else problem.message
    return f"::{problem.severity} {where},title={_property(problem.code)}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
