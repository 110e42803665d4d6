"""The text of a simulated answer: what the tools returned, said in a sentence, and that no model was called."""

from __future__ import annotations

import json
from collections.abc import Mapping

from fondation.messages import Json, ToolResult
from fondation.providers.base import ModelRequest
from fondation.providers.simulated import lexicon
from fondation.providers.simulated.turn import HANDOFF_TOOL, Turn
from fondation.providers.simulated.words import fold, spaced, words_of
from fondation.tool_results import FAILURE

STATEMENT = "Simulated answer, no model was called."
"""How every simulated answer begins."""

_LONGEST_VALUE = 200
_LONGEST_QUOTE = 80
_MOST_ITEMS = 3
_MOST_FIELDS = 6


def write_answer(request: ModelRequest, turn: Turn) -> str:
    """The whole answer to the turn, as text."""
    said = [_result_sentence(result) for result in turn.results] or [_plain_sentence(request, turn)]
    return " ".join((STATEMENT, *said))


def _result_sentence(result: ToolResult) -> str:
    try:
        value = json.loads(result.content)
    except ValueError:
        value = result.content
    if isinstance(value, str) and value.startswith(FAILURE):
        return f"{result.name} failed: {_value(value.removeprefix(FAILURE))}".rstrip(".") + "."
    if value in (None, "", [], {}):
        return f"{result.name} returned nothing."
    if isinstance(value, dict):
        return f"According to {result.name}, {_fields(value)}."
    return f"According to {result.name}: {_value(value)}".rstrip(".") + "."


def _fields(values: Mapping[str, Json]) -> str:
    """ "the status is Paid and the amount is 99.99" """
    phrases = [f"the {spaced(key)} {_is(value)} {_value(value)}" for key, value in values.items()]
    return _listed(phrases, _MOST_FIELDS)


def _is(value: Json) -> str:
    return "are" if isinstance(value, list) and len(value) != 1 else "is"


def _value(value: Json) -> str:
    match value:
        case None:
            return "unknown"
        case True | False:
            return "yes" if value else "no"
        case str():
            return _cut(value, _LONGEST_VALUE) or "empty"
        case []:
            return "none"
        case list():
            return _listed([_item(item) for item in value], _MOST_ITEMS)
        case dict():
            return f"({_fields(value)})"
        case _:
            return json.dumps(value)


def _item(value: Json) -> str:
    """An item of a list; of an object its values alone, since every item has the same keys."""
    if not isinstance(value, dict):
        return _value(value)
    return f"({', '.join(_value(part).rstrip('.') for part in list(value.values())[:_MOST_FIELDS])})"


def _listed(phrases: list[str], most: int) -> str:
    """ "a, b and c", the end of a long list only counted."""
    if len(phrases) > most:
        phrases = [*phrases[:most], f"{len(phrases) - most} more"]
    return " and ".join((", ".join(phrases[:-1]), phrases[-1])) if len(phrases) > 1 else "".join(phrases)


def _plain_sentence(request: ModelRequest, turn: Turn) -> str:
    opening = ""
    words = words_of(turn.text)
    if words and fold(words[0]) in lexicon.GREETINGS:
        opening = "Hello!"
    elif turn.text:
        opening = f"You wrote: “{_cut(turn.text, _LONGEST_QUOTE)}”."
    elif turn.files:
        opening = f"You sent {_counted(turn)}."
    return f"{opening} {_abilities(request)}".strip()


def _counted(turn: Turn) -> str:
    kinds = ", ".join(file.filename or file.media_type for file in turn.files)
    return f"{len(turn.files)} file{'s' if len(turn.files) > 1 else ''} ({kinds})"


def _abilities(request: ModelRequest) -> str:
    """What this agent could do, so that whoever tries it knows what to ask."""
    tools = [tool.name for tool in request.tools if tool.name != HANDOFF_TOOL]
    abilities = [f"can call {_listed(tools, _MOST_FIELDS)}"] if tools else []
    if request.handoffs:
        abilities.append(f"can hand off to {_listed(list(request.handoffs), _MOST_FIELDS)}")
    if not abilities:
        return "A model would answer this in its own words."
    return f"This agent {' and '.join(abilities)}; ask for something that fits."


def _cut(text: str, length: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"
