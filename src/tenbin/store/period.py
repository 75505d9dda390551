"""The days and months that budgets are for, in UTC."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Period:
    """A UTC day ("2026-11-23") or month ("2026-11"): from `starts_at` up to `ends_at`, Unix seconds."""

    name: str
    kind: Literal["day", "month"]
    starts_at: float
    ends_at: float


def day_of(at: float) -> Period:
    """The day that a moment is in."""
    start = datetime.fromtimestamp(at, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Period(start.strftime("%Y-%m-%d"), "day", start.timestamp(), (start + timedelta(days=1)).timestamp())


def month_of(at: float) -> Period:
    """The month that a moment is in."""
    start = datetime.fromtimestamp(at, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (start + timedelta(days=31)).replace(day=1)
    return Period(start.strftime("%Y-%m"), "month", start.timestamp(), following.timestamp())


class ForwardClock:
    """The wall clock, except that it does not go back: a step back over midnight opens no second budget.

    Behind by more than a day, the clock must have been wrong before, and is believed again.
    """

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._latest = wall()

    def now(self) -> float:
        """Unix seconds."""
        now = self._wall()
        if now > self._latest or now < self._latest - DAY_S:
            self._latest = now
        return self._latest
