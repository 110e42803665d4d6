from __future__ import annotations

import re
from xml.etree import ElementTree

from fondation.graph import draw, standalone

from .support import support_desk

SVG = "{http://www.w3.org/2000/svg}"


def test_the_file_is_xml_of_its_own_with_its_colours_written_out() -> None:
    root = ElementTree.fromstring(standalone(draw(*support_desk())))
    style = root.findtext(f"{SVG}style") or ""
    assert root.tag == f"{SVG}svg"
    assert "var(" not in style
    assert "fill: #ffffff" in style


def test_every_rule_has_its_dark_twin() -> None:
    root = ElementTree.fromstring(standalone(draw(*support_desk())))
    light, _, dark = (root.findtext(f"{SVG}style") or "").partition("@media (prefers-color-scheme: dark) {\n")
    without_colours = [re.sub(r"#[0-9a-f]{6}", "", rules) for rules in (light, dark.removesuffix("}\n"))]
    assert without_colours[0] == without_colours[1]
    assert set(re.findall(r"#[0-9a-f]{6}", light)).isdisjoint(re.findall(r"#[0-9a-f]{6}", dark))


def test_there_is_paper_beneath_it_all() -> None:
    root = ElementTree.fromstring(standalone(draw(*support_desk())))
    assert [each.get("class") for each in root][:3] == [None, "graph-paper", None]
    assert root[2][0].get("class") == "graph-line"


def test_every_class_of_the_picture_has_a_rule() -> None:
    picture = draw(*support_desk(), href=lambda name: name)
    classes = {name for each in picture.iter() for name in (each.get("class") or "").split()}
    text = standalone(picture)
    assert [name for name in classes if not re.search(rf"\.{name}\b", text[: text.index("</style>")])] == []
