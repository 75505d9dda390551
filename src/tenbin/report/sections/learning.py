"""Would more data help: the figures stored at fit for growing numbers of training prompts."""

from __future__ import annotations

import math

from tenbin.report.charts.learning import learning as picture
from tenbin.report.edition import Edition
from tenbin.report.markup import Markup
from tenbin.report.sections.part import figure, folded, part
from tenbin.report.table import Column, cell, table


def learning(edition: Edition) -> Markup:
    """One picture of the figure that matters most and a table of all; empty where no curve was stored."""
    words, numbers = edition.words, edition.numbers
    points = sorted(edition.evaluation.learning_curve, key=lambda point: point.n_train)
    keys = sorted({key for point in points for key in point.figures})
    drawable = [key for key in keys if sum(math.isfinite(point.figures.get(key, math.nan)) for point in points) >= 2]
    if not points or not keys:
        return Markup("")
    matter: list[str] = []
    first: str | None = next((key for key in ("gain_log", "aiq_log", "aiq") if key in drawable), None)
    first = first or (drawable[0] if drawable else None)
    if first is not None:
        matter.append(figure(picture(edition, first, words.get(f"figure.{first}", first)), ""))
    columns = [Column(words("learning.x"), False), *(Column(words.get(f"figure.{key}", key)) for key in keys)]
    rows = [
        (numbers.plain(point.n_train), *(cell(numbers.plain(point.figures.get(key, math.nan), 4)) for key in keys))
        for point in points
    ]
    matter.append(folded(words("learning.table"), table(columns, rows, caption=words("learning.table"))))
    return part("learning", words("learning.title"), words("learning.lead"), *matter)
