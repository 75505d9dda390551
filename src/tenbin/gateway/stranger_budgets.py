"""What strangers may cost over the cheapest candidate: a bucket of dollars for every key in every profile.

A bucket holds the budget of a day and refills as what was used fades, by e^-(days): a key can use the budget at once
and then again as much a day, never more in t days than budget * (1 + t). Fading is the same for sums and for parts, so
several workers share a bucket: each may use what it was granted, and marks that for the others before it does.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tenbin.gateway.snapshot import ServedProfile
from tenbin.store.marks import Marks
from tenbin.store.period import DAY_S
from tenbin.store.place import Place

KIND = "strangers"
AT = "@"
"""Between profile and place in a mark's name; no profile has it in its own."""
NOBODY = ""
"""The key of those who call without one."""
FORGOTTEN_USD = 1e-9
STEP = 0.01
"""A grant that has changed by a smaller share of the budget is not marked anew."""

Bucket = tuple[str, str]
"""Profile and key."""


class Usage(msgspec.Struct, frozen=True):
    """Dollars of a bucket at a moment (Unix seconds): in use, and how far that may rise here. Both fade."""

    used_usd: float
    granted_usd: float
    at: float

    def at_time(self, now: float) -> Usage:
        """The same later; a clock that goes back lets nothing fade."""
        kept = math.exp(-max(now - self.at, 0.0) / DAY_S)
        return Usage(self.used_usd * kept, self.granted_usd * kept, now)

    def plus(self, usd: float, now: float) -> Usage:
        """With so much more in use (less where `usd` is below 0)."""
        then = self.at_time(now)
        return Usage(max(then.used_usd + usd, 0.0), then.granted_usd, now)

    @property
    def is_nothing(self) -> bool:
        """Whether too little is in use to be remembered."""
        return self.used_usd <= FORGOTTEN_USD


