"""Promised quality against observed quality in equal-mass bins; on the diagonal, promises were kept."""

from __future__ import annotations

from tenbin.evaluate.result import QualityCalibration
from tenbin.report.edition import Edition
from tenbin.report.frame import Frame, axes, line, narrow, svg
from tenbin.report.markup import Markup, el, join
from tenbin.report.scale import linear

SQUARE = Frame("wide", 480, 450)


def reliability(edition: Edition, row: QualityCalibration) -> Markup:
    """The reliability picture of one row of the calibration."""
    return join(_draw(edition, row, SQUARE), _draw(edition, row, narrow(320)))


def _draw(edition: Edition, row: QualityCalibration, frame: Frame) -> Markup:
    values = [v for part in row.bins for v in (part.predicted, part.observed)]
    low = max(0.0, min(values) - 0.05)
    high = min(1.0, max(values) + 0.05)
    x = linear(low, high, frame.left, frame.x_end)
    y = linear(low, high, frame.y_end, frame.top)
    numbers, words = edition.numbers, edition.words
    spots = [(x(part.predicted), y(part.observed)) for part in row.bins]
    dots = [
        el(
            "circle",
            el("title", words("calibration.dot", n=numbers.plain(part.n), predicted=numbers.percent(part.predicted),
                              observed=numbers.percent(part.observed))),
            cx=spot[0], cy=spot[1], r=5, class_="point",
        )
        for part, spot in zip(row.bins, spots, strict=True)
    ]  # fmt: skip
    return svg(
        frame,
        words("calibration.aria", bins=str(len(row.bins)), ece=numbers.points_of(row.ece)),
        axes(
            frame, x, y, x_title=words("calibration.x"), y_title=words("calibration.y"),
            x_write=numbers.tick_percent, y_write=numbers.tick_percent,
        ),
        line([(x(low), y(low)), (x(high), y(high))], "base diagonal"),
        line(spots, "router thin"),
        *dots,
    )  # fmt: skip
