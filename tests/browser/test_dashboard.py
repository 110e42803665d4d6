"""The usage dashboard of a running server: from an answer to its cost, by mouse, by keys, on a phone, in the dark."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.harness import Browser, Locator, Page, Tab, expect, tab
from tests.browser.person import Person
from tests.clients.serving import Served, served
from tests.clients.upstream import Upstream, says
from tests.usage.conftest import insert

PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
LONG = "a-very-long-name-without-any-blank-in-it" * 4
LOOKS: dict[str, dict[str, Any]] = {"light": {}, "dark": {"color_scheme": "dark"}, "phone": PHONE}


def calls() -> Iterator[dict[str, Any]]:
    """A month of everything: agents that are gone, costs that are unknown, names that are long or hostile."""
    now = int(time.time())
    agents = ["Triage", "Billing", "Gone", LONG, "<img src=x onerror=alert(1)>"]
    ends: list[dict[str, Any]] = [
        {},
        {"status": "aborted", "cost": 0.0, "cost_source": "unknown", "cost_note": "no_usage"},
        {"status": "refused", "cost": 0.0, "cost_source": "none"},
        {"cost": 0.0, "cost_source": "simulated"},
        {"purpose": "title", "step": 0},
    ]
    for number in range(120):
        agent = agents[number % len(agents)]
        yield {
            "agent_name": agent,
            "handoff_chain": json.dumps(["Triage", agent]),
            "run_id": f"run_of_{number}",
            "user_id": f"user{number % 13}",
            "model": f"acme/{agents[number % 3].lower()}",
            "prompt_tokens": 1_000_000,
            "cached_tokens": 8_000 * number,
            "completion_tokens": number,
            "cost": number * 25.5,
            "duration": 400 * (number + 1),
            "time_to_first_token": 100 * (number + 1),
            "timestamp": now - number * 20_000,
            "round": 2,
            "step": 2,
            "attempt": 1,
            **ends[number % 7 if number % 7 < len(ends) else 0],
        }


@pytest.fixture(scope="module")
def busy(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with a month behind it, and budgets."""
    folder = tmp_path_factory.mktemp("busy")
    project = Path(__file__).parent / "project"
    with served(folder, upstream.url, project=project) as running:
        insert(folder / "fondation.db", *calls())
        yield running


@pytest.fixture(params=LOOKS)
def visitor(request: pytest.FixtureRequest, browser: Browser, busy: Served) -> Iterator[Tab]:
    with tab(browser, [busy.url], **LOOKS[request.param]) as opened:
        yield opened


def table(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name)


def field(page: Page, name: str) -> Locator:
    """Of the form that says which calls are shown."""
    return page.get_by_role("form", name="Which calls").locator(f"[name={name}]")


def newest_row(server: Served) -> dict[str, Any]:
    with contextlib.closing(sqlite3.connect(server.folder / "fondation.db")) as database:
        database.row_factory = sqlite3.Row
        query = "SELECT * FROM usage_tracking WHERE purpose = 'answer' ORDER BY id DESC LIMIT 1"
        return dict(database.execute(query).fetchone())


def test_from_an_answer_to_what_it_cost(person: Person) -> None:
    person.open("/api/chat", says("Hello."))
    person.say("Hi")
    person.sees_end("Hello.")
    page = person.page
    page.get_by_role("link", name="Usage and costs").click()
    expect(page.get_by_role("heading", name="Usage Dashboard")).to_be_visible()
    row = newest_row(person.server)
    cells = (
        table(page, "Recent usage").locator("tbody tr", has=page.locator(f"[href$='{row['run_id']}']")).locator("td")
    )
    expect(cells).to_have_text(
        [
            time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(row["timestamp"])),
            "Assistant",
            f"{row['total_tokens']:,}",
            f"${row['cost']:.6f}",
            "scripted-1",
        ],
    )
    cells.first.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(row["run_id"])
    expect(table(page, "Calls").locator("tbody tr")).to_contain_text([f"${row['cost']:.6f}"])
    page.get_by_role("link", name="Usage", exact=True).click()
    page.get_by_role("link", name="Chat", exact=True).click()
    expect(person.field).to_be_visible()


def test_calls_are_selected_by_period_agent_model_and_user(browser: Browser, busy: Served) -> None:
    with tab(browser, [busy.url]) as opened:
        page = opened.page
        page.goto(f"{busy.url}/admin/usage")
        page.get_by_role("link", name="7 days").click()
        expect(field(page, "since")).to_have_value("7d")
        expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")
        field(page, "agent").select_option("Billing")
        field(page, "user").fill("user1")
        page.get_by_role("button", name="Show").click()
        assert page.url.endswith("?since=7d&until=&agent=Billing&model=&user=user1")
        for row in table(page, "Recent usage").locator("tbody tr").all():
            expect(row.locator("td").nth(1)).to_have_text("Billing")
        expect(table(page, "By user").locator("tbody th")).to_have_text(["user1"])
        page.get_by_role("link", name="Clear").click()
        expect(field(page, "agent")).to_have_value("")
        table(page, "By model").get_by_role("link", name="acme/gone").click()
        expect(field(page, "model")).to_have_value("acme/gone")
        expect(table(page, "By model").locator("tbody th")).to_contain_text(["acme/gone"])


