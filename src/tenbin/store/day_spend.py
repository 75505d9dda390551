"""What a profile has spent since a moment, asked every few seconds of a ledger that may gain a million calls a day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

RECENT_S = 600.0
"""Calls that began earlier are taken for settled, and added up anew only as often."""

SumUsd = Callable[[str, float, float], float]
"""Dollars of a profile's calls begun from the first moment (Unix seconds) up to the second."""


@dataclass(frozen=True, slots=True)
class _Before:
    since: float
    until: float
    usd: float


class DaySpend:
    """Sums of which the older part is kept: for at most `RECENT_S` a call counts at its reserve that ran so long."""

    def __init__(self) -> None:
        self._before: dict[str, _Before] = {}

    def usd(self, profile: str, since: float, now: float, sum_usd: SumUsd) -> float:
        """Dollars of a profile's calls begun from `since` on."""
        before = self._before.get(profile)
        if before is None or before.since != since or not 0.0 <= now - before.until <= 2.0 * RECENT_S:
            until = max(since, now - RECENT_S)
            before = self._before[profile] = _Before(since, until, sum_usd(profile, since, until))
        return before.usd + sum_usd(profile, before.until, float("inf"))

    def forget(self) -> None:
        """Add everything up anew: the ledger is another one."""
        self._before.clear()
