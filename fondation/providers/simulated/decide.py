"""What a simulated model does with a request: call tools, hand off, or answer. Word against word, the same way every
time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fondation.messages import Json, ToolSpec
from fondation.providers.base import ForcedTool, ModelRequest
from fondation.providers.simulated import lexicon
from fondation.providers.simulated.arguments import write_arguments
from fondation.providers.simulated.mentions import find_mentions
from fondation.providers.simulated.schemas import Schema
from fondation.providers.simulated.turn import HANDOFF_TOOL, Turn
from fondation.providers.simulated.words import concept_of, fold, stems, telling_words, words_of

_NAME_WEIGHT = 3.0
_DESCRIPTION_WEIGHT = 2.0
_CONCEPT_WEIGHT = 2.0
_PARAMETER_WEIGHT = 1.0
_ENOUGH = 2.0
"""The weight that makes a choice fit at all: a word of a parameter alone does not."""
_MOST_CALLS = 4
_CLAUSE_ENDS = re.compile(r"[.?!;]\s+|,?\s+\b(?:" + "|".join(lexicon.CONJUNCTIONS) + r")\b\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A tool call to make."""

    tool: str
    arguments: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Choice:
    """A tool, or a target of the handoff tool, with the words that speak for it."""

    tool: ToolSpec
    vocabulary: dict[str, float]
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A choice and how well the message fits it."""

    choice: Choice
    evidence: float
    """The weight of the words that speak for it."""
    rank: float
    """The same, words that speak for several choices divided among them."""
    words: tuple[str, ...]
    """The user's words that speak for it."""

    @property
    def fits(self) -> bool:
        return self.evidence >= _ENOUGH


def decide(request: ModelRequest, turn: Turn, visited: Collection[str] = ()) -> list[PlannedCall]:
    """The calls to make; none means: answer.

    `visited` are the agents that had the conversation in this run: it is passed back to none of them, unless the
    request forces a handoff and leaves no other.
    """
    if request.tool_choice == "none":
        return []
    choices = _choices(request)
    if request.tool_choice != "auto":
        return _obey(request.tool_choice, choices, turn, visited)
    if turn.has_own_results:
        return []
    best = _best([choice for choice in choices if choice.target not in visited], turn.text)
    if best and best.fits and best.choice.target is not None and _may_pass_on(best, turn):
        return [_handoff(best)]
    return _tool_calls([choice for choice in choices if choice.target is None], turn.text)


def _obey(
    asked: Literal["required"] | ForcedTool, choices: list[Choice], turn: Turn, visited: Collection[str]
) -> list[PlannedCall]:
    """A call where one must be made: the best that is allowed, also where nothing fits."""
    allowed = [choice for choice in choices if asked == "required" or choice.tool.name == asked.name]
    best = _best([choice for choice in allowed if choice.target not in visited] or allowed, turn.text)
    if best is None:
        return []
    return [_handoff(best)] if best.choice.target is not None else _calls(best.choice, turn.text)


def _choices(request: ModelRequest) -> list[Choice]:
    """Tools first: where a tool and a colleague fit alike, the agent does the work itself."""
    choices: list[Choice] = []
    for tool in request.tools:
        if tool.name != HANDOFF_TOOL or not request.handoffs:
            choices.append(Choice(tool, _vocabulary(tool.name, tool.description, tool.parameters)))
    for tool in request.tools:
        if tool.name == HANDOFF_TOOL:
            choices += [
                Choice(tool, _vocabulary(target, description, {}), target)
                for target, description in request.handoffs.items()
            ]
    return choices


def _vocabulary(name: str, description: str, parameters: Schema) -> dict[str, float]:
    """The stems and subjects that speak for a choice, each with its weight."""
    weights: dict[str, float] = {}
    for parameter, schema in parameters.get("properties", {}).items():
        described = schema.get("description", "") if isinstance(schema, dict) else ""
        weights |= dict.fromkeys(telling_words(f"{parameter} {described}"), _PARAMETER_WEIGHT)
    weights |= dict.fromkeys(telling_words(description), _DESCRIPTION_WEIGHT)
    weights |= dict.fromkeys(telling_words(name), _NAME_WEIGHT)
    subjects = _subjects(telling_words(f"{name} {description}"))
    return weights | dict.fromkeys(subjects, _CONCEPT_WEIGHT)


