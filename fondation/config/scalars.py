"""The small written forms of agents.yaml: durations, sizes, money, percents, names, addresses.

Each is one `Scalar`: the pattern that editors and `validate` share, the noun and the help that a reader gets, and
where the text stands for a number, a function that reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

VARIABLE = r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}"
"""A whole `${NAME}` or `${NAME:-default}`: what the schema admits where a number, a boolean or a choice belongs."""

WHOLE_VARIABLE = f"^{VARIABLE}$"
"""The same as the pattern of a key that takes no other text."""

_HOLDS_VARIABLE = r".*\$\{.*"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A form of text, described once for the schema and for the reader."""

    noun: str
    """With its article: "a duration"."""
    core: str
    """The regular expression of the whole text, without anchors; the same in Python and ECMAScript."""
    help: str
    """What to write instead of text that does not fit."""
    code: str = "invalid-value"
    """The code of the problem."""
    words: tuple[str, ...] = ()
    """Every text of this form, where they are a few words."""

    @property
    def pattern(self) -> str:
        """The anchored expression for the schema: it also admits text with a variable in it."""
        return f"^(?:{self.core}|{_HOLDS_VARIABLE})$"

    def fits(self, text: str) -> bool:
        """Whether `text`, variables replaced, has this form."""
        return re.fullmatch(self.core, text) is not None


DURATION = Scalar(
    "a duration",
    r"[1-9][0-9]{0,5}(?:ms|s|m|h|d)",
    'a duration is a whole number from 1 to 999999 and a unit (ms, s, m, h, d), like "30s" or "5m"',
    "invalid-duration",
)
SIZE = Scalar(
    "a size",
    r"[1-9][0-9]{0,8}(?:B|KB|MB|GB)",
    'a size is a whole number from 1 to 999999999 and a unit (B, KB, MB, GB), like "256KB" or "4MB"',
    "invalid-size",
)
MONEY = Scalar(
    "money",
    r"\$(?:[1-9][0-9]{0,5}(?:\.[0-9]{1,12})?|0\.(?=0*[1-9])[0-9]{1,12})",
    'money is a $ and a plain amount of dollars, more than 0 and less than a million, like "$5.00" or "$0.25"',
    "invalid-money",
)
PERCENT = Scalar(
    "a percent",
    r"(?:[1-9][0-9]?(?:\.[0-9]{1,2})?|100)%",
    'a percent is a number from 1 to 100 and a %, like "80%"',
    "invalid-percent",
)
ENTRY_POINT = Scalar(
    "an entry point",
    r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*",
    'an entry point is written "module:attribute", like "tools.billing:check_invoice"',
    "invalid-entry-point",
)
VARIABLE_NAME = Scalar(
    "the name of an environment variable",
    r"[A-Za-z_][A-Za-z0-9_]*",
    "write the variable's name alone, like OPENROUTER_API_KEY; its value never goes into the file",
)
BASE_URL = Scalar(
    "the address of a model server",
    r"https?://[^\s/?#]+[^\s#]*",
    'write the whole address, like "https://llm.example.com/v1" or "http://127.0.0.1:8080/v1"',
    "invalid-url",
)
ORIGIN = Scalar(
    "an origin",
    r"\*|https?://[^\s/?#]+",
    'an origin is a scheme and a host, without a path, like "https://app.example.com"; "*" is every origin',
    "invalid-origin",
)
HOST = Scalar(
    "the name or address of a machine",
    r"[^\s/?#@:*,\[\]$]+|[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9_.-]+)?",
    'write a name or an address alone, like "127.0.0.1" or "0.0.0.0"; the port goes under server.port',
    "invalid-host",
)
NOT_BLANK = Scalar("text", r"[\s\S]*\S[\s\S]*", "write some text, or remove the key", "empty-value")
APPROVAL = Scalar(
    "a word",
    "never|always",
    'write never, always, or a mapping, like {when: "tools.billing:is_large"}',
    "invalid-choice",
    ("never", "always"),
)
ON_DISCONNECT = Scalar(
    "a word",
    "cancel|continue",
    "write cancel, continue, or how long a run waits for a reader: {grace: 30s}",
    "invalid-choice",
    ("cancel", "continue"),
)
ON_EXCEED = Scalar(
    "a word",
    "stop",
    "write stop, or the model that answers instead: {use: NAME}",
    "invalid-choice",
    ("stop",),
)

TOOL_NAME = Scalar(
    "a tool's name",
    r"[A-Za-z0-9_-]{1,64}",
    "a tool's name has letters, digits, _ and -, at most 64 of them",
    "invalid-name",
)
NAME = Scalar(
    "a name",
    r"[A-Za-z0-9_-]+",
    "a name has letters, digits, _ and -",
    "invalid-name",
)
ROUTE_PATH = Scalar(
    "a route",
    r"/(?:[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*)?",
    'a route is a path that begins with /, like "/api/chat": letters, digits, . _ ~ - between the slashes',
    "invalid-route",
)
CONTEXT_NAME = Scalar(
    "the name of a context value",
    r"[A-Za-z_][A-Za-z0-9_]*",
    "a context value's name has letters, digits and _, and does not begin with a digit",
    "invalid-name",
)

VALUES = (
    DURATION,
    SIZE,
    MONEY,
    PERCENT,
    ENTRY_POINT,
    VARIABLE_NAME,
    BASE_URL,
    ORIGIN,
    HOST,
    NOT_BLANK,
    APPROVAL,
    ON_DISCONNECT,
    ON_EXCEED,
    NAME,
)
KEYS = (TOOL_NAME, NAME, ROUTE_PATH, CONTEXT_NAME)

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BYTES = {"B": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
"""A KB is 1000 bytes."""
PICO_PLACES = 12
"""Money is counted in millionths of a millionth of a dollar: the decimals that an amount may have."""


def duration(text: str) -> float:
    """Read "500ms", "10s", "5m", "2h" or "7d" as seconds. Raises ValueError with the help."""
    number, unit = _number_and_unit(text, DURATION)
    return number * SECONDS[unit]


def size(text: str) -> int:
    """Read "256KB" or "4MB" as bytes. Raises ValueError with the help."""
    number, unit = _number_and_unit(text, SIZE)
    return number * BYTES[unit]


def money(text: str) -> int:
    """Read "$5.00" as pico-dollars, 10^12 to the dollar, exactly. Raises ValueError with the help."""
    if not MONEY.fits(text):
        raise ValueError(MONEY.help)
    return int(Decimal(text.removeprefix("$")).scaleb(PICO_PLACES))


def percent(text: str) -> Decimal:
    """Read "80%" as the share 0.8, exactly. Raises ValueError with the help."""
    if not PERCENT.fits(text):
        raise ValueError(PERCENT.help)
    return Decimal(text.removesuffix("%")).scaleb(-2)


def written_duration(seconds: float) -> str:
    """300.0 as "5m": the largest unit that leaves a whole number."""
    return _written(seconds, SECONDS)


def written_size(size: float) -> str:
    """4000000 as "4MB"."""
    return _written(size, BYTES)


def _written(amount: float, units: Mapping[str, float]) -> str:
    unit, worth = max(((unit, worth) for unit, worth in units.items() if amount % worth == 0), key=lambda pair: pair[1])
    return f"{amount / worth:.0f}{unit}"


def _number_and_unit(text: str, scalar: Scalar) -> tuple[int, str]:
    if not scalar.fits(text):
        raise ValueError(scalar.help)
    digits = re.match(r"[0-9]+", text)
    assert digits is not None
    return int(digits[0]), text[digits.end() :]
