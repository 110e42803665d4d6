"""Arguments for a tool that fit its JSON Schema: values of the user's message where they fit, plausible ones where
they do not. The same schema and message give the same arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain

from jsonschema import Draft202012Validator

from fondation.messages import Json
from fondation.providers.simulated import scalars
from fondation.providers.simulated.mentions import Mentions
from fondation.providers.simulated.patterns import matches
from fondation.providers.simulated.scalars import Proposal
from fondation.providers.simulated.schemas import Schema, branches, types_of
from fondation.providers.simulated.words import words_of

Name = tuple[str, ...]
"""The words of a parameter's name; an array's items have the array's."""

_DEEP = 6
"""From this depth on the simplest value is tried first, so that a recursive schema comes to an end."""
_DEEPEST = 16
_MOST_VALUES = 2_000
_VARIANTS = 4
"""How many different plausible values are tried before a value is left as it is."""
_MOST_MENTIONED_ITEMS = 8
_ONE_OF_EACH_TYPE: tuple[Json, ...] = ("example", 1, True, [], {}, None)


def write_value(schema: Json, mentions: Mentions, name: Sequence[str] = ()) -> Json:
    """A value that `schema` admits; the nearest that was found where it admits none."""
    root = schema if isinstance(schema, dict) else {}
    return _Writer(root, mentions).value(schema, tuple(name))


def write_arguments(parameters: Schema, mentions: Mentions) -> dict[str, Json]:
    """The arguments of a call: an object, whatever the schema says."""
    arguments = write_value({"type": "object", **parameters}, mentions)
    return arguments if isinstance(arguments, dict) else {}