def _subjects(words: Mapping[str, str]) -> dict[str, str]:
    """The subjects that the words point to, each with the first word that does."""
    found: dict[str, str] = {}
    for word_stem, word in words.items():
        concept = concept_of(word_stem)
        if concept is not None:
            found.setdefault(f"about {concept}", word)
    return found


def _best(choices: Sequence[Choice], text: str) -> Match | None:
    """The choice with the highest rank, the first of equals; None only where there is no choice."""
    words = telling_words(text)
    words |= _subjects(words)
    shared = Counter(key for choice in choices for key in choice.vocabulary)
    matches = [_match(choice, words, shared) for choice in choices]
    return max(matches, key=lambda match: match.rank, default=None)


def _match(choice: Choice, words: Mapping[str, str], shared: Mapping[str, int]) -> Match:
    common = {key: choice.vocabulary[key] for key in words if key in choice.vocabulary}
    return Match(
        choice,
        evidence=sum(common.values()),
        rank=sum(weight / shared[key] for key, weight in common.items()),
        words=tuple(dict.fromkeys(words[key] for key in common)),
    )


def _may_pass_on(match: Match, turn: Turn) -> bool:
    """Just handed to, an agent passes the conversation on only for the same words: to a colleague who knows that
    very subject better."""
    if turn.handoff_reason is None:
        return True
    return not telling_words(turn.handoff_reason).keys().isdisjoint(stems(match.words))


def _handoff(match: Match) -> PlannedCall:
    named = ", ".join(f"“{word}”" for word in match.words)
    reason = f"The message mentions {named}." if named else "No other colleague fits better."
    return PlannedCall(match.choice.tool.name, {"targetAgent": match.choice.target, "reason": reason})


def _tool_calls(choices: list[Choice], text: str) -> list[PlannedCall]:
    """The calls that the message asks for: each of its clauses may ask for another tool."""
    asked = _asked_by_clause(choices, text)
    if len(asked) > 1:
        return [call for choice, part in asked for call in _calls(choice, part)][:_MOST_CALLS]
    match = _best(choices, text)
    if match and match.fits:
        return _calls(match.choice, text)
    search = _search_tool(choices) if _is_question(text) else None
    return _calls(search, text) if search else []


def _asked_by_clause(choices: list[Choice], text: str) -> list[tuple[Choice, str]]:
    """Each tool that a clause asks for, with the part of the text that is about it: its clause and those after it
    that ask for nothing else ("the weather in Lyon and in Paris")."""
    found: list[tuple[Choice, int]] = []
    start = 0
    for end in (*(gap.end() for gap in _CLAUSE_ENDS.finditer(text)), len(text)):
        match = _best(choices, text[start:end])
        if match and match.fits and not (found and found[-1][0] is match.choice):
            found.append((match.choice, start))
        start = end
    ends = [*(start for _, start in found), len(text)][1:]
    return [(choice, text[start:end]) for (choice, start), end in zip(found, ends, strict=True)]


def _calls(choice: Choice, text: str) -> list[PlannedCall]:
    """One call, or one for each value where the message lists several: "the weather in Lyon and Paris"."""
    mentions = find_mentions(text)
    calls = [PlannedCall(choice.tool.name, write_arguments(choice.tool.parameters, mentions))]
    if len(mentions.used) != 1:
        return calls
    (first,) = mentions.used
    while first.group and len(calls) < _MOST_CALLS:
        if not any(mention.group == first.group for mention in mentions.of(first.kind)):
            break
        calls.append(PlannedCall(choice.tool.name, write_arguments(choice.tool.parameters, mentions)))
    return calls


def _is_question(text: str) -> bool:
    words = words_of(text)
    asks = text.rstrip().endswith("?") or (bool(words) and fold(words[0]) in lexicon.QUESTION_OPENERS)
    return asks and bool(telling_words(text))


def _search_tool(choices: list[Choice]) -> Choice | None:
    """A tool that takes any question: its one required parameter is a query."""
    queries = stems(lexicon.QUERY_WORDS)
    for choice in choices:
        required = choice.tool.parameters.get("required", ())
        if len(required) == 1 and not stems(words_of(required[0])).isdisjoint(queries):
            return choice
    return None
