"""`match_on`: the words and regular expressions in a message that bring it to an agent without a model call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fondation.messages import mend_text

_EXPRESSION = re.compile(r"/(?P<pattern>.+)/(?P<flags>[a-z]*)", re.DOTALL)
_MOST_MEMORY = 1 << 20


class InvalidPattern(ValueError):
    """A word of `match_on` that cannot be used. The text says what is wrong; `help` what to type."""

    def __init__(self, text: str, help: str) -> None:
        super().__init__(text)
        self.help = help


@dataclass(frozen=True, slots=True)
class Matcher:
    """Compiled `match_on`."""

    words: re.Pattern[str] | None
    expressions: tuple[Any, ...]
    """Patterns of google-re2, which take linear time whatever the message is."""

    def matches(self, text: str) -> bool:
        """Whether the message has one of the words, whole and in any case, or fits one of the expressions."""
        if self.words is not None and self.words.search(text.casefold()):
            return True
        if not self.expressions:
            return False
        valid = mend_text(text)
        return any(expression.search(valid) for expression in self.expressions)


def compile_match(words: Sequence[str]) -> Matcher:
    """Compile the list. Raises InvalidPattern for the first word that cannot be used."""
    plain = [word for word in words if not word.startswith("/")]
    return Matcher(_any_word(plain), tuple(_expression(word) for word in words if word.startswith("/")))


def _any_word(words: Sequence[str]) -> re.Pattern[str] | None:
    """One expression for all words; a word's own first or last sign may be no letter, as in "c++"."""
    if not words:
        return None
    if any(not word.strip() for word in words):
        raise InvalidPattern("a blank word would match every message", "write a word, or remove it")
    either = "|".join(r"\s+".join(map(re.escape, word.casefold().split())) for word in words)
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)")


def _expression(text: str) -> Any:
    match = _EXPRESSION.fullmatch(text)
    if match is None:
        raise InvalidPattern(
            "begins with / but does not end as a regular expression",
            "write '/pattern/' or '/pattern/i' in single quotes; YAML cuts unquoted text at \" #\"",
        )
    if match["flags"] not in ("", "i"):
        raise InvalidPattern(f'has the flags "{match["flags"]}"', "the only flag is i (any case): '/pattern/i'")
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.case_sensitive = not match["flags"]
    options.log_errors = False
    options.max_mem = _MOST_MEMORY
    try:
        return re2.compile(match["pattern"], options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        reason = reason.decode() if isinstance(reason, bytes) else reason
        raise InvalidPattern(
            f"is no regular expression: {reason}",
            "the syntax is RE2's: no lookahead, lookbehind or backreference",
        ) from error
