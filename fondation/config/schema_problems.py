"""What `jsonschema` finds -> problems in the reader's words, each at its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fondation.config import scalars, schema_help, secrets
from fondation.config.document import Document
from fondation.config.places import Path, dotted
from fondation.config.scalars import Scalar
from fondation.config.schema import Schema, json_schema
from fondation.config.words import bare_kind, kind_of, listed, near, shown

_FORMS: dict[str, Scalar] = {scalar.pattern: scalar for scalar in scalars.VALUES}
_NAMES: dict[str, Scalar] = {f"^{scalar.core}$": scalar for scalar in scalars.KEYS}
_NOUNS = {
    "string": ("text",),
    "integer": ("an integer",),
    "number": ("a number",),
    "boolean": ("true", "false"),
    "array": ("a list",),
    "object": ("a mapping",),
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that the schema refuses."""

    document: Document
    path: Path
    found: Any
    """The value at `path`."""
    wanted: Any
    """The schema's keyword that refuses it, like 10 for `maximum: 10`."""
    schema: Schema
    """The part of the schema that has the keyword."""
    message: str
    """What `jsonschema` says."""

    @property
    def name(self) -> str:
        return dotted(self.path)

    @property
    def from_environment(self) -> bool:
        return self.path in self.document.from_environment

    def report(self, code: str, message: str, help: str) -> None:
        """A problem at the value, which later steps pass over."""
        self.document.error(self.path, code, message, help)
        self.document.drop(self.path)


def check_schema(document: Document) -> None:
    """Report everything that the schema refuses, and drop it."""
    _check(document, (), json_schema())


def check_is_schema(document: Document, path: Path) -> None:
    """Report everything that makes the value at `path` no JSON Schema, but for what is already dropped."""
    from jsonschema import Draft202012Validator

    _check(document, path, Draft202012Validator.META_SCHEMA)


def _check(document: Document, start: Path, schema: Schema) -> None:
    """Hold the value at `start` to a schema."""
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator(schema).iter_errors(document.value(*start)):
        path = (*start, *error.absolute_path)
        if any(path[:length] in document.dropped for length in range(len(path) + 1)):
            continue
        part = error.schema if isinstance(error.schema, dict) else {}
        report = _REPORTS.get(str(error.validator), _other)
        report(Violation(document, path, error.instance, error.validator_value, part, error.message))


def _additional_keys(violation: Violation) -> None:
    """Keys that are not known, or names that are badly formed: each at the key itself."""
    document, path = violation.document, violation.path
    known = violation.schema.get("properties", {})
    form = next((_NAMES[pattern] for pattern in violation.schema.get("patternProperties", {})), None)
    for key in violation.found:
        here = (*path, key)
        if key in known or (form is not None and form.fits(key)):
            continue
        if form is not None:
            document.error_at_key(here, form.code, f"{shown(key)} cannot be {form.noun}", form.help)
        else:
            where = f" in {violation.name}" if path else ""
            help = schema_help.unknown_key(path, key, list(known), document.text(*here))
            document.error_at_key(here, "unknown-key", f"unknown key {shown(key)}{where}", help)
        document.drop(here)


def _missing_key(violation: Violation) -> None:
    """A missing key: at the key of the mapping that lacks it."""
    name = next(name for name in violation.wanted if f"'{name}' is a required" in violation.message)
    message = f'{violation.name or "the file"} lacks the key "{name}"'
    violation.document.error_at_key(
        violation.path, "missing-key", message, schema_help.missing_key(violation.path, name)
    )


def _wrong_kind(violation: Violation) -> None:
    """A value of another kind than its key's."""
    found, schema = violation.found, violation.schema
    types = [schema["type"]] if isinstance(schema["type"], str) else list(schema["type"])
    form = _FORMS.get(schema.get("pattern", ""))
    if form is None and "pattern" in schema and len(types) > 1:
        types.remove("string")  # only a whole ${NAME} is admitted as text
    text_nouns = (form.words or (form.noun,)) if form else _NOUNS["string"]
    nouns = listed(noun for name in types for noun in (text_nouns if name == "string" else _NOUNS[name]))
    if not violation.path:
        violation.report(
            "wrong-type", f"the file is {kind_of(found)}, but a mapping belongs here", "begin with: version: 1"
        )
    elif found is None:
        item = isinstance(violation.path[-1], int)
        help = (
            "write an item in its place, or remove it" if item else "write a value after the colon, or remove the key"
        )
        violation.report("empty-value", f"{violation.name} is empty", help)
    elif violation.from_environment:
        message = f"{_shown(violation)}, but {nouns} belongs here"
        violation.report("wrong-type", message, "set the variable to a value that fits")
    else:
        written = violation.document.source.written(violation.path)
        help = schema_help.wrong_kind(violation.path, written, found, types, form)
        violation.report("wrong-type", f"{_shown(violation)}, but {nouns} belongs here", help)


def _shown(violation: Violation) -> str:
    """`limits.max_rounds is the text "five"`."""
    found = violation.found
    if violation.from_environment:
        what = f"{violation.document.shown(violation.path)}, whose value is {kind_of(found)}"
    elif isinstance(found, list | dict):
        what = kind_of(found)
    else:
        what = shown(found) if isinstance(found, str) else violation.document.source.written(violation.path)
        what = f"the {bare_kind(found)} {what}"
    return f"{violation.name} is {what}"


