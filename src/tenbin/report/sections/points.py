"""Settings that were chosen on training data alone: what was promised and what the test queries gave."""

from __future__ import annotations

import math

from tenbin.evaluate.result import OperatingPoint
from tenbin.report.edition import Edition
from tenbin.report.markup import Markup, el
from tenbin.report.sections.part import part
from tenbin.report.table import Column, cell, table


def points(edition: Edition) -> Markup:
    """Promised against realised, per setting; empty where no setting was stored."""
    words = edition.words
    if not edition.evaluation.operating_points:
        return Markup("")
    columns = [
        Column(words("points.setting"), False), Column(words("points.promised")), Column(words("points.realised")),
        Column(words("points.ratio")), Column(words("points.overshoot")), Column(words("points.cost")),
        Column(words("points.saving")), Column(words("points.kept"), False),
    ]  # fmt: skip
    rows = [_row(edition, point) for point in edition.evaluation.operating_points]
    return part(
        "points",
        words("points.title"),
        words("points.lead", reference=edition.evaluation.reference),
        table(columns, rows, caption=words("points.title")),
        el("p", words("points.rule"), class_="small"),
    )


def _row(edition: Edition, point: OperatingPoint) -> tuple[str, ...]:
    words, numbers = edition.words, edition.numbers
    setting = (
        words("points.min_quality", target=numbers.percent(point.target, 0))
        if point.kind == "min_quality"
        else words("points.mu", target=numbers.mu(point.target))
    )
    quality, quality_interval = edition.share_of(point.quality)
    cost, cost_interval = edition.cost_of(point.cost_usd)
    promised_cost = numbers.per_thousand_usd(point.promised_cost_usd)
    ratio, ratio_interval = edition.share_of(point.quality_ratio)
    saving, saving_interval = edition.share_of(point.saving)
    answer = words("points.yes" if point.kept else "points.no") if point.reached else words("points.unreached")
    return (
        cell(setting, f"μ = {numbers.mu(point.mu)}" if point.kind == "min_quality" else ""),
        cell(numbers.percent(point.promised_quality), words("points.at_cost", cost=promised_cost)),
        cell(quality, quality_interval),
        cell(ratio, ratio_interval),
        cell(numbers.points(point.overshoot) if math.isfinite(point.overshoot) else "–"),
        cell(cost, cost_interval),
        cell(saving, saving_interval),
        el("span", answer, class_="answer yes" if point.reached and point.kept else "answer no"),
    )
