"""What `jsonschema` finds -> problems in the reader's words, each at its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fondation.config import scalars
from fondation.config.document import Document
from fondation.config.places import Path, dotted
from fondation.config.scalars import Scalar
from fondation.config.schema import Schema, json_schema, resolve
from fondation.config.settings import RESERVED_SETTINGS, Settings
from fondation.config.words import KEY_LITERAL, did_you_mean, kind_of, listed, near, shown

_SCALARS: dict[str, Scalar] = {scalar.pattern: scalar for scalar in scalars.VALUES}
_KEYS: dict[str, Scalar] = {f"^{scalar.core}$": scalar for scalar in scalars.KEYS}
_NOUNS = {
    "string": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
_OTHER_NAMES = {
    "prompt": "instructions",
    "system": "instructions",
    "system_prompt": "instructions",
    "instruction": "instructions",
    "function": "python",
    "entry_point": "python",
    "agents": "handoffs",
    "model_id": "id",
    "url": "base_url",
    "endpoint": "base_url",
    "max_retries": "retries",
    "keywords": "match_on",
}
"""What other libraries call our keys."""


@dataclass(frozen=True, slots=True)
class Violation:
    """What `jsonschema` reports, with the types of our schema."""

    instance: Any
    keyword: str
    keyword_value: Any
    schema: Schema
    message: str


def check_schema(document: Document) -> None:
    """Report everything that the schema refuses, and drop it."""
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator(json_schema()).iter_errors(document.data):
        path: Path = tuple(error.absolute_path)
        if any(path[:length] in document.dropped for length in range(len(path) + 1)):
            continue
        schema = error.schema if isinstance(error.schema, dict) else {}
        violation = Violation(error.instance, str(error.validator), error.validator_value, schema, error.message)
        _REPORTS.get(violation.keyword, _other)(document, path, violation)


def _additional(document: Document, path: Path, error: Violation) -> None:
    """Keys that the schema does not know, or names that are badly formed."""
    schema: Schema = error.schema
    patterns = schema.get("patternProperties", {})
    for key in error.instance:
        here = (*path, key)
        if key in schema.get("properties", {}) or here not in document.source.keys:
            continue
        if patterns:
            scalar = _KEYS[next(iter(patterns))]
            if scalar.fits(key):
                continue
            document.error_at_key(here, scalar.code, f"{shown(key)} cannot be {scalar.noun}", scalar.help)
        else:
            where = f" in {dotted(path)}" if path else ""
            help = _unknown_key_help(key, path, list(schema.get("properties", {})), document.text(*here))
            document.error_at_key(here, "unknown-key", f"unknown key {shown(key)}{where}", help)
        document.drop(here)


def _unknown_key_help(key: str, path: Path, known: list[str], value: str | None) -> str:
    if value is not None and KEY_LITERAL.search(value):
        return "never write a key in YAML: put it in .env and name its variable with api_key_env"
    if path and path[-1] == "settings":
        return _unknown_setting_help(key, known)
    if guess := near(key, known):
        return f'did you mean "{guess}"?'
    if (other := _OTHER_NAMES.get(key)) in known:
        return f'did you mean "{other}"?'
    if key in ("api_key", "key", "token") and "api_key_env" in known:
        return "never write a key in YAML: put it in .env and name its variable with api_key_env"
    if "settings" in known and near(key, Settings.model_fields) and key != "extra":
        return f'"{near(key, Settings.model_fields)}" is a setting: write it under settings'
    return did_you_mean(key, known, f"keys of {dotted(path)}" if path else "keys of the file")


def _unknown_setting_help(key: str, known: list[str]) -> str:
    if key in RESERVED_SETTINGS:
        return f"fondation itself sets {key} in every request: remove it"
    if guess := near(key, known):
        return f'did you mean "{guess}"? a setting that is sent as it is goes under settings.extra'
    return f"a setting that is sent as it is goes under extra: extra: {{{key}: ...}}"


def _required(document: Document, path: Path, error: Violation) -> None:
    """Keys that are missing: at the key of the mapping that lacks them, one problem for each."""
    name = next((name for name in error.keyword_value if f"'{name}' is a required" in error.message), "")
    where = document.name(path)
    properties = resolve(json_schema())["properties"] if not path else _properties(error, path)
    meaning = properties.get(name, {}).get("description", "")
    help = f"{name}: {_example(name, meaning)}" if meaning else f"write {name}"
    document.error_at_key(path, "missing-key", f'{where} lacks the key "{name}"', help)


def _properties(error: Violation, path: Path) -> dict[str, Any]:
    from fondation.config.schema import schema_at

    properties: dict[str, Any] = error.schema.get("properties") or schema_at(path).get("properties", {})
    return properties


def _example(name: str, meaning: str) -> str:
    return meaning[0].lower() + meaning[1:].rstrip(".")


def _type(document: Document, path: Path, error: Violation) -> None:
    wanted = error.keyword_value
    _report_kind(document, path, error.instance, [wanted] if isinstance(wanted, str) else list(wanted), error.schema)


def _report_kind(document: Document, path: Path, found: object, types: list[str], schema: Schema) -> None:
    """A value of another kind than its key's."""
    if not path:
        message = f"the file is {kind_of(found)}, but a mapping belongs here"
        document.error(path, "wrong-type", message, "begin with: version: 1")
    elif found is None:
        help = "write a value after the colon, or remove the key"
        document.error(path, "empty-value", f"{dotted(path)} is empty", help)
    else:
        nouns = listed(_wanted_nouns(types, schema))
        document.error(
            path,
            "wrong-type",
            f"{dotted(path)} is {_found(document, path, found)}, but {nouns} belongs here",
            _kind_help(document, path, found, types, schema),
        )
    document.drop(path)