def _wrong_form(violation: Violation) -> None:
    """Text that has not the form of its key."""
    form = _FORMS.get(violation.wanted)
    name, document = violation.name, violation.document
    if "production" in violation.wanted:
        message = f"{name} is {document.shown(violation.path)}, but true, false or production belongs here"
        violation.report("wrong-type", message, "production is: only when FONDATION_ENV=production")
    elif form is None and violation.wanted != scalars.WHOLE_VARIABLE:
        _other(violation)
    elif form is None:
        _wrong_kind(violation)
    elif form.words:
        help = schema_help.wrong_word(form, violation.found, list(document.mapping("models")))
        _wrong_word(violation, form.words, help)
    elif violation.from_environment:
        message = f"{name} is {document.shown(violation.path)}, whose value is not {form.noun}"
        help = schema_help.wrong_form(violation.path, form, violation.found, from_environment=True)
        violation.report(form.code, message, help)
    elif secrets.KEY.search(violation.found):
        violation.report("key-in-file", f"{name} holds an API key", secrets.HELP_FOR_WRITTEN)
    else:
        message = f"{name} is {'empty' if form is scalars.NOT_BLANK else document.shown(violation.path)}"
        help = schema_help.wrong_form(violation.path, form, violation.found, from_environment=False)
        violation.report(form.code, message, help)


def _no_choice(violation: Violation) -> None:
    """None of the few words that a key takes."""
    words: list[str] = next((part["enum"] for part in violation.wanted if "enum" in part), [])
    help = f"write {listed(words)}"
    if not words:
        _other(violation)
    elif isinstance(violation.found, str):
        _wrong_word(violation, words, help)
    else:
        violation.report("wrong-type", f"{_shown(violation)}, but a word belongs here", help)


def _wrong_word(violation: Violation, words: Sequence[str], help: str) -> None:
    message = f"{violation.name} is {violation.document.shown(violation.path)}"
    if violation.from_environment:
        message += ", whose value is none of its words"
    elif guess := near(violation.found, words):
        help = f'did you mean "{guess}"? the words are {listed(words, "and")}'
    violation.report("invalid-choice", message, help)


def _too_low(violation: Violation) -> None:
    _out_of_range(violation, "least", "more")


def _too_high(violation: Violation) -> None:
    _out_of_range(violation, "most", "less")


def _out_of_range(violation: Violation, bound: str, others: str) -> None:
    written = violation.document.source.written(violation.path)
    low, high = violation.schema.get("minimum"), violation.schema.get("maximum")
    both = low is not None and high is not None
    help = f"write a number from {low} to {high}" if both else f"write {violation.wanted} or {others}"
    violation.report("out-of-range", f"{violation.name} is {written}, but the {bound} is {violation.wanted}", help)


def _too_low_or_equal(violation: Violation) -> None:
    message = f"{violation.name} is {violation.document.source.written(violation.path)}"
    violation.report("out-of-range", message, f"write a number above {violation.wanted}")


def _empty_list(violation: Violation) -> None:
    violation.report("empty-value", f"{violation.name} is empty", "write an item, or remove the key")


def _empty_text(violation: Violation) -> None:
    violation.report("empty-value", f"{violation.name} is empty", "write something, or remove the key")


def _empty_section(violation: Violation) -> None:
    help = schema_help.empty_mapping(violation.path, violation.schema, _FORMS.get(violation.schema.get("pattern", "")))
    violation.document.error_at_key(violation.path, "empty-value", f"{violation.name} is empty", help)
    violation.document.drop(violation.path)


def _repeated(violation: Violation) -> None:
    """Items of a list that are there already."""
    seen: list[object] = []
    for index, item in enumerate(violation.found):
        if item in seen:
            here = (*violation.path, index)
            message = f"{violation.name} has {violation.document.shown(here)} twice"
            violation.document.error(here, "listed-twice", message, "remove one")
            violation.document.drop(here)
        seen.append(item)


def _reserved_setting(violation: Violation) -> None:
    """A key under settings.extra that fondation sets itself."""
    here = (*violation.path, violation.found)
    message = f"{violation.name} cannot hold {shown(violation.found)}"
    violation.document.error_at_key(here, "reserved-setting", message, schema_help.reserved_setting(violation.found))
    violation.document.drop(here)


def _other(violation: Violation) -> None:
    """What only a tool's parameters are held to: rare keywords of JSON Schema."""
    help = "json-schema.org/understanding-json-schema says what belongs here"
    violation.report("invalid-value", f"{violation.name} is not allowed: {violation.message[:200]}", help)


_REPORTS: dict[str, Callable[[Violation], None]] = {
    "additionalProperties": _additional_keys,
    "required": _missing_key,
    "type": _wrong_kind,
    "pattern": _wrong_form,
    "anyOf": _no_choice,
    "minimum": _too_low,
    "maximum": _too_high,
    "exclusiveMinimum": _too_low_or_equal,
    "minLength": _empty_text,
    "minItems": _empty_list,
    "minProperties": _empty_section,
    "uniqueItems": _repeated,
    "not": _reserved_setting,
}
"""The schema's keyword -> how its violation is told."""
