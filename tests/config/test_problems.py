from __future__ import annotations

import json

from fondation.config.problems import Problem, render

SOURCE = "version: 1\nagents:\n  Triage:\n    handoff: [Billing]\n"
UNKNOWN = Problem("agents.yaml", 4, 5, "unknown-key", 'unknown key "handoff"', 'did you mean "handoffs"?', "error", 12)
MISSING = Problem("agents.yaml", None, None, "missing-file", "there is no such file")


def test_text_shows_the_source_line_and_underlines_the_problem() -> None:
    assert render([UNKNOWN], sources={"agents.yaml": SOURCE}) == (
        'agents.yaml:4:5: unknown key "handoff" [unknown-key]\n'
        "  |\n"
        "4 |     handoff: [Billing]\n"
        "  |     ^~~~~~~\n"
        '  = help: did you mean "handoffs"?'
    )


def test_the_gutter_is_as_wide_as_the_line_number() -> None:
    problem = Problem("a.yaml", 11, 18, "c", "m", "h", "error", 45)
    lines = [*[""] * 10, "  check_invoice: tools.billing.check_invoice"]
    assert render([problem], sources={"a.yaml": "\n".join(lines)}).splitlines() == [
        "a.yaml:11:18: m [c]",
        "   |",
        "11 |   check_invoice: tools.billing.check_invoice",
        "   |                  ^~~~~~~~~~~~~~~~~~~~~~~~~~~",
        "   = help: h",
    ]


def test_a_problem_of_the_whole_file_has_no_place() -> None:
    assert render([MISSING]) == "agents.yaml: there is no such file [missing-file]"


def test_a_warning_says_so() -> None:
    warning = Problem("a.yaml", 1, 1, "unused-tool", "no agent uses it", severity="warning")
    assert render([warning]).startswith("a.yaml:1:1: warning: no agent uses it [unused-tool]")


def test_problems_stand_apart() -> None:
    assert render([MISSING, MISSING]).count("\n\n") == 1
    assert render([]) == ""


def test_the_underline_follows_tabs_and_wide_characters() -> None:
    text = render([Problem("a", 1, 8, "c", "m", end_column=10)], sources={"a": "\t日本 e\u0301:xy"})
    assert text.splitlines()[-2:] == ["1 | \t日本 e\u0301:xy", "  | \t" + " " * 7 + "^~"]


def test_a_long_line_is_cut_around_the_problem() -> None:
    line = "a" * 5000 + "WRONG" + "b" * 5000
    shown, underline = render([Problem("a", 1, 5001, "c", "m", end_column=5006)], sources={"a": line}).splitlines()[-2:]
    assert len(shown) < 200
    assert shown[underline.index("^") : underline.index("^") + 5] == "WRONG"


def test_a_problem_at_the_end_of_a_line_is_one_mark() -> None:
    assert render([Problem("a", 1, 3, "c", "m", end_column=9)], sources={"a": "x:"}).splitlines()[-1] == "  |   ^"


def test_json_is_a_list_of_all_fields() -> None:
    assert json.loads(render([UNKNOWN, MISSING], "json")) == [
        {
            "file": "agents.yaml",
            "line": 4,
            "column": 5,
            "code": "unknown-key",
            "message": 'unknown key "handoff"',
            "help": 'did you mean "handoffs"?',
            "severity": "error",
            "end_column": 12,
        },
        {
            "file": "agents.yaml",
            "line": None,
            "column": None,
            "code": "missing-file",
            "message": "there is no such file",
            "help": "",
            "severity": "error",
            "end_column": None,
        },
    ]
    assert json.loads(render([], "json")) == []


def test_github_annotations_escape_what_they_must() -> None:
    problem = Problem("a,b.yaml", 4, 5, "c", "50% is\ntoo: much", "write less", "warning", 12)
    assert render([problem, MISSING], "github") == (
        "::warning file=a%2Cb.yaml,line=4,col=5,endColumn=12,title=c::50%25 is%0Atoo: much: write less\n"
        "::error file=agents.yaml,title=missing-file::there is no such file"
    )
