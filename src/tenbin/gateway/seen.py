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
    """What others have seen of a profile since then; at the first look also what its own place had `before`."""

    since: Since
    others: Others
    before: Others = Others()


class WorkersSeen:
    """The marks of all workers; methods block. A restarted worker goes on with the mark of its place."""

    def __init__(self, marks: Marks, place: Place) -> None:
        self._marks = marks
        self._place = place
        self._marked: dict[str, Mapping[str, Any]] = {}
        self.is_first = True

    def share(self, since: Mapping[str, Since], watches: Mapping[str, Watch]) -> dict[str, Told]:
        """Mark what was seen here of these profiles, and read what the others have; the first look writes over nothing.

        Errors: StoreError.
        """
        there = self._place.taken() - {self._place.number}
        if not self.is_first:
            self._mark(since, watches)
        found = {name: Told(since[name], Others()) for name in watches}
        if there or self.is_first:
            for mark_name, content in self._marks.all().items():
                name, _, number = mark_name.rpartition(AT)
                if name not in found or not number.isdecimal():
                    continue
                told = found[name]
                if int(number) in there:
                    found[name] = told._replace(others=_with(told.others, content, since[name]))
                elif self.is_first and int(number) == self._place.number:
                    found[name] = told._replace(before=_with(Others(), content, since[name]))
        self.is_first = False
        return found

    def _mark(self, since: Mapping[str, Since], watches: Mapping[str, Watch]) -> None:
        """Mark what has changed; nothing where nothing was ever seen."""
        for name, watch in watches.items():
            sums = [watch.qualities.n, watch.qualities.sum, watch.answers.n, watch.answers.sum]
            mark = {"since": list(since[name]), "sums": sums}
            if mark != self._marked.get(name) and (any(sums) or name in self._marked):
                self._marks.put(f"{name}{AT}{self._place.number}", mark)
                self._marked[name] = mark


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
