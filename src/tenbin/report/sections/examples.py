"""Prompts with their decisions: only those that the caller handed over."""

from __future__ import annotations

from collections.abc import Sequence

from tenbin.reasons import Reason
from tenbin.report.edition import Edition
from tenbin.report.examples import Example
from tenbin.report.markup import Markup, el, name
from tenbin.report.sections.part import folded, part
from tenbin.report.table import Column, cell, table

LONGEST = 1200


def examples(edition: Edition, shown: Sequence[Example] | None) -> Markup:
    """Every example with its prompt, the choice, its reason and the candidates; empty without examples."""
    words = edition.words
    if not shown:
        return Markup("")
    return part("examples", words("examples.title"), words("examples.lead"), *(_example(edition, one) for one in shown))


def _example(edition: Edition, example: Example) -> Markup:
    words, decision = edition.words, example.decision
    prompt = example.prompt if len(example.prompt) <= LONGEST else example.prompt[:LONGEST] + " …"
    return el(
        "article",
        el("blockquote", prompt, dir="auto"),
        el(
            "p", el("strong", name(decision.model)), " — ", _said(edition, decision.reason),
            f" (μ = {edition.numbers.mu(decision.trade_off.mu)})",
        ),
        folded(words("examples.candidates"), _candidates(edition, example)),
        class_="example",
    )  # fmt: skip


def _candidates(edition: Edition, example: Example) -> Markup:
    words, numbers = edition.words, edition.numbers
    ordered = sorted(example.decision.candidates, key=lambda view: (not view.eligible, view.loss))
    rows = [
        (
            name(view.model),
            cell(numbers.percent(view.quality), f"± {numbers.points_of(view.quality_sd)}"),
            cell(numbers.usd(view.cost_usd)),
            cell(numbers.plain(view.loss, 4)),
            _said(edition, view.reason),
        )
        for view in ordered
    ]
    columns = [
        Column(words("models.model"), False), Column(words("examples.quality")), Column(words("examples.cost")),
        Column(words("examples.loss")), Column(words("examples.reason"), False),
    ]  # fmt: skip
    marked = frozenset(k for k, view in enumerate(ordered) if view.model == example.decision.model)
    return table(columns, rows, caption=words("examples.candidates"), marked=marked)


def _said(edition: Edition, reason: str) -> str:
    """A reason in the language of the page; what others wrote stays as it is."""
    return edition.numbers.usd_in(reason.said(edition.words.lang)) if isinstance(reason, Reason) else reason
