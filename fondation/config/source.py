"""YAML text -> plain data, and the place of every key and value in the file as it is written.

The language of agents.yaml is a part of YAML: no tags, anchors, aliases or merge keys, one document, and no scalar that
two readers of YAML take for different things.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

import yaml

from fondation.config import yaml_scalars
from fondation.config.places import Lines, Path, Span, dotted
from fondation.config.problems import Problem, Severity
from fondation.config.reading import UnreadableFile
from fondation.config.words import shown
from fondation.config.yaml_errors import Complaint, explained

Value = str | int | float | bool | list["Value"] | dict[str, "Value"] | None

DEEPEST = 40
"""The most levels of mappings and lists inside each other."""


class _Mark(Protocol):
    """A place of the parser's, in characters."""

    index: int


MOST_VALUES = 50_000
"""The most values of a file, those of refused keys too."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True)
class Source:
    """A YAML file: its text, its data, and where each part of it stands."""

    file: str
    text: str
    lines: Lines
    data: Value = None
    keys: dict[Path, Span] = field(default_factory=dict)
    values: dict[Path, Span] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    broken: set[Path] = field(default_factory=set)
    """Values that are already reported."""

    def problem(self, span: Span, code: str, message: str, help: str = "", severity: Severity = "error") -> Problem:
        """A problem at `span`, underlined to the end of its first line at most."""
        line, column = self.lines.position(span.start)
        width = max(min(span.end, self.lines.end(span.start)) - span.start, 1)
        return Problem(self.file, line, column, code, message, help, severity, column + width)

    def written(self, path: Path) -> str:
        """A value as it stands in the file."""
        span = self.values[path]
        return self.text[span.start : span.end]

    def report(self, span: Span, code: str, message: str, help: str, broken: Path | None = None) -> None:
        """Add a problem; `broken` is the value that later steps pass over."""
        self.problems.append(self.problem(span, code, message, help))
        if broken is not None:
            self.broken.add(broken)


def read(file: str, text: str) -> Source:
    """Read a file's text. Raises UnreadableFile where nothing more can be said about the rest."""
    source = Source(file, text, Lines(text))
    if match := _NOT_YAML.search(text):
        raise UnreadableFile(_control_character(source, match.start()), text)
    try:
        _Reader(source).document()
    except yaml.MarkedYAMLError as error:
        raise UnreadableFile(_syntax_problem(source, error), text) from error
    if source.data is None and not source.broken:
        raise UnreadableFile(Problem(file, None, None, "empty-file", "the file is empty", "begin with: version: 1"))
    return source


def _control_character(source: Source, offset: int) -> Problem:
    char = source.text[offset]
    name = "a NUL byte" if char == "\0" else f"the control character U+{ord(char):04X}"
    return source.problem(
        Span(offset, offset + 1), "control-character", f"the file has {name} here, which is no text", "remove it"
    )


def _syntax_problem(source: Source, error: yaml.MarkedYAMLError) -> Problem:
    at = _index(error.problem_mark or error.context_mark)
    begun = _index(error.context_mark) if error.context_mark else at
    complaint = Complaint(source.text, source.lines, error.problem or "", error.context or "", at, begun)
    explanation = explained(complaint)
    return source.problem(explanation.span, explanation.code, explanation.message, explanation.help)


def _span(event: yaml.Event) -> Span:
    return Span(_index(event.start_mark), _index(event.end_mark))


def _index(mark: _Mark | None) -> int:
    return mark.index if mark else 0


