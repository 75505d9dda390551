"""The settings that a certificate tries, in order: settled by estimates and prices before a calibration label is read.

The first is always the reference itself, which needs no proof. Each further one raises mu just so far that the rule is
expected to save another share of the reference's dollars. A candidate takes a query from the reference only where its
quality, lowered by the dial's caution, comes within mu / (1 - mu) times its saving of the reference's: the margin that
quality must clear thus shrinks from one setting to the next, by as much as the query's own saving is worth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tenbin.risk import mu_grid
from tenbin.router.crossfit import DIAL_POINTS, Crossfit
from tenbin.router.router import Router
from tenbin.router.sweep import Sweep
from tenbin.types import Bools, Floats, Ints, TradeOff

SPACING = 0.025
"""By how much of the reference's dollars one setting is expected to save more than the one before it."""
MOST_ROWS = 4_096
"""More training rows would not move the settings, only the time that a price change takes."""


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """The K settings after the reference, what each is expected to save of its dollars [K], and the training's choices.

    `ground` are the training rows that were looked at, `chosen` [K, n] what each setting chooses there.
    """

    trade_offs: tuple[TradeOff, ...]
    saving: Floats
    ground: Crossfit
    chosen: Ints

    def __len__(self) -> int:
        return len(self.trade_offs)


def draw_path(router: Router, ground: Crossfit, trade_off: TradeOff, allowed: Bools) -> Path:
    """The path of a router at its prices, among the candidates `allowed` [M], all but mu of `trade_off` held.

    `ground` are its training rows, of which only the estimates are looked at here. Empty where no setting is expected
    to save anything.
    """
    n = len(ground.observed.quality)
    if n > MOST_ROWS:
        ground = ground.take(np.linspace(0, n - 1, MOST_ROWS).astype(np.int64))
    mus = mu_grid(DIAL_POINTS)
    cost = router.cost_usd(ground.estimates)
    chosen = decide(router, ground, trade_off, allowed, mus)
    spent = np.take_along_axis(cost, chosen.T, axis=1).mean(axis=0)
    usual = float(cost[:, router.reference].mean())
    saving = 1.0 - spent / usual if usual > 0.0 else np.zeros(DIAL_POINTS)
    kept: list[int] = []
    reached = 0.0
    for k, share in enumerate(saving.tolist()):
        if share >= reached + SPACING * (1.0 - 1e-9):
            reached = share
            # Where a stretch of settings decides alike, its middle is furthest from those that would not.
            beyond = np.flatnonzero(saving[k:] > share + 1e-12)
            alike = int(beyond[0]) if beyond.size else DIAL_POINTS - k
            kept.append(k + (alike - 1) // 2)
    return Path(tuple(replace(trade_off, mu=float(mus[k])) for k in kept), saving[kept], ground, chosen[kept])


def decide(router: Router, ground: Crossfit, trade_off: TradeOff, allowed: Bools, mus: Floats) -> Ints:
    """What the rule chooses [k, n] for rows with estimates at rising mus."""
    cost = router.cost_usd(ground.estimates)
    swept = Sweep.of(ground.estimates, cost, router.models, router.anchors, trade_off, allowed)
    return swept.choices(mus).astype(np.int64)
