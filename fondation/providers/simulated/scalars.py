"""Texts and numbers for one argument: first what the user's message offers, then what the schema suggests, then
something plausible. Every one is a proposal: the writer takes the first that the schema admits."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeAlias
from uuid import NAMESPACE_DNS, uuid5

from fondation.messages import Json
from fondation.providers.simulated import lexicon
from fondation.providers.simulated.mentions import Kind, Mention, Mentions, number_of
from fondation.providers.simulated.patterns import samples
from fondation.providers.simulated.schemas import Schema
from fondation.providers.simulated.words import stem, stems, telling_words

Role: TypeAlias = Literal["email", "uri", "date", "query", "text", "id", "place", "person"]
"""What a text is for, read from the name of its parameter."""

_ROLE_WORDS: dict[Role, frozenset[str]] = {
    "email": stems(["email", "mail"]),
    "uri": stems(["url", "uri", "link", "website"]),
    "date": stems(["date", "day", "datum", "fecha"]),
    "query": stems(lexicon.QUERY_WORDS),
    "text": stems(lexicon.TEXT_WORDS),
    "id": stems(lexicon.ID_WORDS),
    "place": stems(lexicon.PLACE_WORDS),
    "person": stems(lexicon.PERSON_WORDS),
}
_KINDS_OF_ROLE: dict[Role, tuple[Kind, ...]] = {
    "email": ("email",),
    "uri": ("uri",),
    "date": ("date", "date-time"),
    "query": (),
    "text": (),
    "id": ("id", "uuid", "number"),
    "place": ("name",),
    "person": ("quoted", "name"),
}
_KINDS_OF_FORMAT: dict[str, tuple[Kind, ...]] = {
    "email": ("email",),
    "idn-email": ("email",),
    "uri": ("uri",),
    "iri": ("uri",),
    "uri-reference": ("uri",),
    "uuid": ("uuid",),
    "date-time": ("date-time", "date"),
    "date": ("date", "date-time"),
    "time": ("time",),
    "ipv4": ("ipv4",),
}
_ANY_KIND: tuple[Kind, ...] = ("quoted", "name", "id", "uuid", "email", "uri", "date", "number")
_PLAUSIBLE = {"place": "Paris", "person": "Ada Martin", "id": "ID-1001"}
_FIRST_DAY = date(2025, 1, 15)
_EXAMPLE = re.compile(
    r"(?:for example|e\.g\.|such as|for instance|par exemple|zum Beispiel|por ejemplo)[,:]?\s*"
    r"(?:[\"“«'`]\s*([^\"”»'`]+?)\s*[\"”»'`]|([\w.@:/#-]*\w))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A value to try, and the mention that it uses up."""

    value: Json
    mention: Mention | None = None


def role_of(schema: Schema, name: Sequence[str]) -> Role | None:
    """What the text is for. The last word of a name says most: "message_id" is an id, "order_note" a text."""
    described = telling_words(str(schema.get("description", "")))
    for word in (*(stem(part) for part in reversed(name)), *described):
        for role, words in _ROLE_WORDS.items():
            if word in words:
                return role
    return None


def mentioned_texts(
    schema: Schema, name: Sequence[str], mentions: Mentions, *, surely: bool = False
) -> Iterator[Proposal]:
    """Texts of the message that are of this parameter's kind; `surely` leaves out those that merely may be names."""
    kinds = _KINDS_OF_FORMAT.get(str(schema.get("format")))
    role = role_of(schema, name)
    if kinds is None and "pattern" in schema:
        kinds = _ANY_KIND
    if kinds is None and role is not None:
        kinds = _KINDS_OF_ROLE[role]
    for mention in mentions.of(*(kinds or ())):
        if mention.is_sure or not surely:
            yield Proposal(_as_format(mention.text, str(schema.get("format"))), mention)
            yield Proposal(mention.text, mention)


def whole_message(schema: Schema, mentions: Mentions) -> Iterator[Proposal]:
    if mentions.text:
        yield Proposal(fitted(mentions.text, schema))


def texts(schema: Schema, name: Sequence[str], mentions: Mentions, variant: int) -> Iterator[Proposal]:
    yield from mentioned_texts(schema, name, mentions)
    role = role_of(schema, name)
    free = variant == 0 and "format" not in schema and "pattern" not in schema
    if free and role in ("query", "text"):
        yield from whole_message(schema, mentions)
    if free and role is None:
        named = (mention for mention in mentions.of("quoted", "name", "id") if mention.introduced)
        yield from (Proposal(mention.text, mention) for mention in named)
    yield from suggested(schema, variant)
    if free and role is None:
        yield from whole_message(schema, mentions)
    yield from _plausible_texts(schema, role, name, variant)


def suggested(schema: Schema, variant: int) -> Iterator[Proposal]:
    """What the schema itself offers: its default, its examples, the example in its description."""
    if variant == 0 and "default" in schema:
        yield Proposal(schema["default"])
    examples = schema.get("examples")
    if isinstance(examples, list):
        yield from (Proposal(example) for example in examples[variant:])
    described = _EXAMPLE.search(str(schema.get("description", "")))
    if described and variant == 0:
        text = described.group(1) or described.group(2)
        yield from (Proposal(number_of(text)), Proposal(text))


