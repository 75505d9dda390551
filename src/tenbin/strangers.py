"""Who answers a text unlike the training prompts, whose estimates say little: the reference, or the cheapest.

The reference, which every promise is measured by, answers strangers while the stranger budget lasts. The budget pays
for what the reference costs more than the cheapest candidate that may answer, so that crafted prompts cannot run up
the bill; once it is used up, the cheapest answers. Two dials need neither. At mu = 0 dollars do not count: the
reference answers whatever is left. And where even the largest gain does not pay for the reference, the dial itself
decides: qualities lie in [0, 1], so no answer is better than another by more than 1, and mu times what the reference
weighs more than the cheapest must be at most 1 - mu. At mu = 1 that never holds. Pure: arrays in, arrays out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from tenbin.risk import Anchors, burdens, choose
from tenbin.types import Bools, Estimates, Floats, Ints, TradeOff

STRANGER = 0.01
"""At this p-value of being like the training prompts, or below it, a text is a stranger."""

Index = TypeVar("Index", bound=np.signedinteger)
SentTo = Literal["reference", "cheapest"]


@dataclass(frozen=True, slots=True, eq=False)
class Strangers:
    """Those among n queries that the reference may answer, arrays [s].

    `rows` says which they are, `cheapest` which candidate that may answer is expected to cost least, `extra_usd` >= 0
    what the reference is expected to cost more, `burden` what it weighs more at mu = 1 (dollars and, by w, seconds over
    the reference's mean).
    """

    reference: int
    rows: Ints
    cheapest: Ints
    extra_usd: Floats
    burden: Floats

    def worth(self, mu: Floats | float) -> Bools:
        """Whether the reference could pay for each stranger: [s] at one mu, [k, s] at k of them given as [k, 1]."""
        found: Bools = np.asarray((np.asarray(mu) < 1.0) & (mu * self.burden <= 1.0 - np.asarray(mu)))
        return found

    def sheltered(self, chosen: NDArray[Index], mus: Floats) -> NDArray[Index]:
        """The choices [k, n] of a dial at k mus, with strangers sent to the reference: what no budget bounds."""
        if not self.rows.size:
            return chosen
        sent = chosen.copy()
        sent[:, self.rows] = np.where(self.worth(mus[:, None]), self.reference, chosen[:, self.rows])
        return sent

    def sent(self, mu: float, budget_usd: float | None = None) -> tuple[SentTo | None, ...]:
        """Where each stranger goes at one mu, [s]; None: as the dial decides.

        `budget_usd` (None: without end) is used in the order of the rows; what does not fit is not begun.
        """
        left = np.inf if budget_usd is None or mu == 0.0 else budget_usd
        found: list[SentTo | None] = []
        for is_worth, extra in zip(self.worth(mu).tolist(), self.extra_usd.tolist(), strict=True):
            if not is_worth:
                found.append(None)
            elif extra <= left:
                left -= extra
                found.append("reference")
            else:
                found.append("cheapest")
        return tuple(found)


def strange(likeness: Floats | None) -> list[int]:
    """Which of n queries are strangers, by their p-values of being like the training prompts (None: nobody is)."""
    return [] if likeness is None else np.flatnonzero(likeness <= STRANGER).tolist()


def strangers_of(
    estimates: Estimates,
    cost_usd: Floats,
    trade_off: TradeOff,
    anchors: Anchors,
    reference: int,
    rank: Ints,
    eligible: Bools,
) -> Strangers:
    """The strangers among n queries by their estimates, and where the reference may answer them.

    `cost_usd` and `eligible` are [n, M], `rank` [M] breaks ties. A stranger that the reference may not
    answer, or whose costs are not known, stays with the dial.
    """
    rows = np.array(strange(estimates.likeness), dtype=np.int64)
    rows = rows[eligible[rows, reference] & ~np.isnan(cost_usd[rows, reference])]
    if not rows.size:
        none = np.zeros(0)
        return Strangers(reference, rows, rows, none, none)
    cost = cost_usd[rows]
    cheapest = choose(cost, cost, rank, eligible[rows])
    here = np.arange(rows.size)
    weight = burdens(cost, estimates.latency_s[rows], trade_off.w, anchors)
    return Strangers(
        reference=reference,
        rows=rows,
        cheapest=cheapest,
        extra_usd=cost[:, reference] - cost[here, cheapest],
        burden=weight[:, reference] - weight[here, cheapest],
    )
