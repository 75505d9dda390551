"""The decision of every row at every mu, asking the rule only where its answer can change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tenbin.risk import Anchors, cautious_quality, choose, losses, name_order
from tenbin.types import Bools, Choices, Estimates, Floats, Ints, TradeOff

ROWS_AT_ONCE = 16_384
CLEAR = 4e-9
"""By how much a loss must be the least to be so after rounding to 1e-9 too; more where the losses are large."""
CLEAR_SHARE = 1e-12


@dataclass(frozen=True, slots=True)
class Sweep:
    """What n rows are decided by, all but mu: cautious qualities, dollars and seconds [n, M], dial, anchors, tie-break.

    `allowed` [M] are the candidates that may be chosen.
    """

    quality: Floats
    cost_usd: Floats
    latency_s: Floats
    trade_off: TradeOff
    anchors: Anchors
    rank: Ints
    allowed: Bools

    def choices(self, mus: Floats) -> Choices:
        """The choice [k, n] of every row at every one of k rising mus: what `risk.choose` says, to the last tie.

        Every candidate's loss is a straight line in mu. So a row whose choice is the same, and clear, at two mus has
        it at all mus between them, and only the others are halved further.
        """
        shape = (len(mus), len(self.quality))
        chosen, clear = np.empty(shape, dtype=np.int32), np.empty(shape, dtype=np.bool_)
        everyone = np.arange(shape[1])
        ends = {0, len(mus) - 1}
        for end in ends:
            chosen[end], clear[end] = self._decide(float(mus[end]), everyone)
        waiting = [(0, len(mus) - 1, everyone)]
        while waiting:
            low, high, rows = waiting.pop()
            settled = (chosen[low, rows] == chosen[high, rows]) & clear[low, rows] & clear[high, rows]
            chosen[low + 1 : high, rows[settled]] = chosen[low, rows[settled]]
            rows = rows[~settled]
            if high - low < 2 or not rows.size:
                continue
            middle = (low + high) // 2
            chosen[middle, rows], clear[middle, rows] = self._decide(float(mus[middle]), rows)
            waiting += [(low, middle, rows), (middle, high, rows)]
        return chosen

    def _decide(self, mu: float, rows: Ints) -> tuple[Ints, Bools]:
        """The choice of some rows at one mu, and whether it is the least by more than rounding can blur."""
        cost = self.cost_usd[rows]
        loss = losses(self.quality[rows], cost, self.latency_s[rows], replace(self.trade_off, mu=mu), self.anchors)
        eligible = np.broadcast_to(self.allowed, loss.shape)
        chosen = choose(loss, cost, self.rank, eligible)
        here = np.arange(len(rows))
        least = loss[here, chosen]
        others = np.where(np.isnan(loss) | ~eligible, np.inf, loss)
        others[here, chosen] = np.inf
        clear: Bools = others.min(axis=1) > least + CLEAR + CLEAR_SHARE * np.abs(least)
        return chosen, clear


def swept_rows(
    estimates: Estimates,
    cost_usd: Floats,
    models: tuple[str, ...],
    anchors: Anchors,
    trade_off: TradeOff,
    allowed: Bools,
    mus: Floats,
) -> Iterator[tuple[slice, Choices]]:
    """What the rule chooses at each of K rising mus, all but mu of `trade_off` held: [K, rows] of some rows at a time.

    `cost_usd` [n, M] are predicted dollars, `allowed` [M] the models that may be chosen.
    """
    rank = name_order(models)
    quality = cautious_quality(estimates, trade_off)
    for start in range(0, len(quality), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        asked = Sweep(quality[rows], cost_usd[rows], estimates.latency_s[rows], trade_off, anchors, rank, allowed)
        yield rows, asked.choices(mus)


def sweep(
    estimates: Estimates,
    cost_usd: Floats,
    models: tuple[str, ...],
    anchors: Anchors,
    trade_off: TradeOff,
    allowed: Bools,
    mus: Floats,
) -> Choices:
    """What the rule chooses [K, n] for all rows of `swept_rows`, at mus in any order."""
    rising = np.argsort(mus, kind="stable")
    choices = np.empty((mus.size, len(cost_usd)), dtype=np.int32)
    for rows, chosen in swept_rows(estimates, cost_usd, models, anchors, trade_off, allowed, mus[rising]):
        choices[rising, rows] = chosen
    return choices
