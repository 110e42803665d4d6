"""Pictures as SVG: a tree of elements, so that no name that a user or a model chose can become markup."""

from __future__ import annotations

import re
from typing import TypeAlias
from xml.etree import ElementTree

Element: TypeAlias = ElementTree.Element

_NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(tag: str, *content: Element | str, **attributes: str | float) -> Element:
    """One element. Of its attributes `class_` is `class`, and `_` in a name is `-`: `stroke_width`."""
    made = ElementTree.Element(
        tag, {name.rstrip("_").replace("_", "-"): _text(each) for name, each in attributes.items()}
    )
    for each in content:
        if isinstance(each, str):
            _append_text(made, each)
        else:
            made.append(each)
    return made


def picture(
    width: float, height: float, label: str, *content: Element, role: str = "img", **attributes: str | float
) -> Element:
    """The `svg` element, whose name for those who cannot see it is `label`: one image, or with links in it a group."""
    return element(
        "svg",
        *content,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_text(width)} {_text(height)}",
        width=width,
        height=height,
        role=role,
        aria_label=label,
        **attributes,
    )


def as_text(picture: Element) -> str:
    """The markup, to stand in a page or in a file of its own."""
    return ElementTree.tostring(picture, encoding="unicode")


def _append_text(parent: Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + _text(text)
    else:
        parent.text = (parent.text or "") + _text(text)


def _text(value: str | float) -> str:
    """A number with two places at most; a text without what no XML may hold."""
    if isinstance(value, str):
        return _NOT_IN_XML.sub("\ufffd", value)
    return f"{round(value, 2) + 0:.2f}".rstrip("0").rstrip(".")  # + 0 takes the sign from zero