class _Writer:
    """Proposes values from the likeliest to the plainest and keeps the first that the schema admits."""

    def __init__(self, root: Schema, mentions: Mentions) -> None:
        self._root = root
        self._mentions = mentions
        self._validator = Draft202012Validator(root, format_checker=Draft202012Validator.FORMAT_CHECKER)
        self._values_left = _MOST_VALUES

    def value(self, schema: Json, name: Name, depth: int = 0, variant: int = 0) -> Json:
        self._values_left -= 1
        nearest: list[Json] = []
        for shift in range(_VARIANTS if depth < _DEEP else 1):
            for branch in self._branches(schema, depth):
                proposals = self._proposals(branch, name, depth, variant + shift)
                for proposal in self._admitted(schema, proposals, nearest):
                    return proposal.value
            if self._values_left < 0:
                break
        return nearest[0] if nearest else None

    def _admitted(self, schema: Json, proposals: Iterator[Proposal], others: list[Json]) -> Iterator[Proposal]:
        """The proposals that `schema` admits, their mentions marked as used. What was refused goes to `others`,
        and its mentions are free again."""
        while True:
            used = set(self._mentions.used)
            proposal = next(proposals, None)
            if proposal is None:
                return
            if self._admits(schema, proposal.value):
                if proposal.mention is not None:
                    self._mentions.used.add(proposal.mention)
                yield proposal
            else:
                self._mentions.used = used
                others.append(proposal.value)

    def _admits(self, schema: Json, value: Json) -> bool:
        try:
            return self._validator.evolve(schema=schema).is_valid(value)
        except Exception:
            # A schema that cannot be checked (a foreign pattern, a reference elsewhere) is the tool's to judge.
            return True

    def _branches(self, schema: Json, depth: int) -> list[Schema]:
        found = list(branches(schema, self._root))
        if depth >= _DEEP:
            found.sort(key=lambda branch: types_of(branch)[:1] in (["object"], ["array"]))
        return found

    def _proposals(self, schema: Schema, name: Name, depth: int, variant: int) -> Iterator[Proposal]:
        if "const" in schema:
            yield Proposal(schema["const"])
        elif "enum" in schema:
            yield from self._enum(schema, variant)
        else:
            for type_name in types_of(schema, simplest_first=depth >= _DEEP):
                yield from self._of_type(type_name, schema, name, depth, variant)
            if "type" not in schema:
                yield from map(Proposal, _ONE_OF_EACH_TYPE)

    def _enum(self, schema: Schema, variant: int) -> Iterator[Proposal]:
        values = schema["enum"]
        if variant == 0:
            yield from map(Proposal, scalars.mentioned_enum(values, self._mentions))
            yield from scalars.suggested(schema, variant)
        first = variant % len(values) if values else 0
        yield from map(Proposal, [*values[first:], *values[:first]])

    def _of_type(self, type_name: str, schema: Schema, name: Name, depth: int, variant: int) -> Iterator[Proposal]:
        match type_name:
            case "string":
                yield from scalars.texts(schema, name, self._mentions, variant)
            case "integer" | "number":
                yield from scalars.numbers({**schema, "type": type_name}, name, self._mentions, variant)
            case "boolean":
                yield from scalars.suggested(schema, variant)
                yield from (Proposal(variant % 2 == 0), Proposal(variant % 2 == 1))
            case "null":
                yield Proposal(None)
            case "object":
                yield from scalars.suggested(schema, variant)
                yield Proposal(self._object(schema, name, depth, variant))
            case "array":
                yield from scalars.suggested(schema, variant)
                yield Proposal(self._array(schema, name, depth, variant))

    def _object(self, schema: Schema, name: Name, depth: int, variant: int) -> dict[str, Json]:
        """What is required, then what the message speaks of, then as much as `minProperties` asks."""
        properties: Schema = schema.get("properties", {})
        required = schema.get("required", ())
        result: dict[str, Json] = {}
        if depth >= _DEEPEST or self._values_left < 0:
            return result
        write = partial(self._property, schema, depth=depth, variant=variant)
        for key in sorted(required, key=[*properties, *required].index):
            result[key] = write(key)
        for key in properties:
            if key not in result:
                result |= self._optional(key, properties[key])
        for key in _dependents(schema, result):
            result[key] = write(key)
        fewest = min(int(schema.get("minProperties", 0)), _MOST_VALUES)
        for key in (*properties, *(f"key{number}" for number in range(1, fewest + 1))):
            if len(result) < fewest and key not in result and self._values_left >= 0:
                result[key] = write(key)
        return {key: result[key] for key in (*properties, *result) if key in result}

    def _property(self, schema: Schema, key: str, *, depth: int, variant: int) -> Json:
        return self.value(_property_schema(schema, key), tuple(words_of(key)), depth + 1, variant)

    def _optional(self, key: str, schema: Json) -> dict[str, Json]:
        """A parameter that may be left out is written only where the message clearly speaks of it."""
        name = tuple(words_of(key))
        for branch in branches(schema, self._root):
            proposals = chain(self._mentioned(branch, name), self._query(branch, name))
            for proposal in self._admitted(schema, proposals, []):
                return {key: proposal.value}
            if types_of(branch) == ["array"]:
                items = self._mentioned_items(branch, name, int(branch.get("maxItems", _MOST_MENTIONED_ITEMS)))
                if items and self._admits(schema, items):
                    return {key: items}
        return {}

    def _mentioned(self, schema: Schema, name: Name) -> Iterator[Proposal]:
        if "enum" in schema:
            yield from map(Proposal, scalars.mentioned_enum(schema["enum"], self._mentions))
            return
        for type_name in types_of(schema):
            if type_name == "string":
                yield from scalars.mentioned_texts(schema, name, self._mentions, surely=True)
            elif type_name in ("integer", "number"):
                yield from scalars.mentioned_numbers(schema, name, self._mentions)

    def _query(self, schema: Schema, name: Name) -> Iterator[Proposal]:
        if types_of(schema) == ["string"] and scalars.role_of(schema, name) == "query" and "enum" not in schema:
            yield from scalars.whole_message(schema, self._mentions)

    def _array(self, schema: Schema, name: Name, depth: int, variant: int) -> list[Json]:
        result = [
            self.value(item, name, depth + 1, variant + index)
            for index, item in enumerate(schema.get("prefixItems", ()))
        ]
        fewest = int(schema.get("minItems", 0))
        most = int(schema.get("maxItems", max(fewest, _MOST_MENTIONED_ITEMS)))
        if "contains" in schema:
            count = int(schema.get("minContains", 1))
            result += [self.value(schema["contains"], name, depth + 1, variant + index) for index in range(count)]
        if depth >= _DEEPEST or schema.get("items") is False:
            return result
        result += self._mentioned_items(schema, name, most - len(result))
        wanted = min(max(fewest, 0 if depth >= _DEEP or result else 1), most)
        while len(result) < wanted and self._values_left >= 0:
            result.append(self._new_item(schema, name, depth, variant, result))
        return result

    def _mentioned_items(self, schema: Schema, name: Name, most: int) -> list[Json]:
        """Every value of the message that the items clearly ask for: all cities of "Lyon and Paris"."""
        items = schema.get("items", {})
        found: list[Json] = []
        if most <= 0:
            return found
        for branch in branches(items, self._root):
            for proposal in self._admitted(items, self._mentioned(branch, name), []):
                if proposal.value not in found:
                    found.append(proposal.value)
                if len(found) >= most:
                    return found
        return found

    def _new_item(self, schema: Schema, name: Name, depth: int, variant: int, others: list[Json]) -> Json:
        """One more item; another one than the others where the schema wants them unique."""
        items = schema.get("items", {})
        tries = 1 + len(others) * 2 if schema.get("uniqueItems") else 1
        for shift in range(tries):
            item = self.value(items, name, depth + 1, variant + len(others) + shift)
            if not schema.get("uniqueItems") or not _contains(others, item):
                return item
        return item


def _dependents(schema: Schema, present: dict[str, Json]) -> list[str]:
    dependent: dict[str, list[str]] = schema.get("dependentRequired", {})
    return [key for cause, keys in dependent.items() if cause in present for key in keys if key not in present]


def _property_schema(schema: Schema, key: str) -> Json:
    """What an object says of one of its keys: by name, by pattern, or for all the rest."""
    properties: Schema = schema.get("properties", {})
    if key in properties:
        return properties[key]
    patterns: Schema = schema.get("patternProperties", {})
    found = [part for pattern, part in patterns.items() if matches(pattern, key)]
    return {"allOf": found} if found else schema.get("additionalProperties", {})


def _contains(values: list[Json], value: Json) -> bool:
    return any(other == value and type(other) is type(value) for other in values)
