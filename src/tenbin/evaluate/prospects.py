"""What the router expects of the queries of an evaluation: who would leave a candidate next, and how all would fare.

Where a setting sends few queries elsewhere, their outcomes alone do not tell how far its mean quality might be off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from tenbin.evaluate.curve import chosen
from tenbin.evaluate.trial import Ground
from tenbin.risk import Anchors, losses
from tenbin.types import Choices, Estimates, Floats, TradeOff

LEAST_IN_LINE = 10
"""Queries next in line, where fewer have left: a handful says little of what the next would bring."""
DOUBTFUL = 0.01
"""No outcome is surer than this: an estimate of 0 or 1 would allow for no other."""


@dataclass(frozen=True, slots=True)
class Prospects:
    """Expected `quality` [n, M], and choices `farther` [K, n] where those next in line have left the usual one, too."""

    quality: Floats
    farther: Choices

    @classmethod
    def along(
        cls, estimates: Estimates, cost_usd: Floats, anchors: Anchors, mus: Floats, choices: Choices, usual: int
    ) -> Self:
        """Those of the `choices` [K, n] of `sweep` at these mus; `usual` is an index."""
        farther = [
            next_in_line(losses(estimates.quality, cost_usd, estimates.latency_s, TradeOff(mu), anchors), choice, usual)
            for mu, choice in zip(mus.tolist(), choices, strict=True)
        ]
        return cls(estimates.quality, np.array(farther))

    def quality_sd(self, ground: Ground, choices: Choices, usual: int) -> Floats:
        """How far mean qualities against the usual candidate's are expected to vary, as standard deviations [K].

        A quality varies about what is expected as one that is right or wrong does, by q (1 - q), the gap of two by both
        together; all of it is scaled by how far the gaps over all queries are from the expected ones, so that estimates
        that say little make the spread wide. So do the queries vary that left in `choices` [K, n], and one more.
        """
        share = ground.share
        doubtful = np.clip(self.quality, DOUBTFUL, 1.0 - DOUBTFUL)
        apart = doubtful * (1.0 - doubtful)
        apart = apart + apart[:, [usual]]
        expected = self.quality - self.quality[:, [usual]]
        missed = share @ (_gap(ground.quality, usual) - expected) ** 2
        square = expected**2 + apart * (missed / (share @ apart))
        square[:, usual] = 0.0
        left = [np.bincount(ground.cluster, weights=share * row) for row in np.sqrt(chosen(square, choices))]
        sd: Floats = np.sqrt([float(row @ row) for row in left] + self._one_more(square, ground, choices, usual))
        return sd

    def dollars_sd(self, ground: Ground, choices: Choices, usual: int) -> Floats:
        """What means of dollars against the usual candidate's might hide: one more query that leaves, as sd [K]."""
        square = _gap(ground.cost_usd, usual) ** 2
        sd: Floats = np.sqrt(self._one_more(square, ground, choices, usual))
        return sd

    def _one_more(self, square: Floats, ground: Ground, choices: Choices, usual: int) -> Floats:
        """The variance [K] of one more of the queries that stayed, if it moves by the mean of `square` [n, M].

        The mean over those that left and those next in line: on a dial the cheap ones may leave first, and the dear
        ones be about to. An interval of a count ends where that of a count one higher does (Garwood, Biometrika 28,
        1936). Nothing where nobody could go, the less the fewer stayed.
        """
        gone, stayed = (self.farther != usual) @ ground.share, (choices == usual) @ ground.share
        mean = chosen(square, self.farther) @ ground.share / np.where(gone > 0.0, gone, 1.0)
        more: Floats = stayed * mean * ground.variance_share**2
        return more


def next_in_line(loss: Floats, choice: Choices, usual: int) -> Choices:
    """The `choice` [n] at these losses [n, M] if as many queries again as left `usual` did, ten at least.

    Next are those that lose least by leaving; each goes to the candidate that is second for it. A loss of infinity is
    that of a candidate which must not be chosen.
    """
    others = np.where(np.isnan(loss), np.inf, loss)
    others[:, usual] = np.inf
    second = others.argmin(axis=1)
    stay = np.flatnonzero(choice == usual)
    lost = others[stay, second[stay]] - loss[stay, usual]
    left = choice.size - stay.size
    line = np.argsort(lost, kind="stable")[: max(left, LEAST_IN_LINE)]
    going = stay[line[np.isfinite(lost[line])]]  # where there is no other, nobody goes
    farther = choice.copy()
    farther[going] = second[going]
    return farther


def outcomes_seen(ground: Ground, choices: Choices, usual: int) -> Floats:
    """Of how many of the queries that left the usual candidate (copies once) the quality came out otherwise [K]."""
    moved = chosen(_gap(ground.quality, usual), choices) != 0.0
    return np.array([np.count_nonzero(np.bincount(ground.cluster, weights=row)) for row in moved], dtype=np.float64)


def _gap(values: Floats, usual: int) -> Floats:
    return values - values[:, [usual]]
