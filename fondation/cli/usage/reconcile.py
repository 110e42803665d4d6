"""`fondation usage reconcile`: the ledger against the provider's own books."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from fondation.cli.options import file_option, format_option
from fondation.cli.usage.ledger import db_option, find_ledger, read_period, since_option, until_option

if TYPE_CHECKING:
    from fondation.usage.periods import Period


@click.command(short_help="Compare the ledger with what the provider exports.")
@click.argument("export", type=click.Path(path_type=Path), metavar="FILE")
@since_option
@until_option
@click.option("--provider", help="Whose calls of the ledger are meant, where the columns of FILE do not tell.")
@format_option("table", "json")
@db_option
@file_option
@click.pass_context
def reconcile(
    context: click.Context,
    /,
    export: Path,
    since: str | None,
    until: str | None,
    provider: str | None,
    form: Literal["table", "json"],
    **_: object,
) -> None:
    """Compare the ledger with FILE, the CSV that a provider exports of its activity, and list what differs.

    FILE is OpenRouter's activity (openrouter.ai/activity, a line per call), OpenAI's costs, or any CSV with columns
    for a time and a cost. Calls are matched by generation id, else by model, tokens and minute; where FILE has sums
    only, they are compared by day (UTC) and model. Compared is the time that FILE covers, or less with --since and
    --until.

    Exit codes: 0 both agree to the last digit, 1 they differ, or FILE or the ledger cannot be read, 2 wrong usage of
    the command, 3 a bug of fondation's.
    """
    from fondation.usage.exports import UnreadableExport, read_export
    from fondation.usage.formats import dumps
    from fondation.usage.reconciled import reconciliation_json, reconciliation_table
    from fondation.usage.reconciling import reconcile as compare

    ledger = find_ledger(context)
    period = read_period(since, until, ledger.zone)
    try:
        charges = read_export(export)
    except UnreadableExport as error:
        raise click.ClickException(f"{error}.") from error
    with ledger.opened() as connection:
        found = compare(connection, charges, period, provider)
    if _is_empty(found.period):
        raise click.ClickException(f"{export} covers no time in that period: leave out --since and --until.")
    if form == "json":
        click.echo(dumps(reconciliation_json(found)), nl=False)
    else:
        room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        click.echo("".join(f"{line}\n" for line in reconciliation_table(found, ledger.zone, room)), nl=False)
    sys.exit(0 if found.agrees else 1)


def _is_empty(period: Period) -> bool:
    return period.since is not None and period.until is not None and period.since >= period.until
