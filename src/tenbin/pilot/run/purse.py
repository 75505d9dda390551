"""The budget of a pilot: money is set aside before a call and settled after it."""

from __future__ import annotations

import math


class Reserve:
    """Money that was set aside for one call."""

    __slots__ = ("usd",)

    def __init__(self, usd: float) -> None:
        self.usd = usd


class Purse:
    """What may still be spent. `spent_usd` + `reserved_usd` never exceeds `budget_usd`, whatever the order of things.

    That holds as long as no call costs more than was set aside for it; where one does, `overrun_usd` says by how much
    the purse was wrong, and the money is counted as spent all the same.
    """

    def __init__(self, budget_usd: float, spent_usd: float = 0.0) -> None:
        self.budget_usd = budget_usd
        self.spent_usd = spent_usd
        self.overrun_usd = 0.0
        self._open: set[Reserve] = set()

    @property
    def reserved_usd(self) -> float:
        """What is set aside now."""
        return math.fsum(reserve.usd for reserve in self._open)

    @property
    def left_usd(self) -> float:
        """What is neither spent nor set aside, at least 0."""
        return max(self.budget_usd - self.spent_usd - self.reserved_usd, 0.0)

    def reserve(self, usd: float) -> Reserve | None:
        """Set money aside; None where there is not so much left."""
        if self.spent_usd + self.reserved_usd + usd > self.budget_usd:
            return None
        reserve = Reserve(usd)
        self._open.add(reserve)
        return reserve

    def settle(self, reserve: Reserve, cost_usd: float) -> None:
        """The call has ended and cost so much; settling twice, or what was never set aside, is a mistake (KeyError)."""
        self._open.remove(reserve)
        self.spent_usd += cost_usd
        self.overrun_usd += max(cost_usd - reserve.usd, 0.0)
