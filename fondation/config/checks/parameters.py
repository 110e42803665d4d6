"""The parameters of a tool that the page runs: a JSON Schema of an object, and nothing in it that no one would read."""

from __future__ import annotations

import re

from fondation.config.checks.json_schema import KEYWORDS, OTHER_NAMES, TYPES, resolves, subschemas
from fondation.config.document import Document
from fondation.config.places import Path, dotted
from fondation.config.schema_problems import check_is_schema
from fondation.config.source import Value
from fondation.config.words import did_you_mean, kind_of, near, shown

_CODE = "invalid-schema"
_EXPRESSION_HELP = "the server reads it as Python does; in single quotes YAML leaves every character as it is"
_LIKE_A_KEYWORD = 0.8
"""How near a keyword an unknown one must be: a schema may have others of its own."""


def check_parameters(document: Document) -> None:
    """The parameters of every tool; of one whose parameters are broken already, nothing more is said."""
    for tool in document.mapping("tools"):
        path = ("tools", tool, "parameters")
        parameters = document.value(*path)
        if not isinstance(parameters, dict) or any(broken[: len(path)] == path for broken in document.dropped):
            continue
        _check_arguments_are_an_object(document, path, parameters)
        for here, schema in subschemas(parameters, path):
            if isinstance(schema, dict):
                _check_schema(document, here, schema, parameters)
            elif not isinstance(schema, bool):
                _report_no_schema(document, here, schema)
        check_is_schema(document, path)


def _check_arguments_are_an_object(document: Document, path: Path, parameters: dict[str, Value]) -> None:
    help = "write type: object, and each argument below properties, by its name"
    if "type" not in parameters:
        document.error_at_key(path, "missing-key", f'{dotted(path)} lacks the key "type"', help)
    elif parameters["type"] in TYPES and parameters["type"] != "object":
        here = (*path, "type")
        message = f"{dotted(here)} is {document.shown(here)}, but the arguments of a tool are an object"
        _report(document, here, message, help)


def _check_schema(document: Document, path: Path, schema: dict[str, Value], whole: dict[str, Value]) -> None:
    _check_type(document, (*path, "type"), schema.get("type", "string"))
    _check_required(document, (*path, "required"), schema.get("required"))
    _check_keywords(document, path, schema)
    _check_patterns(document, path, schema)
    reference = schema.get("$ref")
    if isinstance(reference, str) and not resolves(reference, whole):
        here = (*path, "$ref")
        message = f"{dotted(here)} is {document.shown(here)}, which is not in these parameters"
        _report(document, here, message, 'write it below $defs, and refer to it as "#/$defs/NAME"')


def _check_type(document: Document, path: Path, found: Value) -> None:
    names = found if isinstance(found, list) else [found]
    for index, name in enumerate(names):
        if name not in TYPES:
            here = (*path, index) if isinstance(found, list) else path
            message = f"{dotted(here)} is {_what(name)}, which is no type of JSON Schema"
            _report(document, here, message, _type_help(name))
            document.drop(path)
    if path not in document.dropped and len({str(name) for name in names}) < max(len(names), 1):
        message = f"{dotted(path)} lists no type, or one twice"
        _report(document, path, message, 'list each once, like [string, "null"]')


def _type_help(name: Value) -> str:
    if name is None:
        return 'quote it: "null"'
    guess = OTHER_NAMES.get(name) if isinstance(name, str) else None
    return f'did you mean "{guess}"?' if guess else did_you_mean(str(name), TYPES, "types")


def _check_required(document: Document, path: Path, found: Value) -> None:
    """`required: true` below an argument, as other languages write it."""
    if isinstance(found, bool):
        message = f"{dotted(path)} is a boolean, but JSON Schema lists the names of required arguments"
        name = path[-2] if "properties" in path[3:-2] else "name"
        _report(document, path, message, f"write it beside properties: required: [{name}]")


def _check_keywords(document: Document, path: Path, schema: dict[str, Value]) -> None:
    """Keywords that JSON Schema lets pass without reading them, where they look like a mistake."""
    for key, value in schema.items():
        if key in KEYWORDS or key.startswith("x-"):
            continue
        here, message = (*path, key), f"JSON Schema has no keyword {shown(key)}, in {dotted(path)}"
        if guess := near(key, KEYWORDS, _LIKE_A_KEYWORD):
            document.error_at_key(here, _CODE, message, f'did you mean "{guess}"?')
        elif isinstance(value, dict):
            document.error_at_key(here, _CODE, message, "write an argument below properties, by its name")


def _check_patterns(document: Document, path: Path, schema: dict[str, Value]) -> None:
    """Expressions that a look at the arguments would fail on."""
    if isinstance(pattern := schema.get("pattern"), str) and (fault := _fault(pattern)):
        here = (*path, "pattern")
        message = f"{dotted(here)} is {shown(pattern)}, which is no regular expression: {fault}"
        _report(document, here, message, _EXPRESSION_HELP)
    named = schema.get("patternProperties")
    for pattern in named if isinstance(named, dict) else ():
        if fault := _fault(pattern):
            message = f"{shown(pattern)} is no regular expression: {fault}"
            document.error_at_key((*path, "patternProperties", pattern), _CODE, message, _EXPRESSION_HELP)


def _fault(pattern: str) -> str:
    """What is wrong with a regular expression; "" for a good one."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return ""


def _report_no_schema(document: Document, path: Path, found: Value) -> None:
    name = OTHER_NAMES.get(str(found), found if found in TYPES else "string")
    _report(
        document,
        path,
        f"{dotted(path)} is {_what(found)}, but a schema belongs here",
        f"write a mapping: {{type: {name}}}",
    )


def _report(document: Document, path: Path, message: str, help: str) -> None:
    document.error(path, _CODE, message, help)
    document.drop(path)


def _what(value: Value) -> str:
    """A value for a message; a null is no empty one here."""
    if value is None:
        return "an unquoted null"
    return shown(value) if isinstance(value, str) else kind_of(value)
