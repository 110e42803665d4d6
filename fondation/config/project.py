"""A project is a folder: its modules are imported from there, its variables are read from there."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


def put_first_on_import_path(folder: Path) -> None:
    """Let the tools of a project be imported before anything of the same name."""
    if sys.path[:1] != [str(folder)]:
        sys.path[:] = [str(folder), *(entry for entry in sys.path if entry != str(folder))]


@contextlib.contextmanager
def visiting(folder: Path) -> Iterator[None]:
    """Load a project and leave nothing of it in this process: no variable, no import path, no module."""
    path, variables = [*sys.path], dict(os.environ)
    try:
        yield
    finally:
        sys.path[:] = path
        os.environ.clear()
        os.environ.update(variables)
        _forget_modules(folder.absolute())


def _forget_modules(folder: Path) -> None:
    """Another project may have modules of the same names."""
    for name, module in sys.modules.copy().items():
        file = getattr(module, "__file__", None)
        places = [file] if file else [*getattr(module, "__path__", ())]
        own = name.split(".")[0] != "fondation"
        if own and any(Path(place).is_relative_to(folder) and "site-packages" not in place for place in places):
            del sys.modules[name]
