"""`${NAME}` in values, and the variables of the project: the process's over .env.local over .env.

The value of a variable never appears in a problem.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path as File

from fondation.config import yaml_scalars
from fondation.config.document import Document
from fondation.config.places import Path, Span, dotted
from fondation.config.problems import Problem
from fondation.config.schema import schema_at
from fondation.config.source import Value
from fondation.config.words import near

ENVIRONMENT_FILES = (".env.local", ".env")
"""In a project's folder; the first wins."""

LIKE_A_VARIABLE = 0.8
"""How near another variable's name must be to be suggested: every process has dozens."""

UNTOUCHED = frozenset({"instructions", "description", "match_on", "parameters"})
"""Keys of agents and tools whose values keep `${` as it is: they are text for models, with a syntax of their own."""

_PLAIN = frozenset({"boolean", "integer", "number"})
"""The types of values that YAML reads from an unquoted word."""

_VARIABLE = re.compile(r"\$\$\{|\$\{(?P<inside>[^}]*)(?P<end>\}?)")
_INSIDE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(:-(?P<default>[\s\S]*))?")


def read_environment(folder: File) -> tuple[dict[str, str], list[Problem]]:
    """All variables of a project, and a problem for each environment file that cannot be read.

    `folder` is named in problems as it is given.
    """
    variables: dict[str, str] = {}
    problems = []
    for name in reversed(ENVIRONMENT_FILES):
        file = folder / name
        if not file.is_file():
            continue
        from dotenv import dotenv_values

        try:
            values = dotenv_values(file)
        except (OSError, UnicodeDecodeError) as error:
            reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror or "no access"
            problems.append(
                Problem(
                    str(file), None, None, "unreadable-file", f"{file} cannot be read: {reason}", "mend or remove it"
                )
            )
            continue
        variables.update({key: value for key, value in values.items() if value is not None})
    return {**variables, **os.environ}, problems


def export(variables: Mapping[str, str]) -> None:
    """Give the process the variables that it does not have: tools read them from `os.environ`."""
    for name, value in variables.items():
        os.environ.setdefault(name, value)


def replace_variables(document: Document, environment: Mapping[str, str], *, required: bool) -> None:
    """Replace every `${NAME}` in the document's values.

    A variable that is not set and has no default is a problem when `required`; else its value stays unknown.
    """
    replacer = _Replacer(document, environment, required)
    document.data = replacer.value(document.data, ())


class _Replacer:
    def __init__(self, document: Document, environment: Mapping[str, str], required: bool) -> None:
        self._document = document
        self._environment = environment
        self._required = required

    def value(self, value: Value, path: Path) -> Value:
        match value:
            case dict():
                return {
                    key: inner if key in UNTOUCHED and len(path) == 2 else self.value(inner, (*path, key))
                    for key, inner in value.items()
                }
            case list():
                return [self.value(inner, (*path, index)) for index, inner in enumerate(value)]
            case str() if "${" in value:
                return self._text(value, path)
            case _:
                return value

    def _text(self, text: str, path: Path) -> Value:
        self._document.from_environment.add(path)
        pieces: list[str] = []
        end = 0
        for match in _VARIABLE.finditer(text):
            replaced = "${" if match[0] == "$${" else self._variable(text, match, path)
            if replaced is None:
                self._document.unknown.add(path)
                return text
            pieces += text[end : match.start()], replaced
            end = match.end()
        whole = "".join((*pieces, text[end:]))
        alone = _VARIABLE.fullmatch(text)
        return self._typed(whole, path) if alone and alone["inside"] else whole

    def _variable(self, text: str, match: re.Match[str], path: Path) -> str | None:
        inside = _INSIDE.fullmatch(match["inside"]) if match["end"] else None
        if inside is None:
            self._report(
                text,
                match,
                path,
                "invalid-variable",
                f"{dotted(path)} has a variable that cannot be read",
                'a variable is written "${NAME}" or "${NAME:-default}"; write "$${" for the characters themselves',
            )
            return None
        name, default = inside["name"], inside["default"]
        found = self._environment.get(name)
        if default is not None:
            return found or default
        if found is None and self._required:
            guess = near(name, self._environment, LIKE_A_VARIABLE)
            help = f'did you mean "{guess}"? else set it' if guess else "set it"
            help = f"{help}, in the environment or in .env, or give it a default: ${{{name}:-default}}"
            self._report(text, match, path, "unset-variable", f"the variable {name} is not set", help)
        return found

    def _typed(self, text: str, path: Path) -> Value:
        """What a whole `${NAME}` stands for: text where text belongs, else what YAML makes of the unquoted word."""
        types = schema_at(path).get("type", ())
        if path[-1:] == ("default",):  # a context value's own type says what its default is
            types = self._document.text(*path[:-1], "type") or "string"
        if _PLAIN.isdisjoint([types] if isinstance(types, str) else types):
            return text
        kind, value = yaml_scalars.read(text)
        return value if kind in ("boolean", "integer", "number") else text

    def _report(self, text: str, match: re.Match[str], path: Path, code: str, message: str, help: str) -> None:
        start = self._document.offset(path, text, match.start())
        self._document.error_at(Span(start, start + len(match[0])), code, message, help)
        self._document.drop(path)
