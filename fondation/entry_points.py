"""Entry points: `module:attribute` -> a function, and through `describe` what a model reads about it.

Nothing of the standard library can be named, so that a file of agents cannot hand `os:system` to a model.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import sys
import traceback
import types
from difflib import get_close_matches
from pathlib import Path

from fondation.errors import EntryPointError
from fondation.signatures import WRAP, Function, Signature, check_given, describe, is_async, without_partials

__all__ = ["Function", "Signature", "describe", "is_async", "load_entry_point", "load_hook", "split_entry_point"]

_STANDARD_LIBRARY = sys.stdlib_module_names | {"builtins"}
_FORM = 'an entry point is written "module:attribute", like "tools.billing:check_invoice"'


def load_entry_point(text: str) -> Function:
    """Import what `text` names. Raises EntryPointError, whose text says why it cannot be used."""
    module_name, attribute = split_entry_point(text)
    found = _attribute(_imported(module_name), module_name, attribute)
    if not callable(found):
        raise EntryPointError(f"{text} is {_article(type(found).__name__)}, which cannot be called", "name a function")
    if inspect.isclass(found):
        raise EntryPointError(f"{text} is a class", "name a function, or an instance that can be called")
    if owner := _standard_library_owner(found):
        raise EntryPointError(f"{text} is from the standard library ({owner}), which no entry point may name", WRAP)
    return found


def load_hook(text: str, *parameters: str) -> Function:
    """Import a function that is called with these. Raises EntryPointError, also where its signature has no room."""
    function = load_entry_point(text)
    check_given(function, *parameters)
    return function


def split_entry_point(text: str) -> tuple[str, str]:
    """The module and the attribute, nothing imported. Raises EntryPointError for what no import could mend."""
    module_name, separator, attribute = text.partition(":")
    if not separator or not all(name.isidentifier() for name in (*module_name.split("."), *attribute.split("."))):
        raise EntryPointError(f'"{text}" is no entry point', _FORM)
    if module_name.split(".")[0] in _STANDARD_LIBRARY:
        raise EntryPointError(f"{module_name} belongs to the standard library, which no entry point may name", WRAP)
    return module_name, attribute


def _imported(name: str) -> types.ModuleType:
    try:
        return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a module that calls sys.exit() must not end us
        missing = error.name if isinstance(error, ModuleNotFoundError) and error.name else ""
        if missing and f"{name}.".startswith(f"{missing}."):
            raise EntryPointError(f"there is no module {missing}", _near_module(name, missing)) from error
        help = f'see the whole error with: python -c "import {name}"'
        if missing:
            help = f"install {missing.split('.')[0]}, or mend the import"
        raise EntryPointError(f"{name} cannot be imported: {_last_line(error)}", help) from error


def _last_line(error: BaseException) -> str:
    """The exception's last line, and where it was raised."""
    last = traceback.format_exception_only(error)[-1].strip().splitlines()[-1]
    if isinstance(error, SyntaxError) and error.filename:
        return f"{last} ({Path(error.filename).name}, line {error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    return f"{last} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else last


def _near_module(name: str, missing: str) -> str:
    """The help for a module that does not exist: one of those beside it."""
    parent, _, last = missing.rpartition(".")
    folders = getattr(sys.modules.get(parent), "__path__", ()) if parent else sys.path[:1]
    siblings: list[str] = []
    for folder in folders:
        with contextlib.suppress(OSError):  # a folder that is not there, or a zip file
            siblings += [entry.stem for entry in Path(folder).iterdir() if _is_module(entry)]
    if not (close := get_close_matches(last, siblings, n=1)):
        return "a module is a file of the project's folder, or belongs to an installed package"
    guess = f"{parent}.{close[0]}" if parent else close[0]
    return f'did you mean "{guess}{name[len(missing) :]}"?'


def _is_module(entry: Path) -> bool:
    return entry.stem.isidentifier() and (entry.suffix == ".py" or entry.is_dir())


def _attribute(module: types.ModuleType, module_name: str, path: str) -> object:
    found: object = module
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            own = [key for key, value in vars(module).items() if _is_own_function(module_name, value)]
            close = get_close_matches(name, own, n=1)
            help = f'did you mean "{close[0]}"?' if close else f"its functions are {', '.join(own[:12])}" if own else ""
            raise EntryPointError(f"the module {module_name} has no attribute {path}", help) from None
    return found


def _is_own_function(module_name: str, value: object) -> bool:
    return inspect.isfunction(value) and value.__module__ == module_name and not value.__name__.startswith("_")


def _standard_library_owner(function: object) -> str | None:
    """The standard library's module that defines `function`; None for everything else."""
    function = without_partials(function)
    module = getattr(function, "__module__", None)
    if module is None:  # a method of a built-in value, like {}.get
        module = type(getattr(function, "__self__", function)).__module__
    name = str(module).split("._")[0]  # pathlib, not pathlib._local
    return name if name.split(".")[0] in _STANDARD_LIBRARY and name != "__main__" else None


def _article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
