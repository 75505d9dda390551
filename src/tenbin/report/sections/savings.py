"""What is saved at 100, 99, 97 and 95 % of the best single model's quality, beside mixing models blindly."""

from __future__ import annotations

import math

from tenbin.report.charts.interval import interval_bar, shared_range
from tenbin.report.edition import Edition
from tenbin.report.markup import Markup, el
from tenbin.report.sections.part import part
from tenbin.report.table import Column, cell, table


def savings(edition: Edition) -> Markup:
    """The table of savings, each with its interval."""
    words, numbers = edition.words, edition.numbers
    found = edition.evaluation.savings
    low, high = shared_range([saving.saving for saving in found])
    nothing_to_save = edition.best.cost_usd.value == 0.0  # where all is free, no quality is out of reach
    rows = []
    for saving in found:
        value, interval = edition.share_of(saving.saving)
        zero, zero_interval = edition.share_of(saving.zero_saving)
        reached = nothing_to_save or math.isfinite(saving.saving.value)
        zero_reached = nothing_to_save or math.isfinite(saving.zero_saving.value)
        rows.append(
            (
                cell(numbers.percent(saving.ratio, 0), words("savings.means", quality=numbers.percent(saving.quality))),
                cell(value, interval) if reached else cell(words("savings.not_reached")),
                interval_bar(saving.saving, low, high),
                cell(*edition.cost_of(saving.cost_usd)),
                cell(zero, zero_interval) if zero_reached else cell(words("savings.not_reached")),
            )
        )
    columns = [
        Column(words("savings.ratio"), False), Column(words("savings.saving")), Column("", False),
        Column(words("savings.cost")), Column(words("savings.zero")),
    ]  # fmt: skip
    lead = words("savings.lead", model=edition.best.model, cost=numbers.per_thousand_usd(edition.best.cost_usd.value))
    beforehand = (
        el("p", words("savings.hindsight", points=words("points.title")), class_="small")
        if edition.evaluation.operating_points
        else ""
    )
    return part(
        "savings", words("savings.title"), lead, table(columns, rows, caption=words("savings.title")), beforehand
    )
