"""The Jinja2 environment of instructions: nothing is changed, nothing unsafe is reached, nothing grows without end."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST = 1_000_000
"""The most characters of rendered instructions, and of any text made on the way."""

MOST = 10_000
"""The largest number that a filter, a method or `range` takes: a width, a count."""

_WIDE_FORMAT = re.compile(r"[0-9]{4}|\*")


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox with bounds on the work that one expression can ask for."""

    intercepted_binops = frozenset({"*", "**", "+", "%"})

    def __init__(self) -> None:
        super().__init__(
            keep_trailing_newline=True,
            optimized=False,  # constant expressions would be computed while compiling
            finalize=lambda value: "" if value is None else value,
        )
        self.globals = {"range": _bounded("range", range), "dict": dict}
        self.filters = {name: _bounded(name, filter) for name, filter in self.filters.items()}

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "*" and _repeated_length(left, right) > LONGEST:
            raise SecurityError("a text or a list repeated too often")
        if operator == "**" and (abs(left) > MOST or abs(right) > 100):
            raise SecurityError("a power too large")
        if operator == "%" and isinstance(left, str):
            _refuse_wide_format(left)
        return _refuse_long(super().call_binop(context, operator, left, right))

    def call(self, context: Context, function: Any, *args: Any, **kwargs: Any) -> Any:
        owner = getattr(getattr(function, "__wrapped__", function), "__self__", None)
        if isinstance(owner, str) and getattr(function, "__name__", "").startswith("format"):
            _refuse_wide_format(owner)
        _refuse_large((*args, *kwargs.values()))
        return _refuse_long(super().call(context, function, *args, **kwargs))


def _bounded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` with bounds on its arguments and on the length of its result."""

    @functools.wraps(function)
    def bounded(*args: Any, **kwargs: Any) -> Any:
        if name == "format":
            _refuse_wide_format(str(args[0]) if args else "")
        _refuse_large((*args[1:], *kwargs.values()) if name != "range" else args)
        return _refuse_long(function(*args, **kwargs))

    return bounded


def _repeated_length(left: Any, right: Any) -> int:
    if isinstance(left, int):
        left, right = right, left
    return len(left) * right if isinstance(left, str | list | tuple) and isinstance(right, int) else 0


def _refuse_large(values: tuple[Any, ...]) -> None:
    for value in values:
        if isinstance(value, int | float) and abs(value) > MOST:
            raise SecurityError(f"a number above {MOST} as an argument")
        _refuse_long(value)


def _refuse_long(value: Any) -> Any:
    if isinstance(value, str | list | tuple) and len(value) > LONGEST:
        raise SecurityError(f"a text longer than {LONGEST} characters")
    return value


def _refuse_wide_format(text: str) -> None:
    if _WIDE_FORMAT.search(text):
        raise SecurityError("a format wider than 999 characters")
