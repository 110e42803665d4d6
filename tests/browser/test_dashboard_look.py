"""The look of the dashboard in a real browser: every part of it on one page, with made-up values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from tests.browser.harness import Browser, Locator, Tab, expect, tab
from tests.clients.loopback import Loopback
from tests.dashboard.gallery import write

POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'"
"""As strict as the dashboard's own: no script, no style in the markup."""
VIEWS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True},
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("gallery")
    write(folder)

    async def page(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(folder / request.match_info["name"], headers={"Content-Security-Policy": POLICY})

    app = web.Application()
    app.router.add_get("/{name}", page)
    with Loopback(app) as server:
        yield f"{server.url}/index.html"


@pytest.fixture(params=VIEWS)
def opened(request: pytest.FixtureRequest, browser: Browser, url: str) -> Iterator[Tab]:
    with tab(browser, [url], **VIEWS[request.param]) as opened:
        opened.page.goto(url)
        yield opened


@pytest.fixture
def wide(browser: Browser, url: str) -> Iterator[Tab]:
    with tab(browser, [url], **VIEWS["light"]) as opened:
        opened.page.goto(url)
        yield opened


def box(locator: Locator) -> dict[str, float]:
    """Its x, y, width and height on the screen, in pixels."""
    found: dict[str, float] = locator.evaluate("(one) => one.getBoundingClientRect().toJSON()")
    return found


def test_everybody_can_use_it_and_nothing_is_wider_than_the_screen(opened: Tab) -> None:
    opened.page.locator("summary").first.click()
    assert opened.violations() == []
    assert opened.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_no_two_texts_of_a_chart_stand_in_each_others_way(opened: Tab) -> None:
    """Measured in the browser's own fonts, where the drawing guessed."""
    script = """() => [...document.querySelectorAll('.chart')].flatMap((chart) => {
        const texts = [...chart.querySelectorAll('text:not(.readout)')]
            .map((text) => [text.textContent, text.getBoundingClientRect()])
            .filter(([, {width}]) => width > 0);
        const place = chart.closest('.card').getBoundingClientRect();
        const meet = (a, b) => a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom;
        return texts.flatMap(([text, at], index) => [
            ...texts.slice(index + 1).filter(([, other]) => meet(at, other)).map(([other]) => `${text} meets ${other}`),
            ...(at.left < place.left || at.right > place.right ? [`${text} leaves its card`] : []),
        ]);
    })"""
    assert opened.page.evaluate(script) == []


def test_the_mouse_on_a_column_tells_its_day_and_sum(wide: Tab) -> None:
    column = wide.page.locator(".column").last
    readout = column.locator(".readout.amount")
    expect(readout).to_have_css("opacity", "0")
    column.locator(".hit").hover()
    expect(readout).to_have_css("opacity", "1")
    expect(readout).to_have_text("unknown (3 calls)")


def test_what_the_mouse_is_on_stands_in_nobodys_way(opened: Tab) -> None:
    for picture in opened.page.locator(".picture:has(.stacked)").all():
        head = picture.locator("xpath=preceding-sibling::*[1]")
        texts = [box(text) for text in picture.locator(".readout").all()]
        assert min(text["y"] for text in texts) >= box(head)["y"] + box(head)["height"]
        assert min(text["x"] for text in texts) >= 0


def test_a_line_of_the_legend_shows_its_series_alone(wide: Tab) -> None:
    chart = wide.page.locator(".picture").first
    chart.locator(".legend .series-2").hover()
    expect(chart.locator(".column rect.series-2").first).to_have_css("opacity", "1")
    expect(chart.locator(".column rect.series-1").first).to_have_css("opacity", "0.2")


def test_a_bar_is_as_long_on_the_screen_as_its_share(wide: Tab) -> None:
    part, whole = (
        box(wide.page.locator(f"[aria-label='Cached input'] rect.{css}").first) for css in ("series-1", "track")
    )
    assert part["width"] / whole["width"] == pytest.approx(0.412, abs=0.005)


def test_the_head_of_a_long_table_stays(wide: Tab) -> None:
    table = wide.page.get_by_role("region", name="Newest calls")
    head = table.locator("th").first
    top = box(head)["y"]
    table.evaluate("(table) => table.scrollBy(0, 200)")
    assert table.evaluate("(table) => table.scrollTop") > 0
    assert box(head)["y"] == pytest.approx(top, abs=1)


def test_the_edge_of_a_table_is_shaded_until_its_end_is_seen(opened: Tab) -> None:
    table = opened.page.get_by_role("region", name="Newest calls")
    table.scroll_into_view_if_needed()

    def edge() -> bytes:
        place = box(table)
        x, y = place["x"] + 3, place["y"] + place["height"] - 3
        return opened.page.screenshot(clip={"x": x, "y": y, "width": 1, "height": 1})

    at_first = edge()
    table.evaluate("(table) => table.scrollBy(0, table.scrollHeight)")
    at_the_end = edge()
    assert at_first != at_the_end
    table.evaluate("(table) => table.scrollBy(0, -table.scrollHeight)")
    assert edge() == at_first


def test_on_paper_there_is_all_of_a_table_and_nothing_to_click(wide: Tab) -> None:
    wide.page.emulate_media(media="print")
    expect(wide.page.locator(".filters").first).not_to_be_visible()
    table = wide.page.get_by_role("region", name="Newest calls")
    assert table.evaluate("(table) => table.scrollHeight <= table.clientHeight")
