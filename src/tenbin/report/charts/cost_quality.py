"""Cost against quality: the router's curve with its interval, the baselines, every single model, the dial's marker."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tenbin.evaluate.hull import COST_FLOOR_USD
from tenbin.evaluate.result import SingleModel
from tenbin.report.charts.labels import LONGEST, LONGEST_NARROW, SHORT, Box, chart_names, place
from tenbin.report.edition import Edition
from tenbin.report.frame import Frame, axes, both, label, line, svg, with_room
from tenbin.report.markup import Markup, el, format_number, join
from tenbin.report.scale import Scale, linear, logarithmic

DRAWN_BASELINES = ("z_test", "group_table", "carrot_knn")
"""The baselines drawn as lines; the others stand in the table, or the picture would be a thicket."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What the picture covers: dollars per 1,000 queries and quality; models below `q_low` are not drawn.

    `c_low` is the least that costs anything: on a logarithmic axis, what is free stands at its left edge.
    """

    c_low: float
    c_high: float
    q_low: float
    q_high: float


def cost_quality(edition: Edition, *, log: bool) -> Markup:
    """The curve with a linear or logarithmic cost axis."""
    return both(lambda frame: curve_in(frame, edition, log=log), 460, 380)


def left_out(edition: Edition) -> tuple[str, ...]:
    """The models that lie below the picture."""
    low = reach(edition).q_low
    return tuple(single.model for single in edition.evaluation.singles if single.quality.value < low)


def free(edition: Edition) -> tuple[str, ...]:
    """The models in the picture that cost nothing."""
    low = reach(edition).q_low
    singles = edition.evaluation.singles
    return tuple(one.model for one in singles if one.cost_usd.value <= 0.0 and one.quality.value >= low)


def reach(edition: Edition) -> Reach:
    """Costs and qualities that the axes cover: the curves, and the models that lie near them."""
    corners = [corner for name in DRAWN_BASELINES for corner in _corners(edition, name)]
    points = edition.dial
    qualities = [p.quality.value for p in points] + [q for _, q in corners]
    tops = [p.quality.high for p in points if not math.isnan(p.quality.high)] + qualities
    span = max(max(tops) - min(qualities), 0.01)
    ends = [p.quality.low for p in points if not math.isnan(p.quality.low)]
    q_low = max(0.0, min([min(qualities) - 0.12 * span, *ends]))
    near = [single for single in edition.evaluation.singles if single.quality.value >= q_low]
    costs = [p.cost_usd.value for p in points] + [c for c, _ in corners] + [s.cost_usd.value for s in near]
    paid = [cost for cost in costs if cost > 0.0] or [COST_FLOOR_USD]
    return Reach(
        min(paid) * 1000.0,
        max(paid) * 1000.0,
        q_low,
        min(1.0, max([*tops, *(s.quality.value for s in near)]) + 0.04 * span),
    )


def curve_in(frame: Frame, edition: Edition, *, log: bool) -> Markup:
    """The curve on one paper."""
    covered, words, numbers = reach(edition), edition.words, edition.numbers
    y = linear(covered.q_low, covered.q_high, frame.y_end, frame.top)
    frame = with_room(frame, y, numbers.tick_percent)
    low, high = covered.c_low / (4.0 if free(edition) else 1.25), covered.c_high * 1.25
    x = (
        logarithmic(low, high, frame.left, frame.x_end, floor=low)
        if log
        else linear(0.0, covered.c_high * 1.04, frame.left, frame.x_end)
    )
    dial = [(x(p.cost_usd.value * 1000.0), y(p.quality.value)) for p in edition.dial]
    summary = words(
        "curve.aria",
        models=str(len(edition.evaluation.models)),
        low=numbers.per_thousand_usd(min(p.cost_usd.value for p in edition.dial)),
        high=numbers.per_thousand_usd(max(p.cost_usd.value for p in edition.dial)),
        peak=numbers.percent(max(p.quality.value for p in edition.dial)),
        best=edition.best.model,
        best_quality=numbers.percent(edition.best.quality.value),
        best_cost=numbers.per_thousand_usd(edition.best.cost_usd.value),
    )
    return svg(
        frame,
        summary,
        axes(
            frame, x, y,
            x_title=words("curve.x_log" if log else "curve.x"), y_title=words("curve.y"),
            x_write=lambda v, _: numbers.tick_usd(v), y_write=numbers.tick_percent,
        ),
        _band(edition, x, y),
        *(_baseline(edition, name, x, y) for name in DRAWN_BASELINES),
        line(dial, "router"),
        _models(edition, frame, x, y, dial),
        _marker(dial[edition.default_setting()]),
        data_dial=";".join(f"{format_number(a)},{format_number(b)}" for a, b in dial),
    )  # fmt: skip


def _band(edition: Edition, x: Scale, y: Scale) -> Markup:
    known = [p for p in edition.dial if not (math.isnan(p.quality.low) or math.isnan(p.quality.high))]
    upper = [(x(p.cost_usd.value * 1000.0), y(p.quality.high)) for p in known]
    lower = [(x(p.cost_usd.value * 1000.0), y(p.quality.low)) for p in reversed(known)]
    return line([*upper, *lower], "band", closed=True) if known else Markup("")


def _baseline(edition: Edition, name: str, x: Scale, y: Scale) -> Markup:
    corners = _corners(edition, name)
    if not corners:
        return Markup("")
    return line([(x(cost * 1000.0), y(quality)) for cost, quality in corners], f"base {name.replace('_', '-')}")


def _corners(edition: Edition, name: str) -> list[tuple[float, float]]:
    """What the baseline realised along its own dial, as the router's line does; blind mixing is its hull by nature."""
    curve = edition.curve(name)
    if curve is None:
        return []
    swept = sorted((p for p in curve.points if math.isfinite(p.mu)), key=lambda p: p.mu)
    if swept:
        return [(p.cost_usd.value, p.quality.value) for p in swept]
    return [*(corner for left, right in pairwise(curve.hull) for corner in _between(left, right)), *curve.hull[-1:]]


