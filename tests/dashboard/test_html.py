from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fondation.budgets import Budget
from fondation.dashboard.desk import ChatRuns, Desk
from fondation.dashboard.formats import as_json
from fondation.dashboard.html import RUN, USAGE
from fondation.dashboard.overview import Overview
from fondation.dashboard.selection import BadSelection, Selection
from fondation.usage.table import name_text
from tests.usage.conftest import MONDAY, Fill

from .conftest import GRAPH, PAGES
from .page import Page

Look = Callable[..., Overview]

PARIS = ZoneInfo("Europe/Paris")
HOSTILE = "<script>alert('1')</script>\"&\x00\u202e"


def shown(overview: Overview) -> Page:
    return Page(PAGES.usage(overview))


def test_cards_and_table_are_those_that_people_know(fill: Fill, look: Look) -> None:
    fill(
        {"cost": 0.0078125, "total_tokens": 1_234, "model": "acme/main", "agent_name": "Triage"},
        {"cost": 1_234.00005, "total_tokens": 12_345_678, "model": None, "timestamp": MONDAY + 3_661},
    )
    page = shown(look(zone=PARIS))
    assert page.headings[0] == "Usage Dashboard"
    assert [(title, lines[0]) for title, lines in page.stats.items()] == [
        ("Total Cost", "$1234.0079"),
        ("Total Tokens", "12,346,912"),
        ("Total Requests", "2"),
    ]
    assert page.tables["Recent usage"] == [
        ["Timestamp", "Agent", "Tokens", "Cost", "Model"],
        ["2026-11-23 02:01:01", "Billing", "12,345,678", "$1234.000050", ""],
        ["2026-11-23 01:00:00", "Triage", "1,234", "$0.007813", "acme/main"],
    ]


def test_an_empty_ledger_is_zero(look: Look) -> None:
    page = shown(look())
    assert [lines[0] for lines in page.stats.values()] == ["$0.0000", "0", "0"]
    assert page.tables["Recent usage"] == [["Timestamp", "Agent", "Tokens", "Cost", "Model"]]
    assert "No call is recorded yet" in PAGES.usage(look())


def test_where_nothing_is_selected_there_is_a_way_back(fill: Fill, look: Look) -> None:
    fill({"user_id": "ada"})
    page = shown(look(user="eve"))
    assert page.links["clear the filters"] == "usage"
    assert page.stats["Total Requests"][0] == "0"


def test_what_a_total_leaves_out_is_said_beside_it(fill: Fill, look: Look) -> None:
    fill(
        {"cost": 0.5},
        {"cost_source": "unknown", "cost_note": "no_price"},
        {"cost_source": "pending"},
        {"status": "refused", "cost_source": "none"},
        {"cost_source": "simulated", "prompt_tokens": 1_500},
    )
    page = shown(look())
    assert page.stats["Total Cost"] == ["$0.5000", "+", "1 call of unknown cost and 1 call of pending cost"]
    assert page.stats["Total Tokens"] == ["1,500", "1,500 of them simulated"]
    assert page.stats["Total Requests"] == ["5", "4 runs · 1 refused · 1 simulated"]
    assert page.tables["Unknown cost"][1][0].startswith("its provider bills nothing on the wire")


@pytest.mark.parametrize(
    ("call", "cost", "mark"),
    [
        ({"cost_source": "unknown"}, "unknown", ""),
        ({"cost_source": "pending", "status": "running"}, "pending", "running"),
        ({"cost_source": "simulated"}, "$0.000000", "simulated"),
        ({"cost_source": "none", "status": "refused"}, "$0.000000", "refused"),
        ({"cost": 0.25, "status": "aborted"}, "$0.250000", "aborted"),
        ({"cost": 0.25, "purpose": "title"}, "$0.250000", "title"),
    ],
)
def test_a_row_of_no_known_cost_is_no_zero(
    fill: Fill, look: Look, call: dict[str, object], cost: str, mark: str
) -> None:
    fill(call)
    timestamp, *cells = shown(look()).tables["Recent usage"][1]
    assert timestamp.removeprefix("2026-11-23 00:00:00").strip() == mark
    assert cells == ["Billing", "0", cost, ""]


