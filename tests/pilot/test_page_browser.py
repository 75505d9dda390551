"""The page of a pilot in a real browser, offline: nothing is refused, nothing is asked for, nothing overflows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tenbin.pilot.page import write_page
from tenbin.pilot.status import pilot_status
from tests.pilot.made import every_pair, made_prompts, made_records, written
from tests.report.test_browser import browser  # noqa: F401 (a fixture)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a proved pilot in both languages."""
    place = tmp_path_factory.mktemp("page")
    prompts = made_prompts(200, test_share=0.4)
    pairs = every_pair(prompts)
    status = pilot_status(written(place / "a-pilot-of-some-name", prompts, pairs, made_records(prompts, pairs)))
    for lang in ("en", "ja"):
        write_page(status, place / f"{lang}.html", root=Path("pilots"), lang=lang)
    return place


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_the_page_shows_offline_at_any_width(folder: Path, browser: Any, lang: str, width: int, scheme: str) -> None:  # noqa: F811
    place = (folder / f"{lang}.html").as_uri()
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True, color_scheme=scheme)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: request.url == place or complaints.append(request.url))
    page.goto(place)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("svg.chart:visible").count() == 1
    assert page.locator("h1").is_visible()
    context.close()
    assert complaints == []
