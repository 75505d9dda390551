"""The page of a pilot: the verdict, what was found, at what pace, what was bought and what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tenbin.pilot.document import status_document
from tenbin.pilot.page.bought import bought, odd
from tenbin.pilot.page.found import found, judge, payback, room, singles
from tenbin.pilot.page.pace import pace
from tenbin.pilot.page.verdict import verdict
from tenbin.pilot.status import Status
from tenbin.pilot.telling import Telling
from tenbin.report.markup import Markup, data_block, el, join
from tenbin.report.sheet import sheet, write_sheet

PARTS: Mapping[str, Callable[[Telling], Markup]] = {
    "found": found,
    "singles": singles,
    "judge": judge,
    "room": room,
    "pace": pace,
    "payback": payback,
    "bought": bought,
    "odd": odd,
}


def render_page(status: Status, *, root: Path, lang: str = "en") -> str:
    """The status as one HTML document in `lang` ("en" or "ja"), with the figures as JSON in `tenbin-pilot`.

    Nothing is loaded from anywhere, no script runs, every name is escaped; no prompt and no answer is in it. `root` is
    the folder of the pilots, for the commands. Raises UsageError for another language.
    """
    told = Telling.of(status, lang)
    title = told.words("page.title", name=status.name)
    matter = {anchor: draw(told) for anchor, draw in PARTS.items()}
    shown = [anchor for anchor in PARTS if matter[anchor]]
    links = [el("li", el("a", told.words(f"{anchor}.short"), href=f"#{anchor}")) for anchor in shown]
    body = join(
        el("a", told.words("page.skip"), href="#found", class_="skip"),
        verdict(told, title, root),
        el("nav", el("ul", *links), aria_label=told.words("page.contents"), class_="contents"),
        el("main", *(matter[anchor] for anchor in shown)),
        el("footer", el("p", told.words("page.footer"))),
        data_block("tenbin-pilot", status_document(status, lang, root)),
    )
    return sheet(title, body, lang)


def write_page(status: Status, path: Path, *, root: Path, lang: str = "en") -> None:
    """Write the page of `render_page` to `path`, whole or not at all (UsageError where it cannot be written)."""
    write_sheet(render_page(status, root=root, lang=lang), path)
