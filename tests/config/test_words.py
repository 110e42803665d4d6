from __future__ import annotations

import pytest

from fondation.config.words import counted, did_you_mean, kind_of, listed, near, printable, shown


def test_a_list_of_names_reads_as_a_sentence() -> None:
    assert listed(["a", "b", "c"]) == "a, b or c"
    assert listed(["a", "b"], "and") == "a and b"
    assert listed(["a"]) == "a"
    assert listed([]) == "nothing"


def test_nouns_are_counted() -> None:
    assert [counted(number, "agent") for number in (0, 1, 2)] == ["0 agents", "1 agent", "2 agents"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("handoff", "handoffs"),
        ("maxTurns", "max_turns"),
        ("Max-Turns", "max_turns"),
        ("memory", None),
        ("x" * 9999, None),
    ],
)
def test_the_near_name_is_found_whatever_its_spelling(name: str, meant: str | None) -> None:
    assert near(name, ["handoffs", "max_turns", "model"]) == meant


def test_help_for_an_unknown_name_is_the_near_one_or_the_legal_set() -> None:
    assert did_you_mean("modle", ["model", "tools"], "keys") == 'did you mean "model"?'
    assert did_you_mean("x", ["model", "tools"], "keys") == "the keys are model and tools"
    assert did_you_mean("x", ["model"], "keys") == "there is only model"
    assert did_you_mean("x", [], "keys") == "there are no keys"
    many = [f"agent{number}" for number in range(30)]
    assert did_you_mean("x", many, "agents").endswith("agent11 and 18 more")


def test_shown_text_is_one_short_line() -> None:
    assert shown("a\nb") == '"a\N{REPLACEMENT CHARACTER}b"'
    assert len(shown("x" * 5000)) == 62


def test_nothing_shown_moves_the_cursor_or_turns_the_text_around() -> None:
    assert printable("a\x1b[31m\u202eb\ud800\x85") == "a\ufffd[31m\ufffdb\ufffd\ufffd"


def test_keys_and_passwords_are_masked_without_moving_anything() -> None:
    text = "key: sk-or-v1-0123456789 at https://me:secret@host/v1 # sk-short"
    assert printable(text) == "key: sk-**************** at https://*********@host/v1 # sk-short"
    assert len(printable(text)) == len(text)


def test_values_are_named_in_the_readers_words() -> None:
    values: list[object] = [None, True, 1, 1.5, "x", [], {}]
    assert [kind_of(value) for value in values] == [
        "empty",
        "a boolean",
        "an integer",
        "a number",
        "text",
        "a list",
        "a mapping",
    ]
