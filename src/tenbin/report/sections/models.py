"""Every model asked alone for every test query."""

from __future__ import annotations

import math

from tenbin.report.edition import Edition
from tenbin.report.markup import Markup, el, join, name
from tenbin.report.sections.part import part
from tenbin.report.table import Column, cell, table


def models(edition: Edition) -> Markup:
    """The single models from best to worst; columns that say the same for all are left out."""
    words, numbers = edition.words, edition.numbers
    singles = sorted(edition.evaluation.singles, key=lambda single: (-single.quality.value, single.model))
    timed = any(math.isfinite(single.latency_s.value) for single in singles)
    partial = any(single.label_share < 0.9995 for single in singles)
    columns = [
        Column(words("models.model"), False), Column(words("models.quality")), Column(words("models.cost")),
        Column(words("models.saving")), Column(words("models.arena")),
    ]  # fmt: skip
    columns += [Column(words("models.latency"))] if timed else []
    columns += [Column(words("models.labelled"))] if partial else []
    rows = []
    for single in singles:
        quality, quality_interval = edition.share_of(single.quality)
        cost, cost_interval = edition.cost_of(single.cost_usd)
        row = [
            _named(edition, single.model, single.on_hull),
            cell(quality, quality_interval),
            cell(cost, cost_interval),
            cell(numbers.percent(edition.saving(single.cost_usd.value, edition.best))),
            cell(numbers.plain(single.arena_score, 1)),
        ]
        row += [cell(numbers.plain(single.latency_s.value, 2))] if timed else []
        row += [cell(numbers.percent(single.label_share))] if partial else []
        rows.append(row)
    marked = frozenset(k for k, single in enumerate(singles) if single.model == edition.evaluation.best_single)
    return part(
        "models",
        words("models.title"),
        words("models.lead"),
        table(columns, rows, caption=words("models.title"), marked=marked),
    )


def _named(edition: Edition, model: str, on_hull: bool) -> Markup:
    words = edition.words
    tags = []
    if model == edition.evaluation.best_single:
        tags.append(words("models.best"))
    if model == edition.evaluation.reference:
        tags.append(words("models.reference"))
    if on_hull:
        tags.append(words("models.hull"))
    return join(name(model), *(el("span", tag, class_="tag") for tag in tags))