class _Reader:
    """Builds the data of a source from the parser's events, in one pass."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._events = self._counted(yaml.parse(source.text, Loader=_Loader))

    def _counted(self, events: Iterator[yaml.Event]) -> Iterator[yaml.Event]:
        values = 0
        for event in events:
            values += isinstance(event, yaml.NodeEvent)
            if values > MOST_VALUES:
                help = "put long instructions into files, and agents that do not meet into projects of their own"
                self._fail(_span(event), "too-large", f"the file has more than {MOST_VALUES} values", help)
            yield event

    def document(self) -> None:
        next(self._events)
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return
        self._source.data = self._value(next(self._events), ())
        next(self._events)
        following = next(self._events)
        if not isinstance(following, yaml.StreamEndEvent):
            self._fail(
                _span(following), "several-documents", "a second document begins here", 'keep one: remove the "---"'
            )

    def _value(self, event: yaml.Event, path: Path) -> Value:
        self._source.values[path] = _span(event)
        self._refuse_alias(event)
        if len(path) > DEEPEST:
            self._fail(_span(event), "too-deep", f"nested more than {DEEPEST} levels deep", "write it flatter")
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._refuse_tag(event, tag, path)
        match event:
            case yaml.MappingStartEvent():
                return self._mapping(path)
            case yaml.SequenceStartEvent():
                return self._list(path)
            case yaml.ScalarEvent():
                return self._scalar(event, path, tagged=tag is not None)
            case _:
                raise AssertionError(f"{event} begins no value")

    def _mapping(self, path: Path) -> Value:
        mapping: dict[str, Value] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, path)
            if key is None:
                self._skip()
            elif key in mapping:
                self._report_duplicate(event, path, key)
                self._skip()
            else:
                self._source.keys[*path, key] = _span(event)
                mapping[key] = None
                mapping[key] = self._value(next(self._events), (*path, key))
        self._close(path, event)
        return mapping

    def _list(self, path: Path) -> Value:
        items: list[Value] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items))))
        self._close(path, event)
        return items

    def _close(self, path: Path, event: yaml.Event) -> None:
        self._source.values[path] = Span(self._source.values[path].start, _span(event).end)

    def _key(self, event: yaml.Event, path: Path) -> str | None:
        """The key, or None for one that is reported and whose value is to be skipped."""
        self._refuse_alias(event)
        if not isinstance(event, yaml.ScalarEvent):
            self._fail(_span(event), "invalid-yaml", "a mapping or a list cannot be a key", self._quote_braces(event))
        text: str = event.value
        span = _span(event)
        if not text.strip():
            self._source.report(span, "empty-key", "a key is empty", "write the key before the colon")
            return None
        if event.style:
            return text
        if text == "<<":
            self._source.report(span, "merge-key", 'the merge key "<<" is not supported', "write the keys out")
            return None
        kind, _ = yaml_scalars.read(text)
        if kind != "text" and not (kind == "integer" and text.isdigit()):
            message = f"YAML reads the key {text} as {yaml_scalars.NOUNS[kind]}"
            self._source.report(span, "invalid-key", message, f'quote it: "{text}"')
        return text

    def _quote_braces(self, event: yaml.Event) -> str:
        start = _span(event).start
        if self._source.text[max(start - 1, 0) : start] == "{":
            return "quote text that begins with {{, or write it below the key after a |"
        return 'write a key as plain text, like "model: claude"'

    def _scalar(self, event: yaml.ScalarEvent, path: Path, *, tagged: bool) -> Value:
        if event.style or tagged:
            return str(event.value)
        kind, value = yaml_scalars.read(event.value)
        if kind == "empty":
            self._empty(event, path)
        elif help := yaml_scalars.refusal(kind, event.value):
            message = f"{dotted(path)} is {shown(event.value)}, which YAML reads as {yaml_scalars.NOUNS[kind]}"
            self._source.report(_span(event), "ambiguous-value", message, help, path)
        return value

    def _empty(self, event: yaml.ScalarEvent, path: Path) -> None:
        if not path:
            return
        if isinstance(path[-1], int):
            dash = self._source.text.rfind("-", 0, _span(event).start)
            span = Span(dash, dash + 1) if dash >= 0 else _span(event)
            self._source.report(
                span, "empty-value", f"{dotted(path)} is empty", "write an item after the -, or remove it", path
            )
        else:
            help = "write a value after the colon, or remove the key"
            self._source.report(self._source.keys[path], "empty-value", f"{dotted(path)} is empty", help, path)

    def _report_duplicate(self, event: yaml.Event, path: Path, key: str) -> None:
        first, _ = self._source.lines.position(self._source.keys[*path, key].start)
        where = f" in {dotted(path)}" if path else ""
        message = f"duplicate key {shown(key)}{where}"
        self._source.report(_span(event), "duplicate-key", message, f"it is already on line {first}: keep one")

    def _refuse_tag(self, event: yaml.Event, tag: str, path: Path) -> None:
        message = f"the tag {shown(tag.replace('tag:yaml.org,2002:', '!!'))} is not supported"
        help = "remove it and write a plain value"
        if path[-1:] == ("instructions",):
            help = "text of another file is written {file: prompts/name.md}"
        self._source.report(self._word(event), "tag", message, help, path)

    def _refuse_alias(self, event: yaml.Event) -> None:
        anchor = getattr(event, "anchor", None)
        if isinstance(event, yaml.AliasEvent):
            self._fail(self._word(event), "alias", f"the alias *{anchor} is not supported", _NO_ALIAS)
        if anchor is not None:
            self._fail(self._word(event), "alias", f"the anchor &{anchor} is for an alias: not supported", _NO_ALIAS)

    def _skip(self) -> None:
        """Pass over one value."""
        depth = 0
        for event in self._events:
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth == 0:
                return

    def _word(self, event: yaml.Event) -> Span:
        """The tag, anchor or alias that an event begins with."""
        start = _span(event).start
        word = re.match(r"[^\s,\]}]+", self._source.text[start:])
        return Span(start, start + len(word[0])) if word else _span(event)

    def _fail(self, span: Span, code: str, message: str, help: str) -> NoReturn:
        raise UnreadableFile(self._source.problem(span, code, message, help), self._source.text)


_NO_ALIAS = "write the value out where it is needed; quote text that begins with * or &"
