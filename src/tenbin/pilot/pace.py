"""How the saving grows with the dollars spent on labels, and what the next stage may add.

Every point is a router learnt from the labels bought until then, measured on all prompts of today's field without
having seen their labels: the points differ by what was learnt, not by the prompts they are measured on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np

from tenbin.errors import DataError
from tenbin.evaluate.curve import Contender
from tenbin.evaluate.intervals import interval
from tenbin.pilot.field import Field, columns, learn, unseen_estimates
from tenbin.pilot.measure import KEPT, Measured, contender_of, widened
from tenbin.pilot.pair import Key
from tenbin.pilot.records import Bought, Record
from tenbin.pilot.standing import Standing
from tenbin.prices import PriceBook
from tenbin.types import NORMAL_95, Figure, Floats, Panel

SLICES = 4
LEAST_POINTS = 3
"""Fewer points than this draw no line."""
BOUGHT = ("quality", "input_tokens", "output_tokens", "cost_usd", "latency_s")
"""What a panel knows of a cell once it is bought."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The pilot as it was when `stage` ended (or a part of it): pairs bought until then, and dollars spent."""

    stage: int
    keys: frozenset[Key]
    spent_usd: float


@dataclass(frozen=True, slots=True)
class PacePoint:
    """What was found for so many dollars: labels and prompts learnt from, saving and cost per query at the target."""

    stage: int
    spent_usd: float
    n_labels: int
    n_prompts: int
    saving: Figure
    cost_usd: Figure


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected once `spent_usd` are spent: the saving, and how far its interval will then reach either way.

    `is_trend`: a line was drawn through the points; otherwise the saving is today's and only the interval shrinks.
    """

    spent_usd: float
    saving: Figure
    half_width: float
    is_trend: bool


@dataclass(frozen=True, slots=True)
class Pace:
    """The points by rising dollars, the last one being today, and the forecast where a next stage is known."""

    points: tuple[PacePoint, ...]
    forecast: Forecast | None


def moments(records: Iterable[Record], keys: frozenset[Key]) -> tuple[Moment, ...]:
    """The ends of the stages, or four equal parts of the journal where fewer than three stages bought anything.

    `keys` are the first answers that routers learn from; only these make the parts. Calls under way are no spending
    yet, but for those that never ended.
    """
    standing = Standing()
    trail: dict[Key, tuple[int, float]] = {}
    for record in records:
        standing.take(record)
        if isinstance(record, Bought):
            key = record.query_id, record.model, record.repeat
            if key in keys:
                trail.setdefault(key, (record.stage, standing.settled_usd))
    order, steps = list(trail), list(trail.values())
    past = [Moment(steps[end - 1][0], frozenset(order[:end]), steps[end - 1][1]) for end in _ends(steps)]
    # What was spent after the last label (second answers, late grading) was spent by today.
    return (*past[:-1], replace(past[-1], spent_usd=standing.spent_usd)) if past else ()


def _ends(steps: Sequence[tuple[int, float]]) -> list[int]:
    """How many of the labels were there at the end of each part."""
    highest = list(accumulate((stage for stage, _ in steps), max))
    changes = [i for i in range(1, len(steps)) if highest[i] > highest[i - 1]]
    if len(changes) + 1 >= LEAST_POINTS:
        return [*changes, len(steps)]
    return sorted({math.ceil(len(steps) * part / SLICES) for part in range(1, SLICES + 1)} - {0})


def rivals_of(
    past: Sequence[Moment], train: Panel, field: Field, prices: PriceBook | None, seed: int
) -> tuple[tuple[Moment, Contender, Panel], ...]:
    """The routers of the moments on the field; moments with too few labels to learn from are left out."""
    made = []
    for moment in past:
        known = _until(train, moment)
        try:
            router = learn(known, field, prices, seed)
        except DataError:
            continue
        learnt_from = columns(known, field.panel.models)
        made.append((moment, contender_of(router, unseen_estimates(router, learnt_from, field), field), learnt_from))
    return tuple(made)


def _until(train: Panel, moment: Moment) -> Panel:
    """The panel as it was at a moment: what was bought later is not known."""
    known = np.array([[(q.query_id, m, 0) in moment.keys for m in train.models] for q in train.queries])
    cells: dict[str, Any] = {name: np.where(known, getattr(train, name), np.nan) for name in BOUGHT}
    return replace(train, **cells)


def pace_of(
    rivals: Sequence[tuple[Moment, Contender, Panel]], measured: Measured, n: int, next_usd: float | None
) -> Pace:
    """The points of the rivals, measured in the same order on a field of n prompts; `next_usd` the next stage costs."""
    shares = [measured.cost_share[k][KEPT] for k in range(len(rivals))]
    points = tuple(
        PacePoint(
            stage=moment.stage,
            spent_usd=moment.spent_usd,
            n_labels=int((~np.isnan(learnt.quality)).sum()),
            n_prompts=len(learnt),
            saving=widened(interval(1.0 - share), n, most=1.0),
            cost_usd=widened(interval(share * measured.reference_usd), n, least=0.0),
        )
        for (moment, _, learnt), share in zip(rivals, shares, strict=True)
    )
    if not points or next_usd is None or next_usd <= 0.0:
        return Pace(points, None)
    spent = np.array([point.spent_usd for point in points])
    return Pace(points, forecast_of(spent, 1.0 - np.array(shares), float(spent[-1] + next_usd), n))


def forecast_of(spent_usd: Floats, saving: Floats, at_usd: float, n: int) -> Forecast:
    """The saving [K, 1 + R] after `spent_usd` [K] dollars, extended to `at_usd`; the last point is today.

    What labels teach falls off with the root of their number, so the line is saving = a - b / sqrt(dollars), drawn
    through the points of every resample; it never falls, and it starts at today's value. Its interval joins the
    spread over the resamples and that of the points around the line.
    """
    today = widened(interval(saving[-1]), n, most=1.0)
    reach = max(today.high - today.value, today.value - today.low)
    half_width = reach * math.sqrt(float(spent_usd[-1]) / at_usd) if at_usd > 0.0 else math.nan
    if len(spent_usd) < LEAST_POINTS or not float(spent_usd[-1]) > float(spent_usd[0]) > 0.0:
        return Forecast(at_usd, today, half_width, False)
    x = 1.0 / np.sqrt(spent_usd)
    middle = x - x.mean()
    slope = -(middle @ saving) / float(middle @ middle)
    rise = np.maximum(slope, 0.0) * (x[-1] - 1.0 / math.sqrt(at_usd))
    rows = np.minimum(saving[-1] + rise, 1.0)
    line = saving.mean(axis=0) - slope * middle[:, None]
    freedom = max(len(spent_usd) - 2, 1)
    around = NORMAL_95 * math.sqrt(float(((saving[:, 0] - line[:, 0]) ** 2).sum()) / freedom)
    drawn = widened(interval(rows), n, most=1.0)
    low = drawn.value - math.hypot(drawn.value - drawn.low, around)
    high = drawn.value + math.hypot(drawn.high - drawn.value, around)
    return Forecast(at_usd, Figure(drawn.value, low, min(high, 1.0)), half_width, True)
