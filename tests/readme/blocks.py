"""The blocks of the README that are made from the program: the table of keys, help texts, problems, a flowchart."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from fondation.cli import fondation
from fondation.config.schema import json_schema
from tests.support.markdown import blocks

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BROKEN = Path(__file__).with_name("broken.yaml")

_CONSOLE = re.compile(r"```console\n\$ (?P<command>[^\n]+)\n.*?```", re.DOTALL)
_FLOWCHART = re.compile(r"```mermaid\n.*?```", re.DOTALL)
_KEYS = re.compile(r"<!-- keys -->\n.*?\n</details>", re.DOTALL)


def refreshed(text: str) -> str:
    """The README's text with every generated block as it must be."""
    text = _CONSOLE.sub(lambda match: f"```console\n$ {match['command']}\n{output_of(match['command'])}```", text)
    text = _FLOWCHART.sub(lambda match: f"```mermaid\n{flowchart(blocks(text[: match.start()], 'yaml')[-1])}```", text)
    return _KEYS.sub(lambda _: f"<!-- keys -->\n\n{key_table()}\n\n</details>", text)


def output_of(command: str) -> str:
    """What a `fondation ...` command prints, run where broken.yaml is."""
    words = command.removeprefix("fondation ").split()
    words = [str(BROKEN) if word == BROKEN.name else word for word in words]
    result = CliRunner().invoke(fondation, words, prog_name="fondation")
    return result.output.replace(str(BROKEN), BROKEN.name)


def flowchart(file: str) -> str:
    """The agents of a file with this text, as `fondation graph` draws them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "agents.yaml")
        path.write_text(file)
        return CliRunner().invoke(fondation, ["graph", str(path)]).stdout


def key_table() -> str:
    """Every key of the schema with its default and its description."""
    schema = json_schema()
    rows = [f"| `{path}` | {_default(node)} | {_text(node)} |" for path, node in _keys(schema, schema, "")]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *rows])


def _keys(node: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, child in node.get("properties", {}).items():
        inner = _resolved(child, schema)
        below = f"{path}{name}"
        yield below, {**inner, **child}
        yield from _keys(inner, schema, f"{below}.")
        for named in inner.get("patternProperties", {}).values():
            yield from _keys(_resolved(named, schema), schema, f"{below}.NAME.")
        yield from _keys(_resolved(inner.get("items", {}), schema), schema, f"{below}[].")


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = node.get("$ref")
    return schema["$defs"][reference.rpartition("/")[2]] if reference else node


def _default(node: dict[str, Any]) -> str:
    value = node.get("default")
    if value is None or isinstance(value, dict) or value == []:
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _text(node: dict[str, Any]) -> str:
    return str(node.get("description", "")).replace("|", "\\|").replace("\n", " ")