def _plausible_texts(schema: Schema, role: Role | None, name: Sequence[str], variant: int) -> Iterator[Proposal]:
    if "pattern" in schema:
        found = list(samples(str(schema["pattern"])))
        first = variant % len(found) if found else 0
        yield from map(Proposal, found[first:] + found[:first])
    form = _of_format(str(schema.get("format", role)), variant)
    if form is not None:
        yield Proposal(form)
    base = _PLAUSIBLE.get(str(role)) or " ".join(("example", *name))
    yield Proposal(fitted(f"{base} {variant + 1}" if variant else base, schema))
    yield Proposal(fitted(f"{variant}{base}", schema))
    yield Proposal(fitted(chr(ord("a") + variant % 26) + str(variant // 26 or ""), schema))


def fitted(text: str, schema: Schema) -> str:
    """`text` cut or repeated to the schema's length."""
    low, high = int(schema.get("minLength", 0)), schema.get("maxLength")
    while text and len(text) < low:
        text = f"{text} {text}"
    return text if high is None else text[: max(int(high), 0)]


def _as_format(text: str, form: str) -> str:
    """A date or time of the message as its format wants it: RFC 3339."""
    if form == "date":
        return text[:10]
    if form == "date-time":
        clock = text[11:] or "00:00"
        return f"{text[:10]}T{_as_format(clock, 'time')}"
    if form == "time":
        zone = "" if re.search(r"Z$|[+-]\d\d:\d\d$", text) else "Z"
        seconds = ":00" if text.count(":") == 1 else ""
        return f"{text.zfill(5) if len(text) < 5 else text}{seconds}{zone}"
    return text


def _of_format(form: str, variant: int) -> str | None:
    """A plausible text of a format, another one for each variant."""
    count = str(variant + 1) if variant else ""
    day = (_FIRST_DAY + timedelta(days=variant)).isoformat()
    match form:
        case "email" | "idn-email":
            return f"ada{count}@example.com"
        case "uri" | "iri" | "uri-reference" | "iri-reference" | "url":
            return f"https://example.com/{count}"
        case "uuid":
            return str(uuid5(NAMESPACE_DNS, f"{variant}.example.com"))
        case "date":
            return day
        case "date-time":
            return f"{day}T12:00:00Z"
        case "time":
            return f"12:{variant % 60:02}:00Z"
        case "duration":
            return f"PT{variant + 1}H"
        case "hostname" | "idn-hostname":
            return f"host{count}.example.com"
        case "ipv4":
            return f"192.0.2.{variant % 254 + 1}"
        case "ipv6":
            return f"2001:db8::{variant % 9999 + 1}"
        case "json-pointer":
            return f"/{count}"
        case _:
            return None


def mentioned_enum(values: Sequence[Json], mentions: Mentions) -> list[Json]:
    """The allowed values that the message names, in the order of the list."""
    said = stems(re.findall(r"\w+", mentions.text))
    return [value for value in values if isinstance(value, str) and _is_said(value, said)]


def _is_said(value: str, said: frozenset[str]) -> bool:
    words = stems(re.findall(r"\w+", re.sub(r"[_\-]", " ", value)))
    return bool(words) and words <= said


def mentioned_numbers(schema: Schema, name: Sequence[str], mentions: Mentions) -> Iterator[Proposal]:
    """Numbers beside a word of the parameter's name: "3 days", "limit 20"."""
    wanted = stems(name)
    for mention in mentions.of("number"):
        if mention.near & wanted:
            yield Proposal(number_of(mention.text), mention)


def numbers(schema: Schema, name: Sequence[str], mentions: Mentions, variant: int) -> Iterator[Proposal]:
    yield from mentioned_numbers(schema, name, mentions)
    for mention in mentions.of("number"):
        yield Proposal(number_of(mention.text), mention)
    for mention in mentions.of("id"):
        digits = re.search(r"\d+", mention.text)
        if digits:
            yield Proposal(int(digits.group()), mention)
    yield from suggested(schema, variant)
    yield from (Proposal(number) for number in _plausible_numbers(schema, variant))


def _plausible_numbers(schema: Schema, variant: int) -> Iterator[Json]:
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf))
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf))
    whole = "integer" in schema.get("type", ())
    step = schema.get("multipleOf") or (1 if whole else None)
    if step:
        yield from _multiples(step, low, high, variant)
    yield 1 + variant
    if math.isfinite(low) and math.isfinite(high):
        yield low + (high - low) * (variant + 1) / (variant + 2)
    elif math.isfinite(low):
        yield low + 1 + variant
    elif math.isfinite(high):
        yield high - 1 - variant
    yield from (bound for bound in (low, high) if math.isfinite(bound))


def _multiples(step: float, low: float, high: float, variant: int) -> Iterator[Json]:
    """Multiples inside the bounds, near one where the bounds admit it."""
    first = math.ceil(max(low, min(1, high)) / step)
    last = math.floor(high / step) if math.isfinite(high) else None
    for index in (*range(first + variant, first + variant + 4), *(() if last is None else (last, last - 1, last - 2))):
        multiple = round(index * step, 12)
        yield int(multiple) if multiple == int(multiple) else multiple
