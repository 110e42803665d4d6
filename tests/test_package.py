"""What the package gives to those who import it."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from importlib.metadata import version

import pytest

import fondation
from fondation import errors


def test_the_public_names_are_these() -> None:
    assert fondation.__all__ == ["RunContext", "ToolError", "__version__", "create_app"]
    assert all(hasattr(fondation, name) for name in fondation.__all__)


def test_the_version_is_the_installed_ones() -> None:
    assert fondation.__version__ == version("fondation")


def test_create_app_is_the_servers() -> None:
    from fondation.server import create_app

    assert fondation.create_app is create_app


def test_another_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="'fondation' has no attribute 'nonsense'"):
        _ = fondation.nonsense


def test_a_tool_module_imports_its_two_names_without_the_server() -> None:
    code = "import sys; from fondation import RunContext, ToolError; print('fondation.server' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_tree_of_errors_is_the_one_that_the_docstring_draws() -> None:
    assert errors.__doc__ is not None
    drawn = re.findall(r"^([│├└─ ]*)([A-Z]\w+)", errors.__doc__, re.MULTILINE)
    tree = [(len(branch) // 4, name) for branch, name in drawn if branch or name == "FondationError"]
    assert tree == _tree(errors.FondationError)


def _tree(error: type[Exception], depth: int = 0) -> list[tuple[int, str]]:
    own = [child for child in error.__subclasses__() if child.__module__ == errors.__name__]
    return [(depth, error.__name__), *(entry for child in own for entry in _tree(child, depth + 1))]


def test_every_provider_error_has_a_name_of_its_own_and_a_whole_sentence() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.ProviderError)]
    assert len({kind.error_type for kind in kinds}) == len(kinds)
    assert len({kind.sentence for kind in kinds}) == len(kinds)
    assert all(kind.sentence.endswith(".") for kind in kinds)


def test_a_provider_error_may_know_better_than_its_kind() -> None:
    error = errors.ProviderUnavailable("503", retry_after=2.0, retryable=False, charged=False)
    assert (error.retryable, error.charged, error.retry_after) == (False, False, 2.0)
    assert errors.ProviderUnavailable("503").retryable
    assert errors.ProviderUnavailable("503").charged is None


def test_an_entry_point_error_says_what_to_do() -> None:
    error = errors.EntryPointError("there is no module tool", 'did you mean "tools"?')
    assert str(error) == 'there is no module tool; did you mean "tools"?'
    assert str(errors.EntryPointError("there is none")) == "there is none"
