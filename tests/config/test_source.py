from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.config.reading import UnreadableFile
from fondation.config.source import Source, Value, read

PLAIN_VALUES = [
    ("text", "text"),
    ("true", True),
    ("Yes", True),
    ("OFF", False),
    ("~", None),
    ("12", 12),
    ("-3", -3),
    ("+3", 3),
    ("0", 0),
    ("1.5", 1.5),
    ("1e3", 1000.0),
    (".5", 0.5),
    ("1.2.3", "1.2.3"),
    ("30s", "30s"),
    ("a:b", "a:b"),
    ("127.0.0.1", "127.0.0.1"),
    ("'12'", "12"),
    ('"no"', "no"),
    ("x #1", "x"),
    ("x#1", "x#1"),
    ("n", "n"),
    ("-a", "-a"),
    ("+", "+"),
    (".", "."),
]

REFUSED = ["012", "09", "0x1F", "0o17", "0b1", "1_000", "12:30", "1:30:45", "2024-01-31", "2024-01-31T10:00:00Z"]
REFUSED += [".inf", "-.INF", ".nan", "1e999", "9" * 100]


def value_of(source: Source) -> Value:
    assert isinstance(source.data, dict)
    return source.data["key"]


@pytest.mark.parametrize(("written", "value"), PLAIN_VALUES)
def test_a_value_is_what_the_reader_meant(written: str, value: Value) -> None:
    source = read("a.yaml", f"key: {written}\n")
    assert (value_of(source), type(value_of(source)), source.problems) == (value, type(value), [])


@pytest.mark.parametrize("written", REFUSED)
def test_a_value_that_yaml_readers_disagree_about_is_refused(written: str) -> None:
    [problem] = read("a.yaml", f"key: {written}\n").problems
    assert (problem.code, problem.line, problem.column) == ("ambiguous-value", 1, 6)
    assert problem.help


def test_every_key_and_value_has_its_place() -> None:
    source = read("a.yaml", "agents:\n  Triage:\n    handoffs: [A, 'B']\n")
    position = source.lines.position
    assert position(source.keys["agents", "Triage"].start) == (2, 3)
    assert position(source.values["agents", "Triage", "handoffs", 1].start) == (3, 19)
    assert source.written(("agents", "Triage", "handoffs", 1)) == "'B'"
    assert source.written(("agents", "Triage", "handoffs")) == "[A, 'B']"


def test_of_two_equal_keys_the_first_counts() -> None:
    source = read("a.yaml", "key: 1\nother: 2\nkey: [{a: 1}]\nlast: 3\n")
    assert source.data == {"key": 1, "other": 2, "last": 3}
    assert [(problem.code, problem.line) for problem in source.problems] == [("duplicate-key", 3)]


def test_a_whole_number_may_be_a_key() -> None:
    assert read("a.yaml", "{50256: -100, '7': 1}").data == {"50256": -100, "7": 1}


def test_reading_goes_on_after_a_problem() -> None:
    source = read("a.yaml", "a:\nb: 012\nc: !x 1\n<<: {d: 1}\non: 1\nb: 2\n'': 3\n")
    assert [problem.code for problem in source.problems] == [
        "empty-value",
        "ambiguous-value",
        "tag",
        "merge-key",
        "invalid-key",
        "duplicate-key",
        "empty-key",
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "# only\n", "---\n", "--- \n...\n", "null", "~\n"])
def test_a_file_without_a_value_is_empty(text: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read("a.yaml", text)
    assert caught.value.problem.code == "empty-file"


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])).filter(
    lambda text: not re.fullmatch(r"[-+]?[0-9]+[eE][-+]?[0-9]+", text)  # PyYAML leaves 1e3 unquoted: to us a number
)
JSON = st.recursive(
    st.booleans() | st.integers(-(10**20), 10**20) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdefgh -_:#'\"é", min_size=1), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON, st.booleans())
@settings(max_examples=150)
def test_what_yaml_wrote_is_read_again_with_a_place_for_everything(data: Value, flow: bool) -> None:
    text = yaml.safe_dump({"key": data}, allow_unicode=True, default_flow_style=flow, width=60)
    try:
        source = read("a.yaml", text)
    except UnreadableFile as refused:
        raise AssertionError(text) from refused
    if not source.problems:
        assert source.data == {"key": data}
        assert source.keys.keys() <= source.values.keys()


@given(st.text("ab: -[]{}'\"|>#&*!%@`,?\n\t~$1.", max_size=40))
@settings(max_examples=300)
def test_any_text_ends_in_data_or_in_problems_inside_the_file(text: str) -> None:
    try:
        problems = read("a.yaml", text).problems
    except UnreadableFile as refused:
        problems = [refused.problem]
    lines = text.split("\n")
    for problem in problems:
        if problem.line is not None and problem.column is not None:
            assert 1 <= problem.line <= len(lines)
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
        assert problem.message