def _wanted_nouns(types: list[str], schema: Schema) -> list[str]:
    scalar = _SCALARS.get(schema.get("pattern", ""))
    variable_only = scalar is None and "string" in types and {"integer", "number", "boolean"} & set(types)
    nouns = [_NOUNS[name] for name in types if not (name == "string" and variable_only and "pattern" in schema)]
    return [scalar.noun if noun == "text" and scalar else noun for noun in nouns]


def _found(document: Document, path: Path, found: object) -> str:
    if path in document.from_environment:
        return f"{document.shown(path)}, whose value is {kind_of(found)}"
    if isinstance(found, list | dict):
        return kind_of(found)
    return f"{kind_of(found)} {document.source.written(path) if not isinstance(found, str) else shown(found)}"


def _kind_help(document: Document, path: Path, found: object, types: list[str], schema: Schema) -> str:
    """What to type so that the value has the kind of its key."""
    if path in document.from_environment:
        return "set the variable to a value that fits"
    scalar = _SCALARS.get(schema.get("pattern", ""))
    written = document.source.written(path)
    if scalar and scalar.code != "empty-value" and not isinstance(found, list | dict):
        return scalar.help
    if isinstance(found, bool | int | float) and "string" in types and ("pattern" not in schema or scalar):
        return f'quote the text: "{written}"'
    if isinstance(found, str) and found != written.strip("|>") and types[0] in ("integer", "number", "boolean"):
        return _unquote_help(found, types)
    if types[0] == "array" and isinstance(found, str | int | float):
        return f"write a list: [{written}]" if "\n" not in written else "write a list: [ ]"
    if types[0] == "array" and isinstance(found, dict):
        return "write a list: each item on its own line after a -"
    if types == ["object"] and isinstance(found, list):
        return 'write a mapping: lines of "name: value", without the -'
    return ""


def _unquote_help(found: str, types: list[str]) -> str:
    from fondation.config import yaml_scalars

    kind, _ = yaml_scalars.read(found.strip())
    fits = {"integer": ("integer",), "number": ("integer", "number"), "boolean": ("boolean",)}[types[0]]
    return f"remove the quotes: {found.strip()}" if kind in fits else ""


def _pattern(document: Document, path: Path, error: Violation) -> None:
    """Text that has not the form of its key, or text where only a variable may stand for something else."""
    schema: Schema = error.schema
    types = schema.get("type", [])
    scalar = _SCALARS.get(error.keyword_value)
    if scalar is None:
        _report_not_text(document, path, error, list(types))
        return
    found = document.shown(path)
    if path in document.from_environment:
        message = f"{dotted(path)} is {found}, whose value is not {scalar.noun}"
    elif scalar.code == "empty-value":
        message = f"{dotted(path)} is empty"
    elif KEY_LITERAL.search(error.instance):
        document.error(path, "key-in-file", f"{dotted(path)} holds an API key", _KEY_HELP)
        document.drop(path)
        return
    else:
        message = f"{dotted(path)} is {found}"
    document.error(path, scalar.code, message, _pattern_help(document, path, scalar, error.instance))
    document.drop(path)


_KEY_HELP = (
    "never write a key in YAML: put it in .env and name its variable, api_key_env: OPENROUTER_API_KEY; "
    "replace the key, since the file may have been shared"
)


