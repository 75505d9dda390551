"""How long providers have asked each worker to leave a candidate alone, marked in the store for the others.

Only that: what a worker finds out by failures of its own may be its own fault, and must not take a candidate from all.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from tenbin.store.marks import Marks
from tenbin.store.place import Place

PAUSES = "pauses"


class Pauses:
    """The marks of all workers, one for each place; methods block. Alone, a worker marks nothing."""

    def __init__(self, marks: Marks, place: Place) -> None:
        self._marks = marks
        self._place = place
        self._marked: Mapping[str, float] = {}

    def share(self, asked_until: Mapping[str, float]) -> dict[str, float]:
        """Mark until when (Unix seconds) candidates asked this worker to wait; until when they asked the others.

        Errors: StoreError.
        """
        there = self._place.taken() - {self._place.number}
        if not there:
            return {}
        if asked_until != self._marked:
            self._marks.put(str(self._place.number), {"until": dict(asked_until)})
            self._marked = dict(asked_until)
        found: dict[str, float] = {}
        for number, mark in self._marks.all().items():
            until = mark.get("until")
            if number.isdecimal() and int(number) in there and isinstance(until, dict):
                for name, at in until.items():
                    if isinstance(at, int | float) and math.isfinite(at) and at > time.time():
                        found[name] = max(at, found.get(name, 0.0))
        return found
