"""What was found: savings, candidates alone, head room, payback."""

from __future__ import annotations

import math

from tenbin.pilot.telling import Telling
from tenbin.report.charts.interval import interval_bar, shared_range
from tenbin.report.markup import Markup, el, join, name
from tenbin.report.sections.part import fact, part
from tenbin.report.table import Column, cell, table
from tenbin.types import Figure


def found(told: Telling) -> Markup:
    """The saving at every target beside that of mixing blindly; where too few prompts are labelled, that they are."""
    status, words, numbers = told.status, told.words, told.numbers
    if not status.savings:
        return part("found", words("found.title"), told.unmeasured())
    low, high = shared_range([saving.saving for saving in status.savings])
    rows = [
        (
            cell(numbers.percent(saving.ratio, 0)),
            _share(told, saving.saving),
            interval_bar(saving.saving, low, high),
            _share(told, saving.blind_saving),
            _share(told, saving.beyond),
            cell(numbers.per_thousand_usd(saving.cost_usd.value)),
        )
        for saving in status.savings
    ]
    columns = [
        Column(words("found.kept"), False), Column(words("found.saving")), Column("", False),
        Column(words("found.blind")), Column(words("found.beyond")), Column(words("found.cost")),
    ]  # fmt: skip
    proof = el("p", told.proof(), class_="result") if status.proof is not None else Markup("")
    lead = words(
        "found.lead",
        reference=status.settings.reference,
        cost=numbers.per_thousand_usd(told.reference_usd()),
        n=numbers.plain(status.n_measured),
    )
    return part("found", words("found.title"), lead, table(columns, rows, caption=words("found.title")), proof)


def singles(told: Telling) -> Markup:
    """Every candidate in play asked for everything, the best first."""
    status, words, numbers = told.status, told.words, told.numbers
    if not status.singles:
        return Markup("")
    ordered = sorted(status.singles, key=lambda single: -single.quality.value)
    low, high = shared_range([single.quality for single in ordered])
    rows = [
        (
            join(name(single.model), _tag(told, single.model)),
            _share(told, single.quality),
            interval_bar(single.quality, low, high),
            _share(told, single.quality_ratio),
            cell(numbers.per_thousand_usd(single.cost_usd.value)),
            _share(told, single.saving),
        )
        for single in ordered
    ]
    columns = [
        Column(words("singles.model"), False), Column(words("singles.quality")), Column("", False),
        Column(words("singles.ratio")), Column(words("singles.cost")), Column(words("singles.saving")),
    ]  # fmt: skip
    chosen = status.verdict.model if status.verdict.kind == "single" else None
    aside = words("singles.aside", models=", ".join(status.aside))
    return part(
        "singles",
        words("singles.title"),
        words("singles.lead", n=numbers.plain(status.n_measured)),
        table(
            columns,
            rows,
            caption=words("singles.title"),
            marked=frozenset(i for i, single in enumerate(ordered) if single.model == chosen),
        ),
        el("p", aside, class_="small") if status.aside else Markup(""),
    )


def judge(told: Telling) -> Markup:
    """How far the grades are to be believed: people beside the judge, and the noise of labels."""
    said, check, words = told.grades(), told.status.judge, told.words
    if not said:
        return Markup("")
    rows = [
        (name(model), cell(told.percent(arm.judged)), cell(told.interval(arm.labelled)),
         cell(told.interval(arm.corrected)), cell(told.numbers.plain(arm.n_labelled)))
        for model, arm in zip(check.models, check.corrected, strict=True)
    ] if check.corrected else []  # fmt: skip
    columns = [
        Column(words("judge.model"), False), Column(words("judge.judged")), Column(words("judge.labelled")),
        Column(words("judge.corrected")), Column(words("judge.labels")),
    ]  # fmt: skip
    return part(
        "judge",
        words("judge.title"),
        words("judge.lead"),
        *(el("p", sentence) for sentence in said),
        table(columns, rows, caption=words("judge.title")) if rows else Markup(""),
    )


def room(told: Telling) -> Markup:
    """The head room, or why it cannot be known yet."""
    if not told.status.singles:
        return Markup("")
    return part("room", told.words("room.title"), told.head_room())


def payback(told: Telling) -> Markup:
    """Queries and days until everything spent has paid for itself."""
    payback, words, numbers = told.status.payback, told.words, told.numbers
    if payback is None:
        return Markup("")
    spent = numbers.usd(payback.spent_usd)
    if not math.isfinite(payback.queries.value):
        return part("payback", words("payback.title"), words("payback.never", spent=spent, kept=told.kept))
    facts = [
        fact(told.count(payback.queries.value), words("payback.queries", spent=spent), told.within(payback.queries))
    ]
    if math.isfinite(payback.days.value):
        per_day = words("payback.days", queries=numbers.plain(told.status.settings.queries_per_day))
        facts.append(fact(told.count(payback.days.value, 1), per_day, told.within(payback.days, 1)))
    lead = words(
        "payback.lead",
        kept=told.kept,
        reference=told.status.settings.reference,
        n=numbers.plain(told.status.n_measured),
    )
    return part("payback", words("payback.title"), lead, el("dl", *facts, class_="facts small-facts"))


def _share(told: Telling, figure: Figure) -> Markup:
    return cell(told.percent(figure.value), told.share_within(figure))


def _tag(told: Telling, model: str) -> Markup:
    is_reference = model == told.status.settings.reference
    return el("span", told.words("singles.reference"), class_="tag") if is_reference else Markup("")
