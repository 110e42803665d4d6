"""A file on its way through the checks: its data, what is already reported, and the making of problems at places."""

from __future__ import annotations

from dataclasses import dataclass, field

from fondation.config.places import Path, Span, Written, dotted
from fondation.config.problems import Problem
from fondation.config.source import Source, Value
from fondation.config.words import shown


@dataclass(frozen=True, slots=True)
class Prompt:
    """Instructions as text: of agents.yaml itself, or of the file that it names."""

    text: str
    path: Path
    """Where agents.yaml has them, or names their file."""
    file: str | None = None
    """The name of the file that they come from."""


@dataclass(slots=True)
class Document:
    """What one step found broken, the later ones do not see: `drop` takes it out of `data`."""

    source: Source
    data: Value
    problems: list[Problem] = field(default_factory=list)
    from_environment: set[Path] = field(default_factory=set)
    """Values with a variable in them; they are never shown."""
    unknown: set[Path] = field(default_factory=set)
    """Values whose variable is not set."""
    dropped: set[Path] = field(default_factory=set)
    files: dict[str, str] = field(default_factory=dict)
    """The text of each file that problems may point into, by its name."""
    prompts: dict[str, Prompt] = field(default_factory=dict)
    """The instructions of each agent, by its name, and where they are written."""

    def value(self, *path: str | int) -> Value:
        """The value at `path`; None where there is none."""
        here = self.data
        for part in path:
            if isinstance(here, dict) and isinstance(part, str):
                here = here.get(part)
            elif isinstance(here, list) and isinstance(part, int) and part < len(here):
                here = here[part]
            else:
                return None
        return here

    def mapping(self, *path: str | int) -> dict[str, Value]:
        """The mapping at `path`; {} where there is none."""
        value = self.value(*path)
        return value if isinstance(value, dict) else {}

    def text(self, *path: str | int) -> str | None:
        """The text at `path`; None where there is none."""
        value = self.value(*path)
        return value if isinstance(value, str) else None

    def texts_at(self, *path: str | int) -> list[tuple[int, str]]:
        """The texts of the list at `path`, each with its index."""
        value = self.value(*path)
        items = value if isinstance(value, list) else []
        return [(index, item) for index, item in enumerate(items) if isinstance(item, str)]

    def mappings_at(self, *path: str | int) -> list[tuple[int, dict[str, Value]]]:
        """The mappings of the list at `path`, each with its index."""
        value = self.value(*path)
        items = value if isinstance(value, list) else []
        return [(index, item) for index, item in enumerate(items) if isinstance(item, dict)]

    def one_or_more(self, *path: str | int) -> list[tuple[Path, str]]:
        """The text at `path`, or those of the list there, each with its place."""
        text = self.text(*path)
        return [(path, text)] if text is not None else [((*path, index), item) for index, item in self.texts_at(*path)]

    def shown(self, path: Path) -> str:
        """A value for a message: as it is written where a variable is in it."""
        if path in self.from_environment:
            return shown(self.source.written(path).strip("'\""))
        value = self.value(*path)
        return shown(value) if isinstance(value, str) else shown(self.source.written(path))

    def error(self, path: Path, code: str, message: str, help: str = "") -> None:
        """A problem at a value."""
        self.error_at(self.source.values[path], code, message, help)

    def error_at_key(self, path: Path, code: str, message: str, help: str = "") -> None:
        """A problem at the key of a value."""
        self.error_at(self.key_span(path), code, message, help)

    def error_at(self, span: Span, code: str, message: str, help: str = "") -> None:
        self.problems.append(self.source.problem(span, code, message, help))

    def warning(self, path: Path, code: str, message: str, help: str = "") -> None:
        """A warning at the key of a value."""
        self.problems.append(self.source.problem(self.key_span(path), code, message, help, "warning"))

    def key_span(self, path: Path) -> Span:
        """Where the key of a value stands; for a list's item the item itself, for the file its first key."""
        if path in self.source.keys:
            return self.source.keys[path]
        span = self.source.values[path]
        return Span(span.start, span.start + 1) if not path else span

    def written(self, path: Path, value: str) -> Written:
        """Where each character of the scalar at `path` stands in the file."""
        return Written(self.source.text, self.source.values[path], value)

    def offset(self, path: Path, value: str, index: int) -> int:
        """Where the character `value[index]` of the scalar at `path` stands in the file."""
        return self.written(path, value).offset(index)

    def nearest(self, path: Path) -> Path:
        """`path`, or the innermost mapping around it that the file has."""
        while path and path not in self.source.values:
            path = path[:-1]
        return path

    def drop(self, path: Path) -> None:
        """Hide a value from the steps that follow."""
        self.dropped.add(path)

    def prune(self) -> None:
        """Take what is dropped or unknown out of the data."""
        hidden = self.dropped | self.unknown
        if hidden:
            self.data = None if () in hidden else _without(self.data, (), hidden)

    def name(self, path: Path) -> str:
        """`agents.Triage.handoffs[0]`; for the whole file its name."""
        return dotted(path) or self.source.file


def _without(value: Value, path: Path, hidden: set[Path]) -> Value:
    match value:
        case dict():
            return {
                key: _without(inner, (*path, key), hidden) for key, inner in value.items() if (*path, key) not in hidden
            }
        case list():
            # an item keeps its index: a hidden one becomes None, which every check passes over
            return [
                None if (*path, index) in hidden else _without(inner, (*path, index), hidden)
                for index, inner in enumerate(value)
            ]
        case _:
            return value
