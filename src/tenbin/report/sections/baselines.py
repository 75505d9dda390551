"""The router beside every baseline: its figures, and the paired differences with their intervals."""

from __future__ import annotations

import math

from tenbin.evaluate.baselines import ORACLE_NOTE
from tenbin.evaluate.result import ROUTER
from tenbin.report.charts.interval import interval_bar, shared_range
from tenbin.report.edition import Edition
from tenbin.report.markup import Markup, el
from tenbin.report.sections.part import folded, part
from tenbin.report.table import Column, cell, table


def baselines(edition: Edition) -> Markup:
    """The differences first, then the figures of each curve, then whether the router does harm."""
    words, numbers = edition.words, edition.numbers
    harm = edition.evaluation.no_harm
    told = words(
        "baselines.no_harm" if harm.passed else "baselines.harm",
        aiq=numbers.points(harm.aiq.value, 2), aiq_se=numbers.points_of(harm.aiq_se, 2),
        log=numbers.points(harm.aiq_log.value, 2), log_se=numbers.points_of(harm.aiq_log_se, 2),
    )  # fmt: skip
    return part(
        "baselines",
        words("baselines.title"),
        words("baselines.lead"),
        _differences(edition),
        el("p", told, class_="result"),
        folded(words("baselines.figures"), _figures(edition)),
        el("p", words("baselines.oracle"), class_="small") if edition.curve("oracle") else Markup(""),
        _oracle_note(edition),
    )


def _oracle_note(edition: Edition) -> Markup:
    """Whether luck can be told from skill; a sentence that the catalogue does not know is shown as it was written."""
    note = edition.evaluation.oracle_note
    room, numbers = edition.evaluation.head_room, edition.numbers
    if math.isfinite(room.value):
        between = numbers.between(numbers.points(room.low, 2), numbers.points(room.high, 2))
        told = edition.words("baselines.oracle_known", room=numbers.points(room.value, 2), between=between)
        return el("p", told, class_="small")
    if note == ORACLE_NOTE:
        return el("p", edition.words("baselines.oracle_unknown"), class_="small")
    return el("p", note, class_="small", lang="en") if note else Markup("")


def _differences(edition: Edition) -> Markup:
    words, numbers = edition.words, edition.numbers
    found = edition.evaluation.differences
    # The oracle is so far ahead that on its scale the others' intervals would be smaller than their dots.
    low, high = shared_range([difference.aiq_log for difference in found if difference.baseline != "oracle"])
    rows = []
    for difference in found:
        cells = []
        for gain in (difference.aiq, difference.aiq_log):
            interval = numbers.between(numbers.points(gain.low, 2), numbers.points(gain.high, 2))
            cells.append(cell(numbers.points(gain.value, 2), interval))
        dearer = difference.cost_at_97
        cost = numbers.between(numbers.points(dearer.low), numbers.points(dearer.high))
        rows.append(
            (
                edition.curve_title(difference.baseline),
                *cells,
                interval_bar(difference.aiq_log, low, high) if difference.baseline != "oracle" else "",
                cell(numbers.points(dearer.value), cost),
            )
        )
    columns = [
        Column(words("baselines.against"), False), Column(words("baselines.aiq")), Column(words("baselines.aiq_log")),
        Column("", False), Column(words("baselines.cost97")),
    ]  # fmt: skip
    return table(columns, rows, caption=words("baselines.title"))


def _figures(edition: Edition) -> Markup:
    words, numbers = edition.words, edition.numbers
    rows = []
    for summary in edition.evaluation.summaries:
        rows.append(
            (
                edition.curve_title(summary.name),
                cell(numbers.plain(summary.aiq.value, 4)),
                cell(numbers.plain(summary.aiq_log.value, 4)),
                *(
                    cell(numbers.percent(f.value))
                    for f in (summary.qnc, summary.cost_at_99, summary.cost_at_97, summary.cost_at_95)
                ),
                cell(numbers.percent(summary.peak_quality.value)),
            )
        )
    columns = [Column(words("baselines.curve"), False), Column("AIQ"), Column("AIQ-log"), Column("QNC")]
    columns += [Column(words("baselines.cost_at", ratio=ratio)) for ratio in ("99", "97", "95")]
    columns.append(Column(words("baselines.peak")))
    marked = frozenset(k for k, summary in enumerate(edition.evaluation.summaries) if summary.name == ROUTER)
    return table(columns, rows, caption=words("baselines.figures"), marked=marked)
