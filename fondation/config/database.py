"""Which file the ledger is in; `serve`, `usage` and `validate` all ask here."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

DEFAULT_URL = "sqlite:///fondation.db"
VARIABLE = "DATABASE_URL"

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")


def is_production(environment: Mapping[str, str]) -> bool:
    """Whether `usage.enabled: production` means yes here."""
    return environment.get("FONDATION_ENV") == "production"


def database_file(url: str | None, folder: Path, environment: Mapping[str, str]) -> Path:
    """The SQLite file that `storage.url` names, else DATABASE_URL, else fondation.db in the project's folder.

    `sqlite:///name.db`, `file:name.db` and plain paths are relative to `folder`; `sqlite:////var/name.db` is absolute.
    Raises ValueError, whose text never holds the URL, for a database that is not supported.
    """
    written = url or environment.get(VARIABLE) or DEFAULT_URL
    name = _file_name(written)
    if not name or ":memory:" in name:
        raise ValueError(f"a ledger needs a file; {_SUPPORTED}")
    path = folder / Path(name).expanduser()
    if path.is_dir():
        raise ValueError(f"{path} is a folder; {_SUPPORTED}")
    return path


def why_unwritable(file: Path) -> str | None:
    """Why a ledger cannot be kept in `file`, which need not exist yet; None where it can.

    Nothing is made, and the text never holds the path, which may be a variable's.
    """
    try:
        if file.exists() and not (file.is_file() and os.access(file, os.R_OK | os.W_OK)):
            return "access to the file is refused" if file.is_file() else "it is no regular file"
        folder = next(parent for parent in file.parents if parent.exists())
        if not folder.is_dir():
            return "its path goes through a file"
        if not os.access(folder, os.W_OK | os.X_OK) or _keeps_no_files(folder):
            return "no file or folder can be made there"
    except OSError as error:
        return error.strerror or "there is no access"
    return None


def _keeps_no_files(folder: Path) -> bool:
    """/proc and its like, where even root can make nothing."""
    room = os.statvfs(folder)
    return room.f_blocks == room.f_files == 0


_SUPPORTED = f'write a SQLite file, like "{DEFAULT_URL}", or a path'


def _file_name(url: str) -> str:
    match = _SCHEME.match(url)
    if match is None:
        return url.strip()
    scheme, rest = match[1].lower(), url[match.end() :].partition("?")[0]
    if scheme == "sqlite" and rest.startswith("///"):
        return unquote(rest[3:])
    if scheme == "file" and not (rest.startswith("//") and not rest.startswith("///")):
        return unquote(rest.removeprefix("//"))
    if scheme in ("sqlite", "file"):
        raise ValueError(f"{scheme}: is followed by three slashes and a path; {_SUPPORTED}")
    raise ValueError(f"{scheme} is not supported; {_SUPPORTED}")