def test_simulated_calls_are_shown_before_any_money_is_spent(fill: Fill, look: Look) -> None:
    fill({"cost_source": "simulated", "prompt_tokens": 20, "model": "acme/main", "user_id": "ada"})
    page = shown(look())
    assert page.stats["Total Cost"] == ["$0.0000", "no model was called, nothing was charged"]
    assert "Tokens by day" in page.headings
    for table, name in {"By agent": "Billing", "By model": "acme/main", "By user": "ada"}.items():
        assert page.tables[table][1][:5] == [name, "simulated", "", "20", "1"]


def test_whatever_a_name_holds_it_stays_text(fill: Fill, look: Look) -> None:
    fill(
        dict.fromkeys(("agent_name", "model", "user_id", "run_id", "session_id", "status", "cost_note"), HOSTILE)
        | {"cost_source": "unknown", "handoff_chain": f'["Triage", "{HOSTILE[:8]}"]', "purpose": "answer"}
    )
    for selected in ({}, {"agent": HOSTILE}):
        text = PAGES.usage(look(**selected))
        Page(text)
        assert "<script" not in text
        assert "alert" in text


def test_a_filter_offers_the_files_names_and_the_ledgers(fill: Fill, look: Look) -> None:
    fill({"agent_name": "Old", "model": "acme/old"})
    text = PAGES.usage(look(agent="Older"))
    for name in ("Triage", "Billing", "Older"):
        assert f'<option value="{name}"' in text
    assert '<option value="Older" selected>' in text
    assert '<option value="acme/old">' in PAGES.usage(look())


def test_names_lead_to_what_they_select_and_keep_the_period(fill: Fill, look: Look) -> None:
    fill({"agent_name": "Bill & Ben", "run_id": "run/1"})
    page = shown(look(since="2026-11-01"))
    assert page.links["Bill & Ben"] == "usage?since=2026-11-01&agent=Bill+%26+Ben"
    assert page.links["2026-11-23 00:00:00"] == "usage/runs/run%2F1"


def test_budgets_are_shown_as_of_now(fill: Fill, look: Look) -> None:
    budget = Budget("each-user", 2 * 10**12, PARIS, per="user", warn_at=10**12)
    fill(
        {"user_id": "ada", "cost": 2.5},
        {"user_id": "eve", "cost": 1.25},
        {"user_id": "bob", "cost": 0.5},
        {"user_id": "bob", "cost_source": "unknown"},
    )
    page = shown(look(budgets=(budget,), agent="Nobody"))
    assert [row[:7] + row[7:] for row in page.tables["Budgets"][1:]] == [
        ["each-user used up", "user ada", "$2.500000", "$2.00", "125%", "", "$0.000000", "never"],
        ["each-user runs short", "user eve", "$1.250000", "$2.00", "62%", "", "$0.750000", "never"],
        ["each-user", "user bob", "$0.500000", "$2.00", "25%", "", "$1.500000", "never"],
    ]
    assert "each-user: 1 call of unknown cost is not in what is spent." in PAGES.usage(look(budgets=(budget,)))


def test_the_dearest_are_shown_and_the_others_together(fill: Fill, look: Look) -> None:
    budget = Budget("each-user", 2 * 10**12, PARIS, per="user")
    fill(*({"user_id": f"user{number:02}", "cost": number / 8, "prompt_tokens": 1} for number in range(15)))
    page = shown(look(budgets=(budget,)))
    *head, others = page.tables["By user"]
    assert [row[0] for row in head] == ["User", *(f"user{number:02}" for number in range(14, 2, -1))]
    assert others == ["3 others", "$0.375000", "", "3", "3", "3"]
    assert len(page.tables["Budgets"]) == 13
    assert "each-user: 3 more, who spent $0.375000 together." in PAGES.usage(look(budgets=(budget,)))


def test_many_agents_and_models_end_in_a_row_of_the_others_and_programs_are_told_all(fill: Fill, look: Look) -> None:
    named = ({"agent_name": f"agent{number:02}", "model": f"acme/{number:02}"} for number in range(14))
    fill(*({**each, "cost": 0.5, "prompt_tokens": 200, "cached_tokens": 50, "duration": 9} for each in named))
    overview = look()
    page = shown(overview)
    for table in ("By agent", "By model"):
        assert len(page.tables[table]) == 1 + 12 + 1
        assert page.tables[table][-1] == ["2 others", "$1.000000", "", "400", "2", "2"]
    assert page.tables["Cached input"][-2:] == [
        ["2 others", "25%", "", "100", "400"],
        ["All models", "25%", "", "700", "2,800"],
    ]
    assert len(page.tables["Latency"]) == 1 + 12
    assert "by the 12 dearest models" in PAGES.usage(overview)
    assert [len(json.loads(as_json(overview))[section]) for section in ("agents", "models")] == [14, 14]


