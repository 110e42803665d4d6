"""Text that matches a JSON Schema `pattern`, for the part of regular expressions that schemas commonly use."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_DIGITS = string.digits[1:] + "0"
_CLASSES = {"d": _DIGITS, "w": string.ascii_lowercase, "s": " ", "D": "x", "S": "x", "W": "-"}
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "0": "\0"}
_ANYTHING = string.ascii_lowercase + string.digits
_PRINTABLE = string.ascii_letters + string.digits + " -_.,:;/+@#!?%&*()='\"<>|~^$[]{}\\`"
_SAMPLES = 64
_LONGEST_RUN = 10_000

Part = Callable[[int], str]
"""Writes its text; the number varies repetitions and the choice among characters."""


class _UnsupportedError(Exception):
    """The pattern uses what this module cannot write: look-around, back references, properties."""


def samples(pattern: str) -> Iterator[str]:
    """Different texts that match, shortest first; none for a pattern beyond the supported part."""
    try:
        part = _Parser(pattern).alternatives()
    except _UnsupportedError:
        return
    seen = set()
    for variant in range(_SAMPLES):
        text = part(variant)
        if text not in seen and matches(pattern, text):
            seen.add(text)
            yield text


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern is found in the text; never for a pattern that Python cannot read."""
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False


@dataclass(slots=True)
class _Parser:
    """A recursive descent over the pattern; each method returns the writer of what it read."""

    pattern: str
    at: int = 0

    def alternatives(self) -> Part:
        options = [self._sequence()]
        while self._accept("|"):
            options.append(self._sequence())
        if self.at < len(self.pattern) and self.pattern[self.at] != ")":
            raise _UnsupportedError(self.pattern)
        return lambda variant: options[variant % len(options)](variant)

    def _sequence(self) -> Part:
        parts: list[Part] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            parts.append(self._repeated(self._atom()))
        return lambda variant: "".join(part(variant) for part in parts)

    def _atom(self) -> Part:
        char = self._next()
        if char in "^$":
            return lambda variant: ""
        if char == "(":
            return self._group()
        if char == "[":
            return _one_of(self._class())
        if char == ".":
            return _one_of(_ANYTHING)
        if char == "\\":
            return self._escape()
        if char in "*+?{":
            raise _UnsupportedError(self.pattern)
        return lambda variant: char

    def _group(self) -> Part:
        if self._accept("?") and not self._accept(":"):
            name = re.compile(r"P?<\w+>").match(self.pattern, self.at)
            if name is None:
                raise _UnsupportedError(self.pattern)
            self.at = name.end()
        inner = self.alternatives()
        if not self._accept(")"):
            raise _UnsupportedError(self.pattern)
        return inner

    def _escape(self) -> Part:
        char = self._next()
        if char in "bBAZ":
            return lambda variant: ""
        return _one_of(self._escaped(char))

    def _escaped(self, char: str) -> str:
        if char in _CLASSES:
            return _CLASSES[char]
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char in "xu":
            digits = self.pattern[self.at : self.at + (2 if char == "x" else 4)]
            self.at += len(digits)
            try:
                return chr(int(digits, 16))
            except ValueError:
                raise _UnsupportedError(self.pattern) from None
        if char.isalnum():
            raise _UnsupportedError(self.pattern)
        return char

    def _class(self) -> str:
        negated = self._accept("^")
        chars = ""
        while not self._accept("]"):
            char = self._next()
            first = self._escaped(self._next()) if char == "\\" else char
            if len(first) == 1 and self.pattern[self.at : self.at + 1] == "-" and self._range_ends():
                self.at += 1
                last = self._next()
                last = self._escaped(self._next()) if last == "\\" else last
                chars += "".join(map(chr, range(ord(first), min(ord(last[0]), ord(first) + 255) + 1)))
            else:
                chars += first
        if negated:
            chars = "".join(char for char in _PRINTABLE if char not in chars)
        if not chars:
            raise _UnsupportedError(self.pattern)
        return chars

    def _range_ends(self) -> bool:
        return self.pattern[self.at + 1 : self.at + 2] not in ("", "]")

    def _repeated(self, part: Part) -> Part:
        found = re.compile(r"([*+?])|\{(\d+)(,(\d*))?\}").match(self.pattern, self.at)
        if found is None:
            return part
        self.at = found.end()
        if not self._accept("?"):
            self._accept("+")
        low, high = _bounds(found)
        return lambda variant: "".join(part(variant + turn) for turn in range(_count(low, high, variant)))

    def _next(self) -> str:
        if self.at >= len(self.pattern):
            raise _UnsupportedError(self.pattern)
        self.at += 1
        return self.pattern[self.at - 1]

    def _accept(self, char: str) -> bool:
        if not self.pattern.startswith(char, self.at):
            return False
        self.at += len(char)
        return True


def _bounds(found: re.Match[str]) -> tuple[int, int | None]:
    sign, low, comma, high = found.groups()
    if sign:
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
    if comma is None:
        return int(low), int(low)
    return int(low), int(high) if high else None


def _count(low: int, high: int | None, variant: int) -> int:
    wanted = low + variant
    return min(wanted, _LONGEST_RUN if high is None else high, _LONGEST_RUN)


def _one_of(chars: str) -> Part:
    return lambda variant: chars[variant % len(chars)]
