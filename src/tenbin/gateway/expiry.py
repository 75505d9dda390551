"""What is deleted once it was kept for its time: texts by their profile's days, rows of the ledger by the store's."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tenbin.gateway.retained import Retained
from tenbin.gateway.snapshot import ServedProfile
from tenbin.store.period import DAY_S
from tenbin.store.retention import expire, forget


class Expiry:
    """Looks for it now and then. Methods may be called in any thread."""

    def __init__(
        self,
        folder: Path,
        retained: Retained,
        *,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._retained = retained
        self._wall = wall
        self._steady = steady
        self._looked_at: tuple[float, float] | None = None
        self._ending = threading.Event()
        self.log = logging.getLogger("tenbin.gateway")

    def look(self, profiles: Mapping[str, ServedProfile], keep_days: int | None) -> None:
        """Delete what has been kept for long enough. Blocks. Errors: StoreError; the next look deletes what is left."""
        days, now = self._retained.days(profiles), self._wall()
        if self._has_leapt(now):
            said = "the clock has leapt ahead by more than a day: nothing is deleted before the next look, in an hour"
            self.log.error(said)
            return
        if days:
            expire(self._folder, days, now, rest=self._ending.wait)
        if keep_days is not None:
            forget(self._folder, float(keep_days), now, rest=self._ending.wait)

    def stop(self) -> None:
        """End a look between two of its steps, and all later ones."""
        self._ending.set()

    def _has_leapt(self, now: float) -> bool:
        """Whether the clock has gone far ahead of time since the last look, as one that is set wrong for a moment.

        Whatever was to be kept would be gone for good.
        """
        before, self._looked_at = self._looked_at, (now, self._steady())
        return before is not None and now - before[0] - (self._looked_at[1] - before[1]) > DAY_S
