"""Pictures as they were looked at, kept beside the tests as files that a browser shows."""

from __future__ import annotations

import copy
from pathlib import Path
from xml.etree import ElementTree

from fondation.svg import Element, as_text

FOLDER = Path(__file__).parent / "golden"


def assert_looks_as_kept(name: str, drawing: Element) -> None:
    """An element a line. Where there is no such file it is written, to be looked at, and the test fails."""
    lined = copy.deepcopy(drawing)
    ElementTree.indent(lined)
    text = f"{as_text(lined)}\n"
    kept = FOLDER / f"{name}.svg"
    if not kept.exists():
        kept.write_text(text)
        raise AssertionError(f"{kept} was not there; now it is: look at it")
    assert text == kept.read_text()
