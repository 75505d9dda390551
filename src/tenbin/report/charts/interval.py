"""A figure with its interval as a small bar on an axis that the rows of a table share; the numbers stand beside it."""

from __future__ import annotations

import math

from tenbin.report.markup import Markup, el, format_number
from tenbin.report.scale import linear
from tenbin.types import Figure

WIDTH = 150
HEIGHT = 18


def shared_range(figures: list[Figure]) -> tuple[float, float]:
    """A range that holds zero and all the intervals."""
    ends = [v for figure in figures for v in (figure.value, figure.low, figure.high) if math.isfinite(v)]
    return min([0.0, *ends]), max([0.0, *ends])


def interval_bar(figure: Figure, low: float, high: float) -> Markup:
    """The bar of one figure on the axis [low, high], with a hairline at zero; nothing for a missing figure.

    Where one end of the interval is not known, the bar runs out of the picture there.
    """
    if not math.isfinite(figure.value):
        return Markup("")
    x = linear(low, high, 5.0, WIDTH - 5.0)
    middle = HEIGHT / 2
    zero = format_number(x(0.0))
    parts = [el("path", d=f"M{zero} 0V{HEIGHT}", class_="axis")]
    if math.isfinite(figure.low) or math.isfinite(figure.high):
        left = x(figure.low) if math.isfinite(figure.low) else 0.0
        right = x(figure.high) if math.isfinite(figure.high) else float(WIDTH)
        parts.append(el("path", d=f"M{format_number(left)} {middle}H{format_number(right)}", class_="whisker"))
    parts.append(el("circle", cx=x(figure.value), cy=middle, r=4, class_="point"))
    return el("svg", *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", class_="bar", aria_hidden="true")
