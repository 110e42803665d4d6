"""`fondation validate`: every problem of an agents.yaml, at its line."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import Literal

import click

from fondation.cli.options import format_option


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@format_option("text", "json", "github")
@click.option("--strict", is_flag=True, help="Warnings are problems too: exit with 1.")
@click.option(
    "--no-env",
    is_flag=True,
    help="A variable that is not set is no problem; skip what needs its value, and the ledger's folder.",
)
@click.option("--no-import", is_flag=True, help="Do not import the tools.")
def command(
    files: tuple[Path, ...], form: Literal["text", "json", "github"], strict: bool, no_env: bool, no_import: bool
) -> None:
    """Check agents.yaml files and show every problem at its line.

    FILE is agents.yaml in this folder unless it is given. The tools are imported, so check only what you would run.

    Exit codes: 0 fine (perhaps with warnings), 1 problems, 2 wrong usage of the command, 3 a bug of fondation's.
    """
    from fondation.config.loaded import render_all
    from fondation.config.loading import load
    from fondation.config.project import visiting

    loaded = []
    for file in files or (Path("agents.yaml"),):
        # what a tool prints while it is imported must not end up in the report
        with visiting(file.parent), contextlib.redirect_stdout(sys.stderr):
            loaded.append(load(file, check_imports=not no_import, check_environment=not no_env))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8 shows the rest all the same
    click.echo(render_all(loaded, form, strict=strict))
    wrong = any(result.problems if strict else result.errors for result in loaded)
    sys.exit(1 if wrong else 0)
