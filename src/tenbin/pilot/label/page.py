"""The label page: one answer at a time, drawn by a script that puts every text in as text, never as markup."""

from __future__ import annotations

from importlib.resources import files

from tenbin.report.catalogue import Catalogue, load_catalogue
from tenbin.report.markup import Markup, data_block, el, join
from tenbin.report.sheet import sheet

TEXTS = "tenbin.pilot.label.texts"
TOLD = ("empty", "progress", "done_title", "done", "finished_title", "finished", "lost")
ROLES = ("system", "user", "assistant", "tool")


def render_label_page(name: str, *, total: int, scale: int, lang: str = "en") -> str:
    """The page for `total` answers of the pilot `name`, on a scale of `scale` steps (UsageError: another language).

    No prompt and no answer is in it: the script fetches them one by one from where the page came from.
    """
    words = load_catalogue(lang, TEXTS)
    title = words("page.title", name=name)
    told = {key: words(f"page.{key}") for key in TOLD} | {"roles": {role: words(f"role.{role}") for role in ROLES}}
    body = join(
        el("header", el("h1", title), el("p", words("page.lead"), class_="lead"), class_="labelling"),
        el("noscript", el("p", words("page.noscript"))),
        el("main", *_parts(words), id="item", hidden=True),
        el("section", el("h2", "", id="end-title"), el("p", "", id="end-text"), id="end", hidden=True),
        _bar(words, scale),
        data_block("tenbin-label", {"total": total, "scale": scale, "words": told}),
    )
    return sheet(title, body, lang, _resource("page.js"), more_style=_resource("page.css"), talks=True)


def _parts(words: Catalogue) -> list[Markup]:
    """Prompt, reference, answer, note."""
    return [
        el("section", el("h2", words("page.prompt")), el("div", id="turns")),
        el("section", el("h2", words("page.reference")), _said("reference", "said"), id="reference-part"),
        el("section", el("h2", words("page.answer")), _said("answer", "said answer")),
        el(
            "section",
            el("label", words("page.note"), for_="note"),
            el("textarea", id="note", rows="2", maxlength="2000", placeholder=words("page.note_hint"), dir="auto"),
        ),
    ]


def _said(name: str, class_: str) -> Markup:
    """A box for a text that may be long: one that scrolls must be within reach of the keyboard."""
    return el("div", class_=class_, id=name, dir="auto", tabindex="0")


def _bar(words: Catalogue, scale: int) -> Markup:
    """The scores and the ways on and back, always in sight."""
    scores = [
        el("button", el("kbd", str(k + 1)), " ", words(f"scale{scale}.s{k}"), type="button", data_step=str(k))
        for k in range(scale)
    ]
    moves = [
        el("button", key, " ", words(f"page.{name}"), type="button", id=name)
        for name, key in (("back", "←"), ("skip", "→"), ("finish", ""))
    ]
    return el(
        "div",
        el("p", "", id="told", role="status", aria_live="polite"),
        el("progress", id="progress", max="1", value="0", aria_labelledby="told"),
        el("div", *scores, class_="scores", role="group", aria_label=words("page.scores")),
        el("div", *moves, class_="moves"),
        el("p", words("page.keys", last=str(scale)), class_="keys"),
        class_="desk",
    )


def _resource(name: str) -> str:
    return files("tenbin.pilot.label").joinpath(name).read_text(encoding="utf-8").strip()
