"""The label page in a real browser: keys score, skip and go back; markup stays text; nothing overflows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tenbin.pilot.journal import read_journal
from tenbin.pilot.label.server import LabelServer
from tenbin.pilot.records import Labelled
from tests.browser import chromium
from tests.pilot.label.made import HOSTILE, make_pilot, serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def show(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens the page of a server; whatever the browser complained about, or asked others for, is a failure."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def show(server: LabelServer, width: int = 1280, **settings: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}"))
        page.on("request", lambda request: request.url.startswith(server.url) or complaints.append(request.url))
        page.goto(server.url)
        page.wait_for_selector("#item:not([hidden])")
        return page

    yield show
    for context in contexts:
        context.close()
    assert complaints == []


def expect(page: Any, selector: str) -> Any:
    """What is waited for, without a script of ours: the page lets none run."""
    from playwright.sync_api import expect as awaited

    return awaited(page.locator(selector))


def told(page: Any, line: str) -> None:
    expect(page, "#told").to_have_text(line)


def test_the_answer_is_in_sight_and_in_reach_of_keys_on_a_page_of_four_hundred_per_cent(
    show: Callable[..., Any], tmp_path: Path
) -> None:
    with serving(make_pilot(tmp_path / "p", answer="word " * 2000), count=4) as server:
        page = show(server)
        page.set_viewport_size({"width": 320, "height": 256})
        answer, desk = page.locator("#answer"), page.locator(".desk")
        answer.scroll_into_view_if_needed()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert answer.bounding_box()["y"] + answer.bounding_box()["height"] <= desk.bounding_box()["y"]
        assert answer.evaluate("box => box.scrollHeight > box.clientHeight && box.tabIndex === 0")
        assert 'progressbar "1 of 4; 0 labelled"' in page.locator("body").aria_snapshot()


def test_everything_by_keys(show: Callable[..., Any], tmp_path: Path) -> None:
    folder = make_pilot(tmp_path / "p", answer=f"It is {{i}}. {HOSTILE}")
    with serving(folder, count=4) as server:
        page = show(server)
        assert page.locator("#answer").inner_text().startswith("It is")
        assert "<script>alert(1)</script>" in page.locator("#answer").inner_text()
        page.keyboard.press("ArrowRight")  # skip the first
        told(page, "2 of 4; 0 labelled")
        page.keyboard.press("n")
        page.keyboard.type("5 is in the note")
        page.keyboard.press("Escape")
        page.keyboard.press("2")
        told(page, "3 of 4; 1 labelled")
        page.keyboard.press("ArrowLeft")
        expect(page, "#note").to_have_value("5 is in the note")
        assert page.locator("[aria-pressed=true]").inner_text() == "2 poor"
        page.keyboard.press("5")
        for said in ("3 of 4; 1 labelled", "4 of 4; 2 labelled"):
            told(page, said)
            page.keyboard.press("3")
        told(page, "1 of 4; 3 labelled")  # the skipped one
        page.keyboard.press("1")
        page.wait_for_selector("#end:not([hidden])")
        page.locator("#finish").click()
        expect(page, "#end-title").to_have_text("Finished.")
    kept = [record for record in read_journal(folder) if isinstance(record, Labelled)]
    assert [one.quality for one in kept] == [0.25, 1.0, 0.5, 0.5, 0.0]
    assert kept[1].note == "5 is in the note"


def test_a_key_that_is_held_down_labels_one_answer(show: Callable[..., Any], tmp_path: Path) -> None:
    folder = make_pilot(tmp_path / "p")
    with serving(folder, count=4) as server:
        page = show(server)
        page.keyboard.down("3")
        told(page, "2 of 4; 1 labelled")
        page.keyboard.down("3")  # the keyboard repeats it
        page.keyboard.up("3")
        page.keyboard.press("ArrowRight")
        told(page, "3 of 4; 1 labelled")
    assert len([record for record in read_journal(folder) if isinstance(record, Labelled)]) == 1


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_on_a_phone(show: Callable[..., Any], tmp_path: Path, lang: str, scheme: str) -> None:
    folder = make_pilot(tmp_path / "p", answer="x" * 4000)
    with serving(folder, lang=lang) as server:
        page = show(server, width=360, color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert min(button.bounding_box()["height"] for button in page.locator("button").all()) >= 44
        page.locator("[data-step='2']").click()
        expect(page, "#progress").not_to_have_attribute("value", "0")  # written down: only then may the journal close
        expect(page, "#answer").to_be_visible()
