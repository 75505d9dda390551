"""How often and how many at once: the token bucket of a key, and the slots of a key, a candidate or the gateway."""

from __future__ import annotations

MICROSECONDS = 1_000_000
_ONE = 60 * MICROSECONDS
"""One request in units of the bucket: it fills by `per_minute` of them every microsecond, in whole numbers, exactly."""


class RateLimit:
    """A bucket that holds one minute's requests and fills evenly: in any t seconds at most per_minute * (1 + t / 60).

    Times are monotonic seconds given by the caller; a clock that goes back neither fills the bucket nor stops it.
    """

    __slots__ = ("_last", "_level", "per_minute")

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._level = per_minute * _ONE
        self._last: int | None = None

    def take(self, now: float) -> float:
        """0.0 and one request is taken, or the seconds until there is one: after them exactly it can be taken."""
        at = round(now * MICROSECONDS)
        if self._last is not None and at > self._last:
            self._level = min(self._level + (at - self._last) * self.per_minute, self.per_minute * _ONE)
        self._last = at
        if self._level >= _ONE:
            self._level -= _ONE
            return 0.0
        # From `now`, not from the microsecond that it was rounded to: two halves of one are rounded to either side.
        return (at - (self._level - _ONE) // self.per_minute) / MICROSECONDS - now


class Slots:
    """How many may be under way at once; `limit` None: as many as like."""

    __slots__ = ("limit", "taken")

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.taken = 0

    @property
    def is_full(self) -> bool:
        """Whether every slot is taken."""
        return self.limit is not None and self.taken >= self.limit

    def take(self) -> bool:
        """Whether there was a slot, which is then taken until `give`."""
        if self.is_full:
            return False
        self.taken += 1
        return True

    def give(self) -> None:
        """Hand a taken slot back; ValueError where none is taken: somebody has handed one back twice."""
        if self.taken == 0:
            raise ValueError("no slot is taken")
        self.taken -= 1
