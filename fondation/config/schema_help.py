"""What to type where the schema refuses a key or a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from fondation.config import scalars, secrets, yaml_scalars
from fondation.config.meant import meant
from fondation.config.places import Path, dotted
from fondation.config.routes import ContextType
from fondation.config.scalars import Scalar
from fondation.config.schema import Schema, schema_at
from fondation.config.settings import RESERVED_SETTINGS, Settings
from fondation.config.words import did_you_mean, kind_of, listed, near

_OTHER_NAMES = {
    "prompt": "instructions",
    "system": "instructions",
    "system_prompt": "instructions",
    "function": "python",
    "entry_point": "python",
    "execute": "python",
    "input_schema": "parameters",
    "inputSchema": "parameters",
    "needs_approval": "approval",
    "needsApproval": "approval",
    "requires_approval": "approval",
    "history": "last_messages",
    "max_messages": "last_messages",
    "roles": "by",
    "working_memory": "memory",
    "workingMemory": "memory",
    "ai_sdk": "client",
    "agents": "handoffs",
    "model_id": "id",
    "url": "base_url",
    "endpoint": "base_url",
    "max_retries": "retries",
    "keywords": "match_on",
    "amount": "limit",
    "max_cost": "limit",
    "max_spend": "limit",
    "period": "every",
    "interval": "every",
    "reset": "every",
    "window": "every",
    "scope": "where",
    "filter": "where",
    "alert_at": "warn_at",
    "on_limit": "on_exceed",
}
"""What other libraries call our keys."""

_KEYS_OF_OTHERS = ("api_key", "key", "token")
"""Where other libraries want the key itself."""

_EXAMPLES = {"version": "version: 1", "models": "models:", "agents": "agents:"}
"""What a missing key may look like, where `key: ...` says too little."""

_UNQUOTED = {"integer": ("integer",), "number": ("integer", "number"), "boolean": ("boolean",)}


def missing_key(path: Path, name: str) -> str:
    """For the mapping at `path`, which lacks the key `name`."""
    meaning = schema_at((*path, name)).get("description", "").partition(". ")[0].rstrip(".")
    example = _EXAMPLES.get(name, f"{name}: ...")
    return f'write "{example}"' + (f", {meaning[0].lower()}{meaning[1:]}" if meaning else "")


def empty_mapping(path: Path, schema: Schema, scalar: Scalar | None) -> str:
    """For a mapping without any key where `schema` wants one; `scalar` is the form of the text that would do too."""
    if scalar is not None and scalar.words:
        return scalar.help
    keys = list(schema.get("properties", ()))
    if "boolean" in schema["type"]:
        return f"write true or false, or a mapping with {listed(keys)}"
    if keys:
        return f"write {listed(keys)} below it, or remove the key"
    return f"write at least one {str(path[-1]).rstrip('s')}"


def unknown_key(path: Path, key: str, known: list[str], value: str | None) -> str:
    """For a key of the mapping at `path`, where `known` ones are legal; `value` is its value where that is text."""
    if "api_key_env" in known and (key in _KEYS_OF_OTHERS or (value and secrets.KEY.search(value))):
        return secrets.HELP
    if path[-1:] == ("settings",):
        return _unknown_setting(key, known)
    other = _OTHER_NAMES.get(key)
    if guess := other if other in known else near(key, known):
        return f'did you mean "{guess}"?'
    if "settings" in known and (setting := near(key, Settings.model_fields.keys() - {"extra"})):
        return f'"{setting}" is a setting: write it under settings'
    return did_you_mean(key, known, f"keys of {dotted(path) or 'the file'}")


def _unknown_setting(key: str, known: list[str]) -> str:
    if key in RESERVED_SETTINGS:
        return reserved_setting(key)
    if guess := near(key, known):
        return f'did you mean "{guess}"? a setting that is sent as it is goes under settings.extra'
    return f"a setting that is sent as it is goes under extra: extra: {{{key}: ...}}"


def reserved_setting(key: str) -> str:
    """For a key of the request that is fondation's own."""
    return f"fondation itself sets {key} in every request: remove it"


def wrong_form(path: Path, scalar: Scalar, text: str, *, from_environment: bool) -> str:
    """For text that has not the form of its key."""
    if from_environment:
        return "write the variable's name alone, without ${ }" if scalar is scalars.VARIABLE_NAME else scalar.help
    if scalar.fits(text.strip()):
        return f'remove the blank around it: "{text.strip()}"'
    if guess := meant(scalar, text):
        return f'write "{guess}"'
    if scalar is scalars.ENTRY_POINT and ":" not in text:
        module, _, attribute = text.replace("/", ".").rpartition(".")
        guess = f"{module}:{path[1] if attribute == 'py' else attribute}"
        if scalar.fits(guess):
            return f'an entry point is written "module:attribute", like "{guess}"'
    return scalar.help


def wrong_word(scalar: Scalar, text: str, models: Sequence[str]) -> str:
    """For text where one of a few words, or a mapping, belongs: the mapping that was meant. `models` are the file's."""
    if scalar is scalars.APPROVAL and scalars.ENTRY_POINT.fits(text):
        return f'write a mapping: {{when: "{text}"}}'
    if scalar is scalars.ON_DISCONNECT and scalars.DURATION.fits(text):
        return f"write a mapping: {{grace: {text}}}"
    if scalar is scalars.ON_EXCEED and models:
        if text in models:
            return f"write stop, or the model that answers instead: {{use: {text}}}"
        return f"{scalar.help}; the models are {listed(models, 'and')}"
    return scalar.help


def wrong_kind(path: Path, written: str, found: object, types: list[str], scalar: Scalar | None) -> str:
    """For a value of another kind than its key's `types`; `scalar` is the form of the text that would do."""
    structured = isinstance(found, list | dict)
    if scalar and not structured and (guess := meant(scalar, written)):
        return f'write "{guess}"'
    if scalar is scalars.NAME and not structured and scalar.fits(written):
        return f'quote the text: "{written}"'
    if scalar and (scalar.words or (scalar.code != "empty-value" and not structured)):
        return scalar.help
    if isinstance(found, bool | int | float) and "string" in types:
        return f'quote the text: "{written}"'
    if isinstance(found, str) and written[:1] in "'\"" and types[0] in _UNQUOTED:
        kind, _ = yaml_scalars.read(found.strip())
        if kind in _UNQUOTED[types[0]]:
            return f"remove the quotes: {found.strip()}"
    match types[0]:
        case "array" if isinstance(found, dict) and found and "name" in schema_at((*path, 0)).get("properties", ()):
            return f'write a list, whose items begin like "- name: {next(iter(found))}"'
        case "array" if isinstance(found, dict) or "\n" in written:
            return "write a list: each item on its own line after a -"
        case "array":
            return f"write a list: [{written}]"
        case "object" if found in get_args(ContextType) and path[-2:-1] == ("context",):
            return f"write {{type: {found}}}"
        case "object" if isinstance(found, list):
            return 'write a mapping: lines of "name: value", without the -'
        case "object":
            return 'write a mapping: indented lines of "name: value" below the key'
        case "boolean" if "object" in types:
            return f"write true, false, or a mapping: {{model: {written if isinstance(found, str) else 'NAME'}}}"
        case "boolean":
            return "write true or false"
        case "integer":
            return "write a whole number"
        case "number" if isinstance(found, str) and found.strip("$ ").replace(".", "", 1).isdigit():
            return f"write the plain number: {found.strip('$ ')}"
        case "number":
            return "write a number"
        case _ if "object" in types:
            return "write text after the colon, or a mapping below it"
        case _:
            return f"write plain text, not {kind_of(found)}"