def test_figures_are_taken_away_as_csv(browser: Browser, busy: Served) -> None:
    with tab(browser, [busy.url]) as opened:
        page = opened.page
        page.goto(f"{busy.url}/admin/usage?since=30d")
        with page.expect_download() as taken:
            page.get_by_role("link", name="Users as CSV").click()
        assert taken.value.suggested_filename == "usage-users.csv"
        assert taken.value.path().read_text().startswith("row,user,runs,calls,")


def test_the_graph_is_walked_by_keys(browser: Browser, busy: Served) -> None:
    with tab(browser, [busy.url]) as opened:
        page = opened.page
        page.goto(f"{busy.url}/admin/usage")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="To the figures")).to_be_focused()
        agent = page.locator("#handoffs").get_by_role("link", name="Triage").first
        agent.focus()
        page.keyboard.press("Enter")
        expect(field(page, "agent")).to_have_value("Triage")


@pytest.mark.parametrize("width", [1280, 1200, 1024, 768, 360])
def test_no_column_is_cut_off_and_no_row_of_a_group(browser: Browser, busy: Served, width: int) -> None:
    with tab(browser, [busy.url], viewport={"width": width, "height": 900}) as opened:
        page = opened.page
        page.goto(f"{busy.url}/admin/usage")
        for name in ("By agent", "By model", "By user", "Cached input", "Unknown cost", "Budgets", "Recent usage"):
            assert table(page, name).evaluate("(table) => table.scrollWidth <= table.clientWidth"), name
        for name in ("By agent", "By model", "By user", "Cached input"):
            assert table(page, name).evaluate("(table) => table.scrollHeight <= table.clientHeight"), name


def test_cards_stand_apart(visitor: Tab, busy: Served) -> None:
    visitor.page.goto(f"{busy.url}/admin/usage")
    script = """() => {
        const places = [...document.querySelectorAll('.card')].map((card) => card.getBoundingClientRect());
        const near = (a, b, from, to) => a[from] < b[to] + 12 && b[from] < a[to] + 12;
        const meet = (a, b) => near(a, b, "left", "right") && near(a, b, "top", "bottom");
        return places.flatMap((a, index) => places.slice(index + 1).filter((b) => meet(a, b))).length;
    }"""
    assert visitor.page.evaluate(script) == 0


def test_on_a_phone_each_cell_of_a_row_is_in_sight_and_says_what_it_is(browser: Browser, busy: Served) -> None:
    with tab(browser, [busy.url], **PHONE) as opened:
        page = opened.page
        page.goto(f"{busy.url}/admin/usage")
        row = table(page, "Recent usage").locator("tbody tr").first
        row.scroll_into_view_if_needed()
        for title, cell in zip(["Agent", "Tokens", "Cost", "Model"], row.locator("td").all()[1:], strict=True):
            expect(cell).to_be_in_viewport(ratio=1)
            assert cell.evaluate("(cell) => getComputedStyle(cell, '::before').content").startswith(f'"{title}"')
        assert table(page, "Recent usage").get_by_role("columnheader").all_inner_texts() == [
            "Timestamp",
            "Agent",
            "Tokens",
            "Cost",
            "Model",
        ]


def test_a_wrong_period_is_mended_where_it_stands(browser: Browser, busy: Served) -> None:
    with tab(browser, [busy.url]) as opened:
        page = opened.page
        opened.expect("Failed to load resource")
        page.goto(f"{busy.url}/admin/usage?since=abc&agent=Billing&user=user1")
        wrong = field(page, "since")
        expect(wrong).to_be_focused()
        expect(wrong).to_have_accessible_description(re.compile('since: "abc" is no period: type 30m'))
        wrong.fill("30d")
        wrong.press("Enter")
        expect(table(page, "By user").locator("tbody th")).to_contain_text(["user1"])
        assert page.url.endswith("?since=30d&until=&agent=Billing&model=&user=user1")


def test_nobody_is_shut_out(visitor: Tab, busy: Served) -> None:
    page = visitor.page
    for address, status in {"": 200, "?user=nobody": 200, "?since=never": 400, "/runs/run_of_1": 200}.items():
        if status != 200:
            visitor.expect("Failed to load resource")
        answer = page.goto(f"{busy.url}/admin/usage{address}")
        assert answer is not None
        assert answer.status == status
        for summary in page.locator("summary").all():
            summary.click()
        assert visitor.violations() == [], address
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
