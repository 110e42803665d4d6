from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fondation.config.places import Lines, Written, dotted
from fondation.config.source import read


def test_lines_end_where_an_editor_ends_them() -> None:
    lines = Lines("a\r\nb\rc\nd\u2028e")
    assert [lines.position(offset) for offset in (0, 3, 5, 7, 9)] == [(1, 1), (2, 1), (3, 1), (4, 1), (4, 3)]
    assert (lines.start(4), lines.end(3), lines.end(9)) == (3, 4, 10)


def test_a_path_is_written_with_dots_and_brackets() -> None:
    assert dotted(("agents", "Triage", "handoffs", 0)) == "agents.Triage.handoffs[0]"
    assert dotted(()) == ""


@pytest.mark.parametrize(
    "written",
    [
        "|\n    One line.\n\n      Another MARK here.\n",
        "|2-\n      One line.\n    Another MARK here.\n",
        ">\n    One line,\n    another MARK here.\n\n    End.\n",
        "One line,\n    another MARK here.\n",
        "'It''s one line,\n\n    another MARK here.'\n",
        '"\\tOne \\"line\\",\\n \\\n    caf\\u00e9 \\x41 \\U0001F600 \\\\ another MARK here."\n',
        "日本語 😀 MARK",
    ],
)
def test_a_character_of_a_scalar_is_found_in_the_file(written: str) -> None:
    source = read("a.yaml", f"before: x\nkey: {written}")
    assert isinstance(source.data, dict)
    value = source.data["key"]
    assert isinstance(value, str)
    offset = Written(source.text, source.values["key",], value).offset(value.index("MARK"))
    assert source.text[offset : offset + 4] == "MARK"


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30), st.sampled_from("'\"|>"))
@settings(max_examples=150)
def test_every_written_form_leads_to_the_same_character(before: str, style: str) -> None:
    text: str = yaml.safe_dump({"key": f"{before} MARK"}, default_style=style, allow_unicode=True)
    source = read("a.yaml", text)
    assert isinstance(source.data, dict)
    value = source.data["key"]
    assert isinstance(value, str)
    offset = Written(text, source.values["key",], value).offset(value.index("MARK"))
    assert text[offset : offset + 4] == "MARK" or "MARK" in before
