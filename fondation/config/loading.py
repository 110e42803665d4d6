"""The order of work: read, version, replace, schema, then the checks; each step passes over what is already broken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from fondation.config import scalars
from fondation.config.checks import check
from fondation.config.checks.instructions import resolve_instructions
from fondation.config.document import Document
from fondation.config.environment import export, read_environment, replace_variables
from fondation.config.loaded import Loaded
from fondation.config.models import Config
from fondation.config.problems import Problem
from fondation.config.project import put_first_on_import_path
from fondation.config.reading import UnreadableFile, read_text
from fondation.config.schema_problems import check_schema
from fondation.config.source import read

VERSION = 1
_COUNTED = {"agent": "agents", "tool": "tools", "model": "models", "route": "routes"}
_COUNTED_IF_ANY = {"budget": "budgets"}


def load(path: Path, *, check_imports: bool = True, check_environment: bool = True) -> Loaded:
    """Read and check a file; everything that is wrong with it is in the result's `problems`.

    The project's folder comes first on the import path, and the variables of its .env.local and .env that the process
    lacks go into `os.environ`. Without `check_imports` no tool is imported; without `check_environment` a variable that
    is not set is no problem, and what needs its value is not checked.
    """
    file, folder = str(path), path.absolute().parent
    environment, problems = read_environment(path.parent)
    export(environment)
    put_first_on_import_path(folder)
    try:
        text = read_text(path, file)
        source = read(file, text)
    except UnreadableFile as unreadable:
        found = [*problems, unreadable.problem]
        return Loaded(path, folder, None, found, environment, {file: unreadable.text} if unreadable.text else {})
    document = Document(source, source.data, [*problems, *source.problems], dropped=set(source.broken))
    document.files[file] = text
    config = _checked(document, folder, environment, check_imports, check_environment)
    return Loaded(
        path,
        folder,
        config,
        _sorted(document.problems, file),
        environment,
        document.files,
        _counts(document.source.data),
    )


def _checked(
    document: Document, folder: Path, environment: Mapping[str, str], check_imports: bool, check_environment: bool
) -> Config | None:
    if not _version_fits(document):
        return None
    replace_variables(document, environment, required=check_environment)
    check_schema(document)
    document.prune()
    resolve_instructions(document, folder)
    check(document, folder, environment, check_imports=check_imports, check_environment=check_environment)
    if document.unknown or any(problem.severity == "error" for problem in document.problems):
        return None
    return _built(document)


def _version_fits(document: Document) -> bool:
    """Whether this fondation can read the file: nothing else is said about one of another version."""
    data = document.data
    if not isinstance(data, dict) or "version" not in data or ("version",) in document.dropped:
        return True
    version = data["version"]
    if isinstance(version, int) and not isinstance(version, bool) and version == VERSION:
        return True
    written = document.source.written(("version",))
    newer = isinstance(version, int) and version > VERSION
    help = f"write version: {VERSION}" + (", without quotes" if isinstance(version, str) else "")
    help += ", or upgrade fondation: pip install --upgrade fondation" if newer else ""
    document.error(
        ("version",), "unknown-version", f"version is {written}; this fondation reads version {VERSION}", help
    )
    return False


def _built(document: Document) -> Config | None:
    """The configuration. What only the models refuse (the schema should have) is reported at its place all the same."""
    try:
        return Config.model_validate(document.data)
    except ValidationError as error:
        for details in error.errors():
            path = tuple(details["loc"])
            if path[:1] == ("routes",) and path not in document.source.values:
                path = path[2:]  # a route's limits are those of the file where it writes none
            path = document.nearest(path)
            message = f"{document.name(path)}: {details['msg'].removeprefix('Value error, ')}"
            document.error(path, "invalid-value", message, _help_for_dollars(document.text(*path)))
        return None


def _help_for_dollars(text: str | None) -> str:
    """For what the schema took for a variable: `$${LIMIT}` is the text ${LIMIT}."""
    if text is None or not re.search(scalars.WHOLE_VARIABLE, text):
        return ""
    name = text[2:-1].partition(":-")[0]
    return f"$$ is a $, and what follows it no variable: write ${{{name}}}, with the $ in its value, like {name}=$5.00"


def _sorted(problems: Iterable[Problem], file: str) -> list[Problem]:
    """By place; the problems of the file itself before those of the files that it names."""
    return sorted(set(problems), key=lambda problem: (problem.file != file, problem.place))


def _counts(data: object) -> dict[str, int]:
    sections = data if isinstance(data, dict) else {}
    counts = {
        noun: len(section) if isinstance(section := sections.get(key), dict | list) else 0
        for noun, key in {**_COUNTED, **_COUNTED_IF_ANY}.items()
    }
    return {noun: count for noun, count in counts.items() if count or noun in _COUNTED}
