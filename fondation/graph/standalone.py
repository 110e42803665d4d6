"""The picture as a file that stands alone: with colours of its own, light or dark as its reader has it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files

from fondation.svg import Element, as_text, element

_LIGHT = {
    "page": "#ffffff",
    "raised": "#f1f1ee",
    "edge": "#8c8c86",
    "text": "#1d1d1b",
    "quiet": "#62625d",
    "accent": "#2f4fc7",
}
_DARK = {
    "page": "#191918",
    "raised": "#2c2c2a",
    "edge": "#76766f",
    "text": "#ecece8",
    "quiet": "#a5a59e",
    "accent": "#9db1ff",
}
_COLOUR = re.compile(r"var\(--([a-z]+)\)")


def standalone(picture: Element) -> str:
    """The text of the file. The colours are written out: not every program that shows SVG knows variables."""
    rules = f"{files('fondation.graph').joinpath('graph.css').read_text()}.graph-paper {{ fill: var(--page); }}\n"
    style = f"{_coloured(rules, _LIGHT)}@media (prefers-color-scheme: dark) {{\n{_coloured(rules, _DARK)}}}\n"
    picture[:0] = [element("style", style), element("rect", width="100%", height="100%", rx=12, class_="graph-paper")]
    return f"{as_text(picture)}\n"


def _coloured(rules: str, colours: Mapping[str, str]) -> str:
    return _COLOUR.sub(lambda match: colours[match[1]], rules)
