"""The `fondation` command: one module a subcommand, imported only when it is asked for."""

from __future__ import annotations

import importlib
import sys
import traceback

import click

COMMANDS = {
    "serve": "Serve the agents of a YAML file over HTTP.",
    "validate": "Check agents.yaml files and show every problem at its line.",
    "usage": "Show what the model calls cost.",
    "budgets": "Show what is spent of each budget, and what is left.",
    "graph": "Draw the agents and their handoffs.",
    "chat": "Talk to an agent in the terminal.",
    "init": "Write a starter project into an empty folder.",
    "schema": "Print the JSON Schema of agents.yaml.",
}
"""Subcommand -> its short help. The module of the same name holds `command`."""

EXIT_BUG = 3


class LazyGroup(click.Group):
    """A group that imports a subcommand's module when it is used, so that `serve` starts fast."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"fondation.cli.{name}").command
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="fondation", message="fondation %(version)s")
def fondation() -> None:
    """An agent server: agents in one YAML file, answers as an AI SDK UI message stream, every model call in a
    ledger."""


def main() -> None:
    """Run the command. Exit codes: 0 fine, 1 problems, 2 wrong usage of the command, 3 a bug of ours."""
    try:
        fondation(prog_name="fondation")
    except Exception:
        traceback.print_exc()
        click.echo("fondation: this is a bug of ours; please report it with the lines above.", err=True)
        sys.exit(EXIT_BUG)
