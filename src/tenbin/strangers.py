"""Who answers a text unlike the training prompts, whose estimates say little: the reference, or the cheapest.

Without a stranger budget the dial decides, by estimates that have faded to the means. With one, the reference, which
every promise is measured by, answers strangers while the budget lasts, and with them whatever else a caller asks whose
texts are about a subject that training lacked: none of these need look odd by itself. The budget pays for what the
reference costs more than the cheapest candidate that may answer, so that crafted prompts cannot run up the bill; once
it is used up, the cheapest answers strangers, and the dial the others. The ends of the dial need neither: at mu = 0
dollars do not count, and the reference answers whatever is left; at mu = 1 quality does not count, and the dial
decides. Between them it is the budget, not mu, that bounds the bill: mu is a price for estimated quality, of which
little is known here. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tenbin.risk import choose
from tenbin.types import Bools, Floats, Ints

STRANGER = 0.01
"""At this p-value of being like the training prompts, or below it, a text is a stranger."""

SentTo = Literal["reference", "cheapest", "sheltered"]
"""A stranger to the reference or the cheapest; any other text of a new subject to the reference."""


@dataclass(frozen=True, slots=True, eq=False)
class Strangers:
    """Those among n queries that the reference is to answer, and may, arrays [s].

    `rows` says which they are, `is_strange` which are strangers themselves, `cheapest` which candidate that may answer
    is expected to cost least, `extra_usd` >= 0 what the reference is expected to cost more.
    """

    reference: int
    rows: Ints
    is_strange: Bools
    cheapest: Ints
    extra_usd: Floats

    def sent(self, mu: float, budget_usd: float) -> tuple[SentTo | None, ...]:
        """Where each of them goes at one mu, [s]; None: as the dial decides.

        `budget_usd` (infinite: without end) is used in the order of the rows; what does not fit is not begun.
        """
        if mu == 1.0:
            return (None,) * self.rows.size
        left = np.inf if mu == 0.0 else budget_usd
        found: list[SentTo | None] = []
        for extra, is_strange in zip(self.extra_usd.tolist(), self.is_strange.tolist(), strict=True):
            if extra <= left:
                left -= extra
                found.append("reference" if is_strange else "sheltered")
            else:
                found.append("cheapest" if is_strange else None)
        return tuple(found)


def strange(likeness: Floats | None) -> list[int]:
    """Which of n queries are strangers, by their p-values of being like the training prompts (None: nobody is)."""
    return [] if likeness is None else (likeness <= STRANGER).nonzero()[0].tolist()


def strangers_of(
    likeness: Floats | None,
    is_new_subject: Bools,
    cost_usd: Floats,
    reference: int,
    rank: Ints,
    eligible: Bools,
) -> Strangers:
    """The strangers among n queries and those of a new subject, where the reference may answer them.

    `likeness` [n] are their p-values of being like the training prompts (None: nobody is a stranger), `is_new_subject`
    [n] says where what came before spoke of a new one, `cost_usd` and `eligible` are [n, M], `rank` [M] breaks ties.
    One that the reference may not answer, or whose costs are not known, stays with the dial.
    """
    is_strange = np.zeros(len(is_new_subject), dtype=np.bool_) if likeness is None else likeness <= STRANGER
    may_be_sent = eligible[:, reference] & ~np.isnan(cost_usd[:, reference])
    rows = ((is_strange | is_new_subject) & may_be_sent).nonzero()[0]
    if not rows.size:
        return Strangers(reference, rows, rows > 0, rows, np.zeros(0))
    cost = cost_usd[rows]
    cheapest = choose(cost, cost, rank, eligible[rows])
    least = cost[np.arange(rows.size), cheapest]
    return Strangers(reference, rows, is_strange[rows], cheapest, cost[:, reference] - least)
