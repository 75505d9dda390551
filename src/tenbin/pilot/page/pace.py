"""What the dollars bought: the saving against the dollars spent, with the forecast of the next stage."""

from __future__ import annotations

import math

from tenbin.pilot.telling import Telling
from tenbin.report.frame import Frame, axes, both, line, svg, with_room
from tenbin.report.markup import Markup, el
from tenbin.report.scale import Scale, linear
from tenbin.report.sections.part import figure, folded, part
from tenbin.report.table import Column, cell, table
from tenbin.types import Figure

LEAST_DRAWN = 2


def pace(told: Telling) -> Markup:
    """The picture, the forecast in words, and the table."""
    status, words, numbers = told.status, told.words, told.numbers
    points = status.pace.points
    if not points:
        return Markup("")
    columns = [
        Column(words("pace.spent"), False), Column(words("pace.stage")), Column(words("pace.labels")),
        Column(words("pace.prompts")), Column(words("pace.saving")), Column(words("pace.cost")),
    ]  # fmt: skip
    rows = [
        (
            cell(numbers.usd(point.spent_usd)),
            cell(numbers.plain(point.stage)),
            cell(numbers.plain(point.n_labels)),
            cell(numbers.plain(point.n_prompts)),
            cell(told.percent(point.saving.value), told.share_within(point.saving)),
            cell(numbers.per_thousand_usd(point.cost_usd.value)),
        )
        for point in points
    ]
    lead = words("pace.lead", kept=told.kept, reference=status.settings.reference, n=numbers.plain(status.n_measured))
    is_known = all(math.isfinite(point.saving.value) for point in points)  # no share of a reference that is free is
    is_drawn = is_known and len(points) >= LEAST_DRAWN
    drawn = figure(both(lambda frame: _draw(told, frame), 320, 280), told.pace()) if is_drawn else ""
    listed = folded(words("pace.table"), table(columns, rows, caption=words("pace.table")))
    return part("pace", words("pace.title"), lead, Markup(drawn), listed)


def _draw(told: Telling, frame: Frame) -> Markup:
    points, forecast = told.status.pace.points, told.status.pace.forecast
    words, numbers = told.words, told.numbers
    figures = [point.saving for point in points] + ([] if forecast is None else [forecast.saving])
    ends = [v for f in figures for v in (f.value, f.low, f.high) if math.isfinite(v)]
    furthest = points[-1].spent_usd if forecast is None else forecast.spent_usd
    pad = 0.06 * max(max(ends) - min(ends), 0.05)
    y = linear(min(ends) - pad, min(max(ends) + pad, 1.0), frame.y_end, frame.top)
    frame = with_room(frame, y, numbers.tick_percent)
    x = linear(0.0, furthest * 1.04, frame.left, frame.x_end)
    spots = [(x(point.spent_usd), y(point.saving.value)) for point in points]
    ahead: list[str] = []
    if forecast is not None:
        spot = x(forecast.spent_usd), y(forecast.saving.value)
        ahead = [line([spots[-1], spot], "base z-test"), _whisker(forecast.saving, spot[0], y, "base")]
        ahead.append(el("circle", cx=spot[0], cy=spot[1], r=4.5, class_="dot"))
    return svg(
        frame,
        words(
            "pace.aria",
            first=told.percent(points[0].saving.value),
            first_usd=numbers.usd(points[0].spent_usd),
            last=told.percent(points[-1].saving.value),
            last_usd=numbers.usd(points[-1].spent_usd),
        ),
        axes(
            frame, x, y, x_title=words("pace.x"), y_title=words("pace.y", kept=told.kept),
            x_write=lambda value, _decimals: numbers.tick_usd(value), y_write=numbers.tick_percent,
        ),
        *ahead,
        *(_whisker(point.saving, spot[0], y, "whisker") for point, spot in zip(points, spots, strict=True)),
        line(spots, "router"),
        *(el("circle", cx=a, cy=b, r=4.5, class_="point") for a, b in spots),
    )  # fmt: skip


def _whisker(figure: Figure, at: float, y: Scale, class_: str) -> Markup:
    """The interval as an upright bar; nothing where an end is not known."""
    if not (math.isfinite(figure.low) and math.isfinite(figure.high)):
        return Markup("")
    return line([(at, y(figure.low)), (at, y(figure.high))], class_)
