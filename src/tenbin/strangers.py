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

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from tenbin.types import Floats

STRANGER = 0.01
"""At this p-value of being like the training prompts, or below it, a text is a stranger."""

SentTo = Literal["reference", "cheapest", "sheltered"]
"""A stranger to the reference or the cheapest; any other text of a new subject to the reference."""


class Stranger(NamedTuple):
    """One of n queries, at `row`, that the reference is to answer, and may.

    `is_strange` says whether it is a stranger itself, `cheapest` which candidate that may answer is expected to cost
    least, `extra_usd` >= 0 what the reference is expected to cost more.
    """

    row: int
    is_strange: bool
    cheapest: int
    extra_usd: float

    def sent(self, mu: float, left_usd: float) -> SentTo | None:
        """Where it goes at one mu with so much left of the budget (infinite: no end); None: as the dial decides."""
        if mu == 1.0:
            return None
        if mu == 0.0 or self.extra_usd <= left_usd:
            return "reference" if self.is_strange else "sheltered"
        return "cheapest" if self.is_strange else None


def sent_in_turn(strangers: Sequence[Stranger], mu: float, budget_usd: float) -> tuple[SentTo | None, ...]:
    """Where each of them goes at one mu; the budget is used in their order, and what does not fit is not begun."""
    left = budget_usd
    found: list[SentTo | None] = []
    for stranger in strangers:
        found.append(stranger.sent(mu, left))
        left -= stranger.extra_usd if found[-1] in ("reference", "sheltered") else 0.0
    return tuple(found)


def strange(likeness: Floats | None) -> list[int]:
    """Which of n queries are strangers, by their p-values of being like the training prompts (None: nobody is)."""
    return [] if likeness is None else [i for i, p in enumerate(likeness.tolist()) if p <= STRANGER]


def strangers_among(
    asked: Mapping[int, bool],
    cost_usd: Floats,
    barred: Sequence[Sequence[str | None]],
    models: Sequence[str],
    reference: int,
) -> list[Stranger]:
    """Those queries that the reference may answer, in their order; the others stay with the dial.

    `asked` holds the rows of strangers (True) and of other texts of a new subject (False) among n queries, `cost_usd`
    [n, M] and `barred` [n][M] (None: may answer) are theirs; of equally cheap candidates the first by name counts.
    Without known dollars of the reference nobody is sent to it.
    """
    found = []
    for row in sorted(asked):
        cost, bars = cost_usd[row].tolist(), barred[row]
        if bars[reference] is not None or math.isnan(cost[reference]):
            continue
        cheapest = reference
        for m, usd in enumerate(cost):  # NaN is below nothing
            if usd <= cost[cheapest] and bars[m] is None and (usd, models[m]) < (cost[cheapest], models[cheapest]):
                cheapest = m
        found.append(Stranger(row, asked[row], cheapest, cost[reference] - cost[cheapest]))
    return found