def _between(left: tuple[float, float], right: tuple[float, float], steps: int = 12) -> list[tuple[float, float]]:
    """A straight mixture in small steps: on a logarithmic axis it is a bow."""
    return [
        (left[0] + (right[0] - left[0]) * k / steps, left[1] + (right[1] - left[1]) * k / steps) for k in range(steps)
    ]


def _models(edition: Edition, frame: Frame, x: Scale, y: Scale, dial: Sequence[tuple[float, float]]) -> Markup:
    low = reach(edition).q_low
    shown = sorted(
        (single for single in edition.evaluation.singles if single.quality.value >= low),
        key=lambda single: (not single.on_hull, -single.quality.value),
    )
    spots = [(x(single.cost_usd.value * 1000.0), y(single.quality.value)) for single in shown]
    taken = [Box(a - 5, b - 5, a + 5, b + 5) for a, b in spots] + [Box(a - 2, b - 2, a + 2, b + 2) for a, b in dial]
    longest = LONGEST if frame.kind == "wide" else LONGEST_NARROW
    names = [chart_names(edition.evaluation.models, length) for length in (longest, SHORT)]
    parts: list[str] = []
    for single, spot in zip(shown, spots, strict=True):
        parts.append(_dot(edition, single, spot))
        written = [each[single.model] for each in names if single.model in each]
        put = next(filter(None, (place(name, spot, spots, taken, frame) for name in written)), None)
        if put is not None:
            parts.append(label(put.x, put.y, put.content, "model-name", put.anchor))
            taken.append(put.box)
    return join(*parts)


def _dot(edition: Edition, single: SingleModel, spot: tuple[float, float]) -> Markup:
    told = edition.words(
        "curve.dot",
        model=single.model,
        quality=edition.numbers.percent(single.quality.value),
        cost=edition.numbers.per_thousand_usd(single.cost_usd.value),
    )
    best = single.model == edition.evaluation.best_single
    return el("circle", el("title", told), cx=spot[0], cy=spot[1], r=4.5, class_="dot best" if best else "dot")


def _marker(spot: tuple[float, float]) -> Markup:
    at = f"translate({format_number(spot[0])} {format_number(spot[1])})"
    return el("circle", r=7.5, class_="marker", transform=at, data_marker="")
