"""The colours of the stylesheet: for every eye, on both grounds."""

from __future__ import annotations

import re
from itertools import combinations
from math import dist
from pathlib import Path

import pytest

import fondation

PACKAGE = Path(fondation.__file__).parent
DASHBOARD = PACKAGE / "dashboard" / "files" / "dashboard.css"
CHAT = PACKAGE / "server" / "page" / "files" / "page.css"
GRAPH = PACKAGE / "graph" / "graph.css"
SCHEMES = ("light", "dark")
SERIES = [*(f"series-{number}" for number in range(1, 9)), "series-other"]

EYES = {
    "most": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "without red": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "without green": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "without blue": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}
"""What is seen of red, green and blue light: Machado, Oliveira and Fernandes, 2009."""


def colours(file: Path) -> dict[str, dict[str, str]]:
    """By scheme, each variable's value."""
    light, dark = re.findall(r":root \{(.*?)\}", file.read_text(), re.DOTALL)[:2]
    found = {
        name: dict(re.findall(r"--([\w-]+): ([^;]+);", text)) for name, text in zip(SCHEMES, (light, dark), strict=True)
    }
    return {"light": found["light"], "dark": found["light"] | found["dark"]}


def light_of(colour: str) -> list[float]:
    """Red, green and blue light, each from 0 to 1."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def contrast(one: str, other: str) -> float:
    """As WCAG defines it, from 1 to 21."""
    light, dark = sorted((_luminance(each) for each in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def difference(one: str, other: str, eyes: str) -> float:
    """How far apart two colours look to these eyes: a hundredth can just be seen side by side."""
    return dist(_oklab(one, eyes), _oklab(other, eyes))


def _luminance(colour: str) -> float:
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), light_of(colour), strict=True))


def _oklab(colour: str, eyes: str) -> list[float]:
    seen = _times(EYES[eyes], light_of(colour))
    cones = _times(((0.4122, 0.5363, 0.0514), (0.2119, 0.6807, 0.1074), (0.0883, 0.2817, 0.6300)), seen)
    roots = [max(cone, 0) ** (1 / 3) for cone in cones]
    return _times(((0.2105, 0.7936, -0.0041), (1.9780, -2.4286, 0.4506), (0.0259, 0.7828, -0.8087)), roots)


def _times(matrix: tuple[tuple[float, ...], ...], vector: list[float]) -> list[float]:
    return [sum(factor * value for factor, value in zip(row, vector, strict=True)) for row in matrix]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", [*SERIES, "quiet", "danger", "good", "accent"])
def test_every_mark_stands_out_from_what_is_behind_it(name: str, scheme: str) -> None:
    known = colours(DASHBOARD)[scheme]
    for ground in ("page", "raised"):
        assert contrast(known[name], known[ground]) >= 3


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("text", "page"),
        ("text", "raised"),
        ("quiet", "page"),
        ("quiet", "side"),
        ("quiet", "raised"),
        ("accent", "page"),
        ("accent", "accent-soft"),
        ("on-accent", "accent"),
        ("danger", "danger-soft"),
        ("warn", "warn-soft"),
        ("good", "good-soft"),
    ],
)
def test_every_text_can_be_read(text: str, ground: str, scheme: str) -> None:
    known = colours(DASHBOARD)[scheme]
    assert contrast(known[text], known[ground]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("eyes", EYES)
def test_the_series_look_different_to_all_eyes(eyes: str, scheme: str) -> None:
    known = colours(DASHBOARD)[scheme]
    for one, other in combinations(SERIES, 2):
        assert difference(known[one], known[other], eyes) > 0.05, (one, other)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_colours_are_those_of_the_chat_page(scheme: str) -> None:
    chat, dashboard = colours(CHAT)[scheme], colours(DASHBOARD)[scheme]
    assert {name: dashboard.get(name) for name in chat} == chat


@pytest.mark.parametrize("file", [DASHBOARD, GRAPH], ids=lambda file: file.name)
def test_no_colour_is_missing(file: Path) -> None:
    used = set(re.findall(r"var\(--([\w-]+)\)", file.read_text()))
    assert used - {"mark"} <= set(colours(DASHBOARD)["light"])


def test_each_series_has_its_class() -> None:
    text = DASHBOARD.read_text()
    for name in SERIES:
        assert f".{name} {{ --mark: var(--{name}); }}" in text