def _pattern_help(document: Document, path: Path, scalar: Scalar, text: str) -> str:
    if scalar is scalars.VARIABLE_NAME and path in document.from_environment:
        return "write the variable's name alone, without ${ }"
    if scalar is scalars.ENTRY_POINT and path not in document.from_environment:
        module, _, attribute = text.replace("/", ".").rpartition(".")
        guess = f"{module}:{attribute}"
        if ":" not in text and scalar.fits(guess):
            return f'an entry point is written "module:attribute", like "{guess}"'
    return scalar.help


def _report_not_text(document: Document, path: Path, error: Violation, types: list[str]) -> None:
    """Text where only a whole variable is admitted as text."""
    if "production" in str(error.keyword_value):
        found = document.shown(path)
        document.error(path, "wrong-type", f"{dotted(path)} is {found}, but true, false or production belongs here")
        document.drop(path)
        return
    _report_kind(document, path, error.instance, types, error.schema)


def _choice(document: Document, path: Path, error: Violation) -> None:
    """One of a few words."""
    choices = next((part["enum"] for part in error.schema.get("anyOf", ()) if "enum" in part), None)
    if choices is None or not isinstance(error.instance, str):
        found = error.instance
        nouns = listed(choices or [])
        document.error(
            path,
            "wrong-type",
            f"{dotted(path)} is {_found(document, path, found)}, but one word belongs here",
            f"write {nouns}",
        )
    else:
        found_text = document.shown(path)
        help = (
            did_you_mean(error.instance, choices, "choices")
            if path not in document.from_environment
            else f"write {listed(choices)}"
        )
        document.error(
            path, "invalid-choice", f"{dotted(path)} is {found_text}, which is none of {listed(choices, 'and')}", help
        )
    document.drop(path)


def _constant(document: Document, path: Path, error: Violation) -> None:
    document.error(path, "invalid-value", f"{dotted(path)} is {document.shown(path)}", f"write {error.keyword_value}")
    document.drop(path)


def _bound(words: str) -> Callable[[Document, Path, Violation], None]:
    def report(document: Document, path: Path, error: Violation) -> None:
        message = f"{dotted(path)} is {document.source.written(path)}, but {words} {error.keyword_value} belongs here"
        low, high = error.schema.get("minimum"), error.schema.get("maximum")
        help = (
            f"write a number from {low} to {high}"
            if low is not None and high is not None
            else f"write {error.keyword_value} or {'more' if words == 'at least' else 'less'}"
        )
        document.error(path, "out-of-range", message, help)
        document.drop(path)

    return report


def _too_short(document: Document, path: Path, error: Violation) -> None:
    document.error(path, "empty-value", f"{dotted(path)} is empty", "write something, or remove the key")
    document.drop(path)


def _too_few(document: Document, path: Path, error: Violation) -> None:
    noun = str(path[-1]).rstrip("s") if path else "key"
    document.error_at_key(path, "empty-value", f"{dotted(path)} is empty", f"write at least one {noun}")
    document.drop(path)


def _too_many(document: Document, path: Path, error: Violation) -> None:
    message = f"{dotted(path)} has {len(error.instance)} items, but at most {error.keyword_value} are allowed"
    document.error((*path, error.keyword_value), "too-many", message, "remove some")
    document.drop(path)


def _repeated(document: Document, path: Path, error: Violation) -> None:
    """Items of a list that are there already."""
    seen: list[object] = []
    for index, item in enumerate(error.instance):
        if item in seen:
            here = (*path, index)
            document.error(here, "listed-twice", f"{dotted(path)} has {document.shown(here)} twice", "remove one")
            document.drop(here)
        seen.append(item)


def _property_name(document: Document, path: Path, error: Violation) -> None:
    """A key under settings.extra that fondation sets itself."""
    here = (*path, error.instance)
    document.error_at_key(
        here,
        "reserved-setting",
        f"{dotted(path)} cannot hold {shown(error.instance)}",
        f"fondation itself sets {error.instance} in every request: remove it",
    )
    document.drop(here)


def _other(document: Document, path: Path, error: Violation) -> None:
    document.error(path, "invalid-value", f"{document.name(path)} is not allowed: {error.message[:200]}")
    document.drop(path)


_REPORTS: dict[str, Callable[[Document, Path, Violation], None]] = {
    "additionalProperties": _additional,
    "required": _required,
    "type": _type,
    "pattern": _pattern,
    "anyOf": _choice,
    "const": _constant,
    "enum": _choice,
    "minimum": _bound("at least"),
    "maximum": _bound("at most"),
    "minLength": _too_short,
    "minProperties": _too_few,
    "maxItems": _too_many,
    "uniqueItems": _repeated,
    "not": _property_name,
}
