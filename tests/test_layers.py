"""Imports point down only, and each heavy library has one room."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fondation

ROOT = Path(fondation.__file__).parent

LAYERS = [
    {"cli", "__main__"},
    {"server"},
    {"asides", "dashboard"},
    {"runner", "turn", "attempts", "gate", "routing", "run_request", "dialogue", "questions", "overflow", "budgets"},
    {"chats"},
    {"agents"},
    {"tools", "handoffs", "memory", "providers", "usage", "protocols", "summary", "show", "deadline", "graph"},
    {"stores"},
    {"config"},
    {"instructions", "sandbox", "entry_points", "signatures", "match_on", "events", "calls", "messages", "context"}
    | {"tool_results", "errors", "http", "addresses", "tokens", "threads", "price_table", "svg", "lettering"},
]
"""From the top down; a room imports from its own layer and those below."""

ROOMS = {
    "aiohttp": ("server", "providers", "http.py"),
    "sqlite_utils": ("stores/sqlite",),
    "yaml": ("config/source.py",),
}

HEAVY = [
    "aiohttp",
    "pydantic",
    "rich",
    "jinja2",
    "jsonschema",
    "sqlite_utils",
    "yaml",
    "re2",
    "msgspec",
    "genai_prices",
]


def modules() -> list[Path]:
    return [path for path in sorted(ROOT.rglob("*.py")) if "starter" not in path.relative_to(ROOT).parts]


def imports(path: Path) -> Iterator[tuple[ast.stmt, str]]:
    """Every module that a file imports while it runs; what only a type checker sees is left out."""
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            assert node.module is not None
            yield node, node.module
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)
        waiting.extend(ast.iter_child_nodes(node))


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def height(name: str) -> int:
    return -next((number for number, layer in enumerate(LAYERS) if name in layer), 0)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_every_room_has_its_layer() -> None:
    rooms = {room(path) for path in modules()} - {"__init__"}
    assert rooms - set[str]().union(*LAYERS) == set(), "add it to LAYERS, as low as it can stand"


def test_imports_point_down_only() -> None:
    upward = [
        f"{name_of(path)}:{node.lineno} imports {module}"
        for path in modules()
        for node, module in imports(path)
        if _is_of_a_room(module) and room(path) != "__init__" and height(module.split(".")[1]) > height(room(path))
    ]
    assert upward == []


def _is_of_a_room(module: str) -> bool:
    package, _, rest = module.partition(".")
    name = rest.partition(".")[0]
    return package == "fondation" and bool(name) and ((ROOT / name).is_dir() or (ROOT / f"{name}.py").is_file())


@pytest.mark.parametrize("library", ROOMS)
def test_each_heavy_library_has_one_room(library: str) -> None:
    users = {name_of(path) for path in modules() for _, module in imports(path) if module.split(".")[0] == library}
    assert users, f"{library} is used somewhere"
    assert [user for user in users if not user.startswith(ROOMS[library])] == []


@pytest.mark.parametrize("module", ["fondation", "fondation.cli", "fondation.__main__"])
def test_the_command_starts_without_what_its_subcommands_need(module: str) -> None:
    code = f"import sys, importlib; importlib.import_module({module!r}); print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert loaded & set(HEAVY) == set()
