"""The page in a real browser, offline: the dial moves the numbers, nothing is refused, nothing overflows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tenbin.report import Example, write_report
from tests.browser import chromium
from tests.report.made import HOSTILE, make_decision, make_evaluation

pytestmark = pytest.mark.browser

MODELS = [f"provider/a-model-with-quite-a-long-name-{k}" for k in range(9)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Opens a report offline; at the end, anything the browser complained about or asked for is a failure."""
    complaints: list[str] = []
    contexts: list[Any] = []
    place = tmp_path / "report.html"

    def show(*, lang: str = "en", models: list[str] = MODELS, width: int = 1280, **settings: Any) -> Any:
        shown = [Example(HOSTILE, make_decision(HOSTILE, HOSTILE))]
        write_report(make_evaluation(models, points=21, note=HOSTILE), place, lang=lang, examples=shown)
        context = browser.new_context(viewport={"width": width, "height": 900}, offline=True, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}"))
        page.on("request", lambda request: request.url == place.as_uri() or complaints.append(request.url))
        page.goto(place.as_uri())
        return page

    yield show
    for context in contexts:
        context.close()
    assert complaints == []


def shown(page: Any, key: str) -> str:
    text: str = page.locator(f'[data-show="{key}"] .v').inner_text()
    return text


def marker(page: Any) -> str:
    place: str = page.locator(".on-log svg.wide [data-marker]").get_attribute("transform")
    return place


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_dial_moves_numbers_marker_and_shares(show: Callable[..., Any], lang: str) -> None:
    page = show(lang=lang)
    slider = page.locator("#dial")
    assert slider.is_visible()
    before = {key: shown(page, key) for key in ("mu", "quality", "cost", "saving")}
    place, said = marker(page), slider.get_attribute("aria-valuetext")
    widths = page.locator("[data-share] .fill").evaluate_all("bars => bars.map(bar => bar.getAttribute('width'))")
    slider.focus()
    page.keyboard.press("End")
    after = {key: shown(page, key) for key in before}
    assert after["mu"] == "1"
    assert all(after[key] != before[key] for key in before)
    assert after["quality"] in slider.get_attribute("aria-valuetext") != said
    assert marker(page) != place
    moved = page.locator("[data-share] .fill").evaluate_all("bars => bars.map(bar => bar.getAttribute('width'))")
    assert moved != widths
    page.keyboard.press("Home")
    assert shown(page, "mu") == "0"
    page.keyboard.press("ArrowRight")
    assert shown(page, "mu") not in ("0", "1")


def test_the_marker_lies_on_the_curve(show: Callable[..., Any]) -> None:
    page = show()
    page.locator("#dial").focus()
    page.keyboard.press("ArrowRight")
    index = int(page.locator("#dial").input_value())
    spots = page.locator(".on-log svg.wide").get_attribute("data-dial").split(";")
    assert marker(page) == f"translate({spots[index].replace(',', ' ')})"


@pytest.mark.parametrize("scripts", [True, False])
def test_the_axis_toggle_works_with_and_without_scripts(show: Callable[..., Any], scripts: bool) -> None:
    page = show(java_script_enabled=scripts)
    log, linear = page.locator(".on-log svg.wide"), page.locator(".on-linear svg.wide")
    assert (log.is_visible(), linear.is_visible()) == (True, False)
    page.locator('label[for="axis-linear"]').click()
    assert (log.is_visible(), linear.is_visible()) == (False, True)
    page.locator("#axis-linear").press("ArrowLeft")
    assert (log.is_visible(), linear.is_visible()) == (True, False)


def test_the_chosen_axis_can_be_told_in_the_colours_of_the_system(show: Callable[..., Any]) -> None:
    page = show(forced_colors="active")
    grounds = page.locator(".toggle label").evaluate_all("all => all.map(one => getComputedStyle(one).backgroundColor)")
    assert len({*grounds}) == 2


def test_without_scripts_the_numbers_stand_and_the_dial_is_not_shown(show: Callable[..., Any]) -> None:
    page = show(java_script_enabled=False)
    assert not page.locator("#dial").is_visible()
    assert shown(page, "quality").endswith("%")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("width", [360, 390, 768, 900, 1280])
def test_no_width_scrolls_sideways(show: Callable[..., Any], width: int, lang: str, scheme: str) -> None:
    page = show(lang=lang, width=width, color_scheme=scheme)
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    beyond = page.evaluate(
        """() => [...document.querySelectorAll('body *:not(.unseen):not(.unseen *):not(.skip):not(thead *):not(thead)')]
            .filter(e => e.getBoundingClientRect().right > innerWidth + 0.5).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert beyond == []


def test_hostile_models_run_nothing(show: Callable[..., Any]) -> None:
    page = show(models=[HOSTILE + str(k) for k in range(3)], width=360)
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


CONTRAST = """() => {
  const luminance = (colour) => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(v => v / 255)
      .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (!colour.startsWith('rgba') && colour !== 'transparent') return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const poor = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.getClientRects().length || e.matches('script, .layer-name')) continue;
    const style = getComputedStyle(e);
    const a = luminance(e instanceof SVGElement ? style.fill : style.color), b = luminance(ground(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${e.tagName} ${e.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_the_contrast_of_wcag_aa(show: Callable[..., Any], scheme: str) -> None:
    assert show(color_scheme=scheme).evaluate(CONTRAST) == []


def test_print_shows_the_wide_charts_and_no_controls(show: Callable[..., Any]) -> None:
    page = show(width=673)  # A4 between its margins
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 673
    assert not page.locator("#dial").is_visible()
    assert not page.locator(".toggle").is_visible()
    assert page.locator(".on-log svg.wide").is_visible()