class StrangerBudgets:
    """The buckets of one of a gateway's `workers`, for the profiles that it watches.

    Belongs to the event loop, but for `share`, which blocks. A bucket that nobody has used belongs to all workers in
    equal parts, those of other gateways too; a look at the others' marks grants an equal part of what nobody holds. A
    restarted worker goes on with the mark of its place.
    """

    def __init__(self, marks: Marks, place: Place, workers: int, *, wall: Callable[[], float] = time.time) -> None:
        self._marks = marks
        self._place = place
        self._workers = workers
        self._sharers = workers
        self._wall = wall
        self._budget_usd: Mapping[str, float] = {}
        self._own: dict[Bucket, Usage] = {}
        self._marked: dict[Bucket, Usage] = {}

    def watch(self, profiles: Mapping[str, ServedProfile]) -> None:
        """Keep these profiles' budgets; a reload goes on with what was used."""
        self._budget_usd = {name: served.profile.stranger_day_budget_usd for name, served in profiles.items()}

    def take(self, profile: str, key_id: str | None, usd: float, share: float = 1.0) -> bool:
        """Whether a stranger may cost `usd` more than the cheapest; what fits is in use from then on.

        Not more than this `share` of the bucket may be used with it.
        """
        if usd <= 0.0:
            return True
        bucket, now = (profile, key_id or NOBODY), self._wall()
        own = self._of(bucket, now).plus(usd, now)
        if own.used_usd > share * min(own.granted_usd, self._budget_usd.get(profile, 0.0)):
            return False
        self._own[bucket] = own
        return True

    def correct(self, profile: str, key_id: str | None, usd: float) -> None:
        """A stranger that was let in has cost `usd` more than was expected, or less where that is below 0."""
        bucket, now = (profile, key_id or NOBODY), self._wall()
        self._own[bucket] = self._of(bucket, now).plus(usd, now)

    def _of(self, bucket: Bucket, now: float) -> Usage:
        return self._own.get(bucket) or Usage(0.0, self._part(bucket[0]), now)

    def _part(self, profile: str) -> float:
        """What of an unused bucket belongs to one worker."""
        return self._budget_usd.get(profile, 0.0) / self._sharers

    def share(self, *, is_first: bool = False) -> dict[Bucket, Usage]:
        """Read what the others marked, mark what is used and granted here: the latter, for `adopt`.

        Only the first look reads one's own marks: what was used before a restart. Errors: StoreError.
        """
        now = self._wall()
        marked, place = self._read(now), self._place.number
        before = marked.pop(place, {})
        own = before if is_first else dict(self._own)
        siblings = frozenset(range(self._workers if place < self._workers else 0))  # however late they start
        there = (siblings | self._place.taken()) - {place}
        self._sharers = max(self._workers, len(there) + 1)
        others = [marked.get(number, {}) for number in sorted(there)]
        gone = [usages for number, usages in marked.items() if number not in there]
        found = {}  # what nobody uses is left out, and belongs to all again
        for bucket in own.keys() | {b for usages in (*others, *gone) for b in usages}:
            usage = own.get(bucket, Usage(0.0, 0.0, now)).at_time(now)
            if usage.is_nothing and all(usages[bucket].is_nothing for usages in (*others, *gone) if bucket in usages):
                continue
            held = sum(u[bucket].granted_usd if bucket in u else self._part(bucket[0]) for u in others)
            held += sum(usages[bucket].used_usd for usages in gone if bucket in usages)
            left = max(self._budget_usd.get(bucket[0], 0.0) - held - usage.used_usd, 0.0)
            found[bucket] = msgspec.structs.replace(usage, granted_usd=usage.used_usd + left / self._sharers)
        self._write(found, now)
        return self._marked

    def adopt(self, shared: Mapping[Bucket, Usage], *, is_first: bool = False) -> None:
        """Go on with what was granted; at the first look, with one's own use before the restart, too."""
        now = self._wall()
        own = {}
        for bucket, usage in shared.items():
            granted = usage.at_time(now)
            used = granted if is_first or bucket not in self._own else self._own[bucket].at_time(now)
            own[bucket] = msgspec.structs.replace(used, granted_usd=granted.granted_usd)
        new = {b: usage for b, usage in self._own.items() if b not in own and not usage.at_time(now).is_nothing}
        self._own = own | new

    def _read(self, now: float) -> dict[int, dict[Bucket, Usage]]:
        """The marks of every worker, one's own among them, as of now."""
        found: dict[int, dict[Bucket, Usage]] = {}
        for mark, content in self._marks.all().items():
            profile, _, number = mark.rpartition(AT)
            if profile in self._budget_usd and number.isdecimal():
                usages = found.setdefault(int(number), {})
                usages |= {(profile, key): usage.at_time(now) for key, usage in usages_of(content).items()}
        return found

    def _write(self, found: dict[Bucket, Usage], now: float) -> None:
        """Mark the buckets of every profile in which something has changed but by fading."""
        for profile, budget in self._budget_usd.items():
            new = {b: usage for b, usage in found.items() if b[0] == profile}
            old = {b: usage.at_time(now) for b, usage in self._marked.items() if b[0] == profile}
            if new.keys() == old.keys() and all(_are_close(new[b], old[b], STEP * budget) for b in new):
                continue
            keys = {key: [usage.used_usd, usage.granted_usd, usage.at] for (_, key), usage in new.items()}
            self._marks.put(f"{profile}{AT}{self._place.number}", {"keys": keys})
            self._marked = {b: usage for b, usage in self._marked.items() if b[0] != profile} | new


def _are_close(one: Usage, other: Usage, by_usd: float) -> bool:
    return abs(one.used_usd - other.used_usd) <= FORGOTTEN_USD and abs(one.granted_usd - other.granted_usd) <= by_usd


def usages_of(mark: Mapping[str, Any]) -> dict[str, Usage]:
    """What a mark says of every key; what is damaged counts as nothing."""
    keys = mark.get("keys")
    if not isinstance(keys, dict):
        return {}
    return {key: Usage(*found) for key, found in keys.items() if _is_usage(found)}


def _is_usage(found: object) -> bool:
    return (
        isinstance(found, list)
        and len(found) == 3
        and all(isinstance(figure, int | float) and math.isfinite(figure) for figure in found)
    )