def test_agents_that_left_the_file_do_not_fill_the_graph(fill: Fill, look: Look) -> None:
    fill(*({"agent_name": f"gone{number}"} for number in range(9) for _ in range(number)))
    text = PAGES.usage(look())
    drawn = [number for number in range(9) if f"<title>gone{number}: no longer in the file" in text]
    assert drawn == [3, 4, 5, 6, 7, 8]
    assert "not drawn: 2 agents more that the file no longer has" in text


def test_more_calls_than_are_shown_are_counted(fill: Fill, look: Look) -> None:
    fill(*({"cost": 0.5} for _ in range(51)))
    assert "the newest 50 of 51" in PAGES.usage(look())
    assert "the newest" not in PAGES.usage(look(agent="Nobody"))


def test_a_long_name_breaks_between_its_words(fill: Fill, look: Look) -> None:
    model = "anthropic/claude-4.5-sonnet-20250929"
    fill({"user_id": f"a_user/of-<b>@{'y' * 30}.com", "agent_name": "x" * 5_000, "model": model})
    text = PAGES.usage(look())
    assert f"a_<wbr>user/<wbr>of-&lt;b&gt;@<wbr>{'y' * 30}.<wbr>com</a>" in text
    assert text.count(f">{model}<") == 3  # whoever looks for a usual name finds it whole
    assert f'<span class="long" title="{"x" * 5_000}">{"x" * 5_000}</span>' in text


def test_what_cannot_be_selected_leaves_the_form_as_it_was_filled_in() -> None:
    selection = Selection(since="<b>", until="2d", agent="Gone", model="acme/main", user='"ada"')
    text = PAGES.bad_selection(selection, BadSelection("since: <b> is no period", "since"))
    Page(text)
    assert text.count("aria-invalid") == text.count("autofocus") == 1
    assert 'name="since" value="&lt;b&gt;"' in text
    assert 'aria-invalid="true" aria-describedby="wrong"' in text
    assert 'id="wrong" role="alert">since: &lt;b&gt; is no period</p>' in text
    for kept in ('name="until" value="2d"', 'name="user" value="&#34;ada&#34;"'):
        assert kept in text
    for chosen in ("Gone", "acme/main"):
        assert f'<option value="{chosen}" selected>' in text


def test_handoffs_are_counted(fill: Fill, look: Look) -> None:
    fill({"handoff_chain": '["Triage", "Billing"]', "run_id": "run_1", "round": 2})
    assert shown(look()).tables["Handoffs"] == [["From", "To", "Handoffs"], ["Triage", "Billing", "1"]]


def test_where_nothing_is_recorded_it_is_said_why(look: Look) -> None:
    text = replace(PAGES, is_recording=False).usage(look(why_not="usage.enabled is false; write true"))
    assert Page(text).notices == ["usage.enabled is false; write true"]
    assert "ask something" not in text


def test_money_without_a_day_is_told(fill: Fill, look: Look) -> None:
    fill({"cost": 0.25}, *({"cost": 0.5, "timestamp": moment} for moment in (MONDAY * 1_000, -5)))
    page = shown(look())
    assert page.stats["Total Cost"][0] == "$1.2500"
    assert page.notices[0].startswith("2 calls of $1.000000 in all are on no day: the timestamp")


def test_what_is_no_text_is_shown_as_one(fill: Fill, look: Look) -> None:
    fill(
        {"model": b"\xff\xfe", "agent_name": b"Bill", "user_id": b"ada", "cost_source": "unknown"},
        {"agent_name": "Bill", "cost": 0.5, "model": "", "cost_note": b"why"},
        {"agent_name": " "},
    )
    page = shown(look())
    assert [row[0] for row in page.tables["By agent"][1:]] == ["Bill + 1 call of unknown cost", "(blank)"]
    assert [row[0] for row in page.tables["By user"][1:]] == ["(none)", "ada"]
    assert len(page.tables["Recent usage"]) == 4


