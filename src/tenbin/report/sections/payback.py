"""After how many queries the labelling has paid for itself."""

from __future__ import annotations

import math

from tenbin.report.edition import Edition
from tenbin.report.markup import Markup, el
from tenbin.report.sections.part import fact, part


def payback(edition: Edition) -> Markup:
    """Queries, what the answers cost, and what a thousand queries save."""
    words, numbers, found = edition.words, edition.numbers, edition.evaluation.payback
    if not math.isfinite(found.queries.value):
        return part("payback", words("payback.title"), words("payback.unknown"))
    queries = numbers.range(numbers.plain(found.queries.low), numbers.plain(found.queries.high))
    saved = numbers.range(
        numbers.per_thousand_usd(found.saving_usd.low), numbers.per_thousand_usd(found.saving_usd.high)
    )
    return part(
        "payback",
        words("payback.title"),
        words("payback.lead"),
        el(
            "dl",
            fact(numbers.plain(found.queries.value), words("payback.queries"), queries),
            fact(numbers.usd(found.labelling_usd), words("payback.labelling")),
            fact(
                numbers.per_thousand_usd(found.saving_usd.value),
                words("payback.saving", ratio=numbers.percent(found.ratio, 0)),
                saved,
            ),
            class_="facts small-facts",
        ),
    )
