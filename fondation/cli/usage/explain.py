"""`fondation usage explain`: one run, step by step."""

from __future__ import annotations

import shutil
import sys
from typing import Literal

import click

from fondation.cli.options import file_option, format_option
from fondation.cli.usage.ledger import Ledger, db_option, find_ledger


@click.command(short_help="Tell one run step by step.")
@click.argument("run")
@format_option("table", "json")
@db_option
@file_option
@click.pass_context
def explain(context: click.Context, /, run: str, form: Literal["table", "json"], **_: object) -> None:
    """Tell one run step by step: which agent called which model, tokens, money, time, tools and handoffs.

    RUN is the x-run-id of an answer, or as much of its beginning as no other run has. The id of a chat lists the
    chat's runs.

    A step with several attempts, which were retries or fallbacks, has a line for each: 2.1, 2.2. Its tools are told
    where the server keeps the chat. Calls beside the answer, like one for a title, come last.

    Exit codes: 0 fine, 1 there is no such run or no ledger, 2 wrong usage of the command, 3 a bug of fondation's.
    """
    from fondation.usage.explaining import NoSuchRun

    ledger = find_ledger(context)
    try:
        click.echo(_explained(ledger, run, form), nl=False)
    except NoSuchRun as error:
        raise click.ClickException(f"{ledger.path}: {error}") from error


def _explained(ledger: Ledger, typed: str, form: Literal["table", "json"]) -> str:
    from fondation.usage.explained import chat_json, run_json, run_table, runs_table
    from fondation.usage.explaining import find_run, read_run, runs_of_chat
    from fondation.usage.formats import dumps

    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    with ledger.opened() as connection:
        run_id = find_run(connection, typed)
        if run_id is None:
            runs = runs_of_chat(connection, typed)
            if form == "json":
                return dumps(chat_json(typed, runs))
            lines = runs_table(typed, runs, ledger.zone, room)
        else:
            run = read_run(connection, run_id)
            if form == "json":
                return dumps(run_json(run))
            lines = run_table(run, ledger.zone, room)
    return "".join(f"{line}\n" for line in lines)
