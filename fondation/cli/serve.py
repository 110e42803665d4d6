"""`fondation serve`: the server of one agents.yaml, in the foreground."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fondation.cli.logs import LogFormat, set_up_logging
from fondation.cli.options import file_argument, simulate_option

if TYPE_CHECKING:
    from fondation.agents import Simulate
    from fondation.config import Loaded


@click.command()
@file_argument
@click.option("--host", help="Address to listen on; by default server.host of the file, else 127.0.0.1.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on; by default server.port, else 8000. 0 takes a free one.",
)
@simulate_option
@click.option("--insecure", is_flag=True, help="Allow an address that others reach: who does spends your money.")
@click.option(
    "--drain",
    type=click.FloatRange(min=0),
    default=20.0,
    show_default=True,
    metavar="SECONDS",
    help="How long running answers may go on after SIGTERM or Ctrl-C.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="The least important lines to log.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Readable lines, or one JSON object a line.",
)
def command(
    file: Path,
    host: str | None,
    port: int | None,
    simulate: Simulate,
    insecure: bool,
    drain: float,
    log_level: str,
    log_format: LogFormat,
) -> None:
    """Serve the agents of FILE (agents.yaml by default) over HTTP.

    A POST to a route answers with an AI SDK UI message stream, or with one JSON object where the Accept header asks for
    application/json. Every model call is recorded; `fondation usage` reads the record.
    """
    from fondation.config import load

    set_up_logging(log_level, log_format)
    loaded = _listening_on(load(file), host, port)
    if loaded.config is None:
        click.echo(loaded.report(), err=True)
        sys.exit(1)
    _check_address(loaded.config.server.host, insecure)
    _run(loaded, simulate, drain)


def _listening_on(loaded: Loaded, host: str | None, port: int | None) -> Loaded:
    """The file with the command line's address over its own."""
    if loaded.config is None:
        return loaded
    written = {"host": host, "port": port}
    changes = {name: value for name, value in written.items() if value is not None}
    server = loaded.config.server.model_copy(update=changes)
    return replace(loaded, config=loaded.config.model_copy(update={"server": server}))


def _check_address(host: str, insecure: bool) -> None:
    from fondation.server.doors import is_loopback

    if not insecure and not is_loopback(host):
        raise click.UsageError(
            f"{host} can be reached from other machines, and whoever reaches it spends your money.\n"
            "Listen on 127.0.0.1 behind your own server, or type --insecure if the network is safe."
        )


def _run(loaded: Loaded, simulate: Simulate, drain: float) -> None:
    from fondation.cli.banner import banner
    from fondation.errors import ConfigError
    from fondation.server import create_app, serve

    assert loaded.config is not None
    server = loaded.config.server
    try:
        app = create_app(loaded, simulate=simulate)
    except ConfigError as error:
        click.echo(f"{loaded.file}: {error}", err=True)
        sys.exit(1)

    def tell(port: int) -> None:
        click.echo(banner(loaded, app, port))

    try:
        asyncio.run(serve(app, server.host, server.port, drain=drain, on_ready=tell))
    except OSError as error:
        reason = error.strerror or str(error)
        click.echo(f"cannot listen on {server.host}:{server.port}: {reason}; try another --port", err=True)
        sys.exit(1)
