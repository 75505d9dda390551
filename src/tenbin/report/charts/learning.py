"""The learning curve: a figure against the number of training prompts, on a logarithmic axis."""

from __future__ import annotations

import math

from tenbin.report.edition import Edition
from tenbin.report.frame import Frame, axes, both, line, svg, with_room
from tenbin.report.markup import Markup, el
from tenbin.report.scale import linear, logarithmic


def learning(edition: Edition, figure: str, title: str) -> Markup:
    """The picture of one named figure; points at which it was not measured are left out."""
    return both(lambda frame: _draw(edition, figure, title, frame), 280, 260)


def _draw(edition: Edition, figure: str, title: str, frame: Frame) -> Markup:
    points = [
        (float(point.n_train), point.figures[figure])
        for point in sorted(edition.evaluation.learning_curve, key=lambda point: point.n_train)
        if math.isfinite(point.figures.get(figure, math.nan))
    ]
    values = [value for _, value in points]
    pad = 0.15 * max(max(values) - min(values), 1e-3)
    numbers, words = edition.numbers, edition.words
    y = linear(min(values) - pad, max(values) + pad, frame.y_end, frame.top)
    frame = with_room(frame, y, numbers.plain)
    x = logarithmic(points[0][0], points[-1][0], frame.left + 10, frame.x_end - 10, floor=1.0)
    spots = [(x(n), y(value)) for n, value in points]
    return svg(
        frame,
        words("learning.aria", figure=title, n=numbers.plain(points[-1][0]), first=numbers.plain(values[0], 4),
              last=numbers.plain(values[-1], 4)),
        axes(
            frame, x, y, x_title=words("learning.x"), y_title=title,
            x_write=numbers.plain, y_write=numbers.plain,
        ),
        line(spots, "router"),
        *(el("circle", cx=a, cy=b, r=4.5, class_="point") for a, b in spots),
    )  # fmt: skip