def test_a_run_is_told_step_by_step(fill: Fill, path: Path) -> None:
    first = {"run_id": "run_1", "chat_id": "c1", "session_id": "c1", "user_id": "ada", "requested_model": "acme/main"}
    fill(
        {**first, "agent_name": "Triage", "round": 1, "step": 1, "attempt": 1, "cost": 0.25, "duration": 900},
        {**first, "round": 2, "step": 2, "attempt": 1, "status": "error", "error_type": "rate_limited"},
        {**first, "round": 2, "step": 2, "attempt": 2, "cost": 0.5, "duration": 4_000, "prompt_tokens": 1_000},
    )
    run = Desk(path, PARIS, (), GRAPH).run("run_")
    page = Page(PAGES.run(run, PARIS))
    assert page.headings == ["Run", "Over time", "Step by step"]
    assert [row[:4] + row[8:10] for row in page.tables["Calls"]] == [
        ["Step", "Agent", "Model", "Outcome", "Cost", "Time"],
        ["1", "Triage", "acme/main", "done, handoff to Billing", "$0.250000", "900ms"],
        ["2.1", "Billing", "acme/main", "error: rate_limited", "$0.000000", "-"],
        ["2.2", "Billing", "acme/main", "done", "$0.500000", "4.0s"],
        ["Total", "", "", "", "$0.750000", "at least 4.9s"],
    ]
    assert (page.links["c1"], page.links["ada"]) == ("c1", "../../usage?user=ada")


def test_a_chats_runs_are_listed_each_with_its_page(fill: Fill, path: Path) -> None:
    chat = {"chat_id": "c1", "session_id": "c1"}
    fill({**chat, "run_id": "run_1", "cost": 0.25}, {**chat, "run_id": "run_2", "cost": 0.5})
    found = Desk(path, PARIS, (), GRAPH).run("c1")
    assert isinstance(found, ChatRuns)
    page = Page(PAGES.run(found, PARIS))
    assert [row[:1] + row[4:5] for row in page.tables["2 runs"][1:]] == [
        ["run_1", "$0.250000"],
        ["run_2", "$0.500000"],
        ["Total", "$0.750000"],
    ]
    assert page.links["run_2"] == "run_2"


def test_a_runs_page_says_what_its_totals_miss_and_why(fill: Fill, path: Path) -> None:
    run = {"run_id": "run_1", "chat_id": "c1", "session_id": "c1"}
    fill(
        {**run, "step": 1, "cost": 0.25, "duration": 900},
        {**run, "step": 2, "cost_source": "unknown", "cost_note": HOSTILE, "status": "aborted", "duration": 10},
        {**run, "step": 3, "cost_source": "pending", "status": "running"},
    )
    desk = Desk(path, PARIS, (), GRAPH)
    missed = "$0.250000 + 1 call of unknown cost and 1 call of pending cost"
    page = Page(PAGES.run(desk.run("run_1"), PARIS))
    assert {title: page.facts[title] for title in ("Took", "Cost", "Tokens")} == {
        "Took": "running",
        "Cost": missed,
        "Tokens": "-",
    }
    assert [row[8] for row in page.tables["Calls"][1:]] == ["$0.250000", "unknown", "pending", "$0.250000 + ?"]
    assert page.notes[-3:] == [
        f"Total cost: {missed}",
        f"Cost of step 2 unknown: {name_text(HOSTILE)}",
        "Cost of step 3 not known yet: it is still running",
    ]
    chat = Page(PAGES.run(desk.run("c1"), PARIS))
    assert chat.notes[-1:] == [f"Total cost: {missed}"]
    assert [row[4] for row in chat.tables["1 run"][1:]] == ["$0.250000 + ?"] * 2


def test_chats_of_several_owners_with_one_id_have_a_total_each(fill: Fill, path: Path) -> None:
    chat = {"chat_id": "c1", "session_id": "c1"}
    fill(
        {**chat, "run_id": "run_1", "user_id": "ann", "cost": 0.25},
        {**chat, "run_id": "run_2", "user_id": "zed", "cost": 0.5},
    )
    page = Page(PAGES.run(Desk(path, PARIS, (), GRAPH).run("c1"), PARIS))
    assert page.headings == ["Chat", "1 run of user ann", "1 run of user zed"]
    assert {name: rows[-1][4] for name, rows in page.tables.items()} == {
        "1 run of user ann": "$0.250000",
        "1 run of user zed": "$0.500000",
    }


def test_what_is_wrong_is_told_with_the_way_back() -> None:
    for place in (USAGE, RUN):
        page = Page(PAGES.error("since: <7 days> is no period", place))
        assert page.notices == ["since: <7 days> is no period"]
        assert page.links["All usage"] == place.usage
