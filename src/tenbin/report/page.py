"""The page of an evaluation: all its parts in order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tenbin.evaluate.result import Evaluation
from tenbin.report.catalogue import load_catalogue
from tenbin.report.edition import Edition
from tenbin.report.examples import Example
from tenbin.report.markup import Markup, data_block, el, join
from tenbin.report.numbers import Numbers
from tenbin.report.sections.baselines import baselines
from tenbin.report.sections.calibration import calibration
from tenbin.report.sections.dial import dial
from tenbin.report.sections.examples import examples as examples_part
from tenbin.report.sections.learning import learning
from tenbin.report.sections.method import honest, method
from tenbin.report.sections.models import models
from tenbin.report.sections.payback import payback
from tenbin.report.sections.points import points
from tenbin.report.sections.savings import savings
from tenbin.report.sections.shares import shares
from tenbin.report.sections.verdict import verdict
from tenbin.report.sheet import resource, sheet, write_sheet

PARTS = ("curve", "savings", "shares", "points", "models", "baselines", "calibration", "learning", "payback",
         "examples", "method", "notes")  # fmt: skip


def render_report(
    evaluation: Evaluation, *, lang: str = "en", examples: Sequence[Example] | None = None, title: str | None = None
) -> str:
    """The report of an evaluation as one self-contained HTML document in `lang` ("en" or "ja").

    Nothing is loaded from anywhere, scripts and styles run by their hash only, and every name and text is escaped.
    Prompts appear only where `examples` are given. The document carries `evaluation.to_json()` in the element
    `tenbin-evaluation`, numbers to five significant digits, without the shares and promises of the baselines. Raises
    UsageError for another language.
    """
    words = load_catalogue(lang)
    edition = Edition(evaluation, words, Numbers(lang))
    heading = title if title is not None else words("page.title")
    matter = _parts(edition, examples)
    body = join(
        el("a", words("page.skip"), href="#curve", class_="skip"),
        verdict(edition, heading),
        _contents(edition, [anchor for anchor in PARTS if matter[anchor]]),
        el("main", *(matter[anchor] for anchor in PARTS)),
        el("footer", el("p", words("page.footer"))),
        data_block("tenbin-evaluation", _embedded(evaluation)),
    )
    return sheet(heading, body, lang, resource("slider.js"))


def write_report(
    evaluation: Evaluation,
    path: Path,
    *,
    lang: str = "en",
    examples: Sequence[Example] | None = None,
    title: str | None = None,
) -> None:
    """Write the report of `render_report` to `path`, beside it first and then renamed: never a half-written page.

    Raises UsageError where `path` cannot be written.
    """
    write_sheet(render_report(evaluation, lang=lang, examples=examples, title=title), path)


def _embedded(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation as JSON; of the baselines' points only cost and quality, or they would be half of the file."""
    document = evaluation.to_json()
    for curve in document["curves"][1:]:
        curve["points"] = [{key: point[key] for key in ("mu", "quality", "cost_usd")} for point in curve["points"]]
    return document


def _parts(edition: Edition, examples: Sequence[Example] | None) -> dict[str, Markup]:
    return {
        "curve": dial(edition),
        "savings": savings(edition),
        "shares": shares(edition),
        "points": points(edition),
        "models": models(edition),
        "baselines": baselines(edition),
        "calibration": calibration(edition),
        "learning": learning(edition),
        "payback": payback(edition),
        "examples": examples_part(edition, examples),
        "method": method(edition),
        "notes": honest(edition),
    }


def _contents(edition: Edition, anchors: Sequence[str]) -> Markup:
    words = edition.words
    links = [el("li", el("a", words(f"{anchor}.short"), href=f"#{anchor}")) for anchor in anchors]
    return el("nav", el("ul", *links), aria_label=words("page.contents"), class_="contents")
