"""`fondation chat`: talk to an agent in the terminal, over the engine and the ledger of `fondation serve`."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from fondation.cli.logs import set_up_logging
from fondation.cli.options import file_option, simulate_option

if TYPE_CHECKING:
    from fondation.agents import Route, Simulate
    from fondation.cli.conversation import Conversation
    from fondation.config import Loaded
    from fondation.server.keys import Services

PROMPT = "> "
END_SECONDS = 1.0
"""How long an answer that was broken off may take to end."""
_COMMAND = re.compile(r"/[a-z]+")


@click.command()
@click.argument("route", required=False)
@file_option
@simulate_option
def command(route: str | None, file: Path, simulate: Simulate) -> None:
    """Talk to the agent of ROUTE, by default the first route of the file.

    Tools and handoffs are shown, and after each answer what it cost; the calls are recorded as by `fondation serve`.

    /reset forgets the conversation, /quit or the end of input leaves. Ctrl-C stops an answer, a second one leaves.
    Without a terminal each line of the input is a message, and the exit code is 1 if one was not answered.
    """
    from fondation.config import load

    set_up_logging("warning", "text")
    _replace_what_cannot_be_encoded(sys.stdin, sys.stdout)
    loaded = load(file)
    if loaded.config is None:
        click.echo(loaded.report(), err=True)
        sys.exit(1)
    sys.exit(_talk(loaded, route, simulate))


def _replace_what_cannot_be_encoded(*streams: TextIO) -> None:
    """A character that the terminal does not know must not end the conversation."""
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _talk(loaded: Loaded, path: str | None, simulate: Simulate) -> int:
    """Talk until the user leaves. Returns the exit code."""
    from fondation.cli.conversation import Conversation
    from fondation.errors import ConfigError
    from fondation.server import create_app
    from fondation.server.keys import SERVICES

    try:
        app = create_app(loaded, simulate=simulate)
    except ConfigError as error:
        click.echo(f"{loaded.file}: {error}", err=True)
        return 1
    services = app[SERVICES]
    route = _find_route(services, path)
    app.freeze()
    with asyncio.Runner() as runner:
        runner.run(app.startup())
        try:
            return _converse(Conversation(services, route), runner)
        finally:
            runner.run(_end_tasks())
            runner.run(app.cleanup())


def _find_route(services: Services, path: str | None) -> Route:
    routes = services.cast.routes
    if not routes:
        raise click.UsageError("the file has no route yet: add one under routes")
    if path is None:
        return next(iter(routes.values()))
    route = routes.get(path) or routes.get(f"/{path}")
    if route is None:
        raise click.UsageError(f"there is no route {path}; type one of: {', '.join(routes)}")
    return route


async def _end_tasks() -> None:
    """An answer that a second Ctrl-C broke off ends here, while its ledger is open."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=END_SECONDS)


def _converse(conversation: Conversation, runner: asyncio.Runner) -> int:
    """Answer line by line. A Ctrl-C cancels the answer, which then ends by itself; the next one raises."""
    interactive = sys.stdin.isatty()
    if interactive:
        click.secho(conversation.greeting(), dim=True)
    all_answered = True
    try:
        for line in _lines(interactive):
            text = line.strip()
            if text == "/quit":
                break
            if text:
                all_answered &= _react(conversation, text, runner)
    except KeyboardInterrupt:
        click.echo()
    return 0 if interactive or all_answered else 1


def _react(conversation: Conversation, text: str, runner: asyncio.Runner) -> bool:
    """False where a message was not answered."""
    if text == "/reset":
        conversation.reset()
        click.secho("A new conversation begins.", dim=True)
    elif _COMMAND.fullmatch(text):
        click.secho(f"There is no command {text}; there are /reset and /quit.", fg="yellow")
    else:
        return runner.run(conversation.answer(text))
    return True


def _lines(interactive: bool) -> Iterator[str]:
    """What the user types, until the input ends."""
    if not interactive:
        yield from sys.stdin
        return
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (its import gives `input` editing and history)
    while True:
        try:
            yield input(PROMPT)
        except EOFError:
            click.echo()
            return
