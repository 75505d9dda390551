"""The decision of every row at every mu, asking the rule only where its answer can change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

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

    @classmethod
    def of(
        cls,
        estimates: Estimates,
        cost_usd: Floats,
        models: tuple[str, ...],
        anchors: Anchors,
        trade_off: TradeOff,
        allowed: Bools,
    ) -> Self:
        """The sweep of n rows of estimates at predicted dollars [n, M], all but mu of `trade_off` held."""
        quality = cautious_quality(estimates, trade_off)
        return cls(quality, cost_usd, estimates.latency_s, trade_off, anchors, name_order(models), allowed)

    def choices(self, mus: Floats) -> Choices:
        """What `risk.choose` says, to the last tie, of every row at every one of K mus in any order, [K, n]."""
        rising = np.argsort(mus, kind="stable")
        choices = np.empty((mus.size, len(self.quality)), dtype=np.int32)
        for rows, chosen in self.parts(mus[rising]):
            choices[rising, rows] = chosen
        return choices

    def parts(self, mus: Floats) -> Iterator[tuple[slice, Choices]]:
        """The same at rising mus, [K, rows] of some rows at a time, for who need not keep it whole."""
        for start in range(0, len(self.quality), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            taken = self.quality[rows], self.cost_usd[rows], self.latency_s[rows]
            yield rows, Sweep(*taken, self.trade_off, self.anchors, self.rank, self.allowed)._halved(mus)

    def _halved(self, mus: Floats) -> Choices:
        """All rows at rising mus.

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
