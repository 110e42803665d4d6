"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_DEFAULT_FILE = Path("agents.yaml")
_SIMULATE = "--simulate"
_MODES = ("none", "missing", "all")


class _ValueWithEqualsSign(click.Option):
    """An option that may stand bare, its value only after "=": in `--simulate agents.yaml` the file is no value.

    A value that stands apart and is one of the option's choices is taken too.
    """

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        super().add_to_parser(parser, ctx)
        parse = parser.parse_args
        parser.parse_args = lambda args: parse(args=_with_values(args))


def _with_values(args: Sequence[str]) -> list[str]:
    return [
        f"{_SIMULATE}=all" if arg == _SIMULATE and after not in _MODES else arg
        for arg, after in zip_longest(args, args[1:], fillvalue="")
    ]


file_argument = click.argument(
    "file", type=click.Path(path_type=Path, dir_okay=True), default=_DEFAULT_FILE, metavar="[FILE]"
)
file_option = click.option(
    "--file",
    type=click.Path(path_type=Path),
    default=_DEFAULT_FILE,
    show_default=True,
    help="The file that declares the agents.",
)
simulate_option = click.option(
    _SIMULATE,
    cls=_ValueWithEqualsSign,
    is_flag=False,
    flag_value="all",
    default="none",
    type=click.Choice(_MODES),
    metavar="[=missing]",
    help="Answer with simulated models, which need no key and cost nothing; --simulate=missing leaves alone the models "
    "whose key is set.",
)


def format_option(default: str, *others: str) -> Callable[[Command], Command]:
    """How a command prints: the parameter `form`."""
    return click.option(
        "--format",
        "form",
        type=click.Choice([default, *others]),
        default=default,
        show_default=True,
        help="How to print.",
    )
