"""`fondation init`: a starter project that validates and serves at once. It never overwrites a file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import click

STARTER = (
    "agents.yaml",
    "tools/__init__.py",
    "tools/weather.py",
    "tools/billing.py",
    ".env.example",
    ".gitignore",
)
"""The files that are kept in `fondation/starter`, there with "dot-" for a leading dot."""
SCHEMA = "schemas/agents.schema.json"
KEPT = ".gitignore"
"""A file that a folder may have already: it stays as it is."""

NEXT = """\
Next:
{enter}  fondation serve --simulate=missing

Then open http://127.0.0.1:8000/ and talk to the agents, or in another terminal:
  curl -N http://127.0.0.1:8000/api/chat -H 'content-type: application/json' \\
    -d '{{"message": "What is the weather in Lyon?"}}'

Or without a server:
  fondation chat --simulate=missing

In a page with the AI SDK:
  useChat({{ transport: new DefaultChatTransport({{ api: 'http://127.0.0.1:8000/api/chat' }}) }})

The answers are simulated until there is a key: copy .env.example to .env.local and set OPENROUTER_API_KEY.\
"""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path(), metavar="[FOLDER]")
def command(folder: Path) -> None:
    """Write a starter project into FOLDER (this folder by default).

    Two agents, two tools and a route, ready for `fondation serve`. Files that exist are never overwritten: if one is
    in the way, nothing is written.
    """
    files = _starter_files()
    kept = [KEPT] if _exists(folder / KEPT) else []
    for name in kept:
        del files[name]
    _refuse_to_overwrite(folder, files)
    _write(folder, files)
    where = "" if folder == Path() else f" in {folder}"
    click.echo(f"Wrote{where}: {', '.join(files)}\n")
    if kept:
        click.echo(f"Your {KEPT} is left as it is: add .env.local and *.db to it.\n")
    enter = "" if folder == Path() else f"  cd {shlex.quote(str(folder))}\n"
    click.echo(NEXT.format(enter=enter))


def _starter_files() -> dict[str, str]:
    """Path in the project -> text."""
    from fondation.config.schema import schema_text

    starter = resources.files("fondation") / "starter"
    files = {name: (starter / _stored_name(name)).read_text(encoding="utf-8") for name in STARTER}
    return files | {SCHEMA: schema_text()}


def _stored_name(name: str) -> str:
    return f"dot-{name[1:]}" if name.startswith(".") else name


def _refuse_to_overwrite(folder: Path, files: Mapping[str, str]) -> None:
    if _exists(folder) and not folder.is_dir():
        raise click.UsageError(f"{folder} is a file; type the name of a folder, like: fondation init my-agents")
    existing = list(dict.fromkeys(found for name in files if (found := _in_the_way(folder, name))))
    if existing:
        verb = "exists" if len(existing) == 1 else "exist"
        raise click.ClickException(
            f"{', '.join(existing)} {verb} already in {folder.absolute()}, so nothing was written.\n"
            "Type another folder, like: fondation init my-agents"
        )


def _in_the_way(folder: Path, name: str) -> str | None:
    """What keeps the file from being made: a file of its name, or one where its folder belongs."""
    for parent in Path(name).parents:
        if _exists(folder / parent) and not (folder / parent).is_dir():
            return str(parent)
    return name if _exists(folder / name) else None


def _exists(path: Path) -> bool:
    """Whether anything is there, a broken link too."""
    return path.exists() or path.is_symlink()


def _write(folder: Path, files: Mapping[str, str]) -> None:
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        reason = error.strerror or str(error)
        raise click.ClickException(f"cannot write {error.filename}: {reason}; type another folder") from error
