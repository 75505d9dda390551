"""What each worker has seen of what a profile promises, marked in the store for the others to add to their own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from tenbin.gateway.retreat import Others, Seen, Watch
from tenbin.store.marks import Marks
from tenbin.store.place import Place

SEEN = "seen"
AT = "@"
"""Between profile and place in a mark's name; no profile has it in its own."""

Since = tuple[float, float | None, float | None]
"""When somebody last said to go on, and what was promised: windows that began with another of these are no company."""


class Told(NamedTuple):
    """What others have seen of a profile since then."""

    since: Since
    others: Others


class WorkersSeen:
    """The marks of all workers; methods block. Alone, a worker marks nothing."""

    def __init__(self, marks: Marks, place: Place) -> None:
        self._marks = marks
        self._place = place
        self._marked: dict[str, Mapping[str, Any]] = {}

    def share(self, since: Mapping[str, Since], watches: Mapping[str, Watch]) -> dict[str, Told]:
        """Mark what was seen here of these profiles, and read what the others have. Errors: StoreError."""
        there = self._place.taken() - {self._place.number}
        if not there:
            return {}
        for name, watch in watches.items():
            sums = [watch.qualities.n, watch.qualities.sum, watch.answers.n, watch.answers.sum]
            mark = {"since": list(since[name]), "sums": sums}
            if mark != self._marked.get(name):
                self._marks.put(f"{name}{AT}{self._place.number}", mark)
                self._marked[name] = mark
        found = {name: Told(since[name], Others()) for name in watches}
        for mark_name, content in self._marks.all().items():
            name, _, number = mark_name.rpartition(AT)
            if name in found and number.isdecimal() and int(number) in there:
                found[name] = Told(since[name], _with(found[name].others, content, since[name]))
        return found


def _with(others: Others, mark: Mapping[str, Any], since: Since) -> Others:
    """With one more worker's mark; a damaged one counts as nothing, as does one that began otherwise."""
    sums = mark.get("sums")
    if not isinstance(sums, list) or len(sums) != 4 or not all(_is_number(figure) for figure in sums):
        return others
    if mark.get("since") != list(since):
        return others
    n, quality, requests, answered = sums
    return Others(
        Seen(others.qualities.n + round(n), others.qualities.sum + quality),
        Seen(others.answers.n + round(requests), others.answers.sum + answered),
    )


def _is_number(figure: object) -> bool:
    return isinstance(figure, int | float) and math.isfinite(figure) and figure >= 0.0
