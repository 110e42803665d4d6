"""Arguments and options that several subcommands take."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

import click

Simulate: TypeAlias = Literal["none", "missing", "all"]

file_argument = click.argument("file", type=click.Path(path_type=Path), default="agents.yaml", metavar="[FILE]")

simulate_option = click.option(
    "--simulate",
    type=click.Choice(["none", "missing", "all"]),
    is_flag=False,
    flag_value="all",
    default="none",
    help="Answer without a provider: every model, or with --simulate=missing those whose key is not set.",
)
