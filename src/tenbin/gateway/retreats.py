"""Which profiles keep their SLA, and which have retreated to their reference until somebody says otherwise."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tenbin.errors import StoreError
from tenbin.gateway.retreat import (
    Others,
    Promise,
    Retreat,
    Watch,
    emptied,
    finished,
    labelled,
    restored,
    resumed,
    spent_today,
    watched,
)
from tenbin.gateway.seen import SEEN, Since, Told, WorkersSeen
from tenbin.gateway.snapshot import ServedProfile
from tenbin.store.marks import Marks
from tenbin.store.place import Place

EXCUSES, RESUMED = "excuses", "resumed"


@dataclass(frozen=True, slots=True)
class Marked:
    """What the store says of profiles: their retreats, the day whose overspending was last waved through, when somebody
    last said to go on (Unix seconds), and what other workers have seen since. `looked_at`: as of when (monotonic).
    """

    retreats: Mapping[str, Retreat]
    excused: Mapping[str, int]
    resumed: Mapping[str, float] = field(default_factory=dict)
    others: Mapping[str, Told] = field(default_factory=dict)
    looked_at: float = field(default_factory=time.monotonic)


class Retreats:
    """One watch per profile; a change of what is promised begins a new one, a reload of the same keeps it.

    A retreat is marked in the store, so that it holds for all workers and after a restart, until somebody resumes; so
    is the day whose overspending somebody has waved through. Workers tell each other what they have seen, and one that
    is restarted goes on with it. Belongs to the event loop, but for `marked`.
    """

    def __init__(self, store: Path, place: Place, workers: int) -> None:
        self._marks = Marks(store)
        self._excuses = Marks(store, EXCUSES)
        self._resumes = Marks(store, RESUMED)
        self._seen = WorkersSeen(Marks(store, SEEN), place)
        self._workers = workers
        self._resumed_at: dict[str, float] = {}
        self._changed_at: dict[str, float] = {}
        self._watches: dict[str, Watch] = {}
        self._unmarked: set[str] = set()
        self.log = logging.getLogger("tenbin.gateway.sla")

    def watch(self, profiles: Mapping[str, ServedProfile]) -> None:
        """Watch these profiles, and no others; who has retreated stays so, whatever is promised now."""
        found = {}
        for name, served in profiles.items():
            promise, old = promise_of(served), self._watches.get(name)
            if old is None or old.promise != promise:
                found[name] = replace(watched(promise, self._workers), retreat=None if old is None else old.retreat)
            else:
                found[name] = old
        self._watches = found

    def of(self, profile: str) -> Retreat | None:
        """Why a profile serves only its reference, None while all is well."""
        watch = self._watches.get(profile)
        return None if watch is None else watch.retreat

    def labelled(self, profile: str, quality: float, decided_at: float) -> None:
        """Somebody said how good an answer was that was decided at that moment (Unix seconds).

        Verdicts come late: one on an answer from before somebody last said to go on is of what was looked into then.
        """
        now = time.time()
        if not decided_at < self._resumed_at.get(profile, 0.0) <= now:  # later than now: the clock was set back
            self._step(profile, lambda watch: labelled(watch, quality, now))

    def finished(self, profile: str, *, answered: bool) -> None:
        """A request was answered, or failed through no fault of the client."""
        self._step(profile, lambda watch: finished(watch, answered, time.time()))

    def spent_today(self, profile: str, total_usd: float, at: float) -> None:
        """What the ledger knew at that moment (Unix seconds) of its day's dollars."""
        self._step(profile, lambda watch: spent_today(watch, total_usd, at))

    def promises_spend(self) -> list[str]:
        """The profiles whose dollars are watched."""
        return [name for name, watch in self._watches.items() if watch.promise.max_spend_usd is not None]

    def resume(self, profile: str) -> float:
        """Route again, at every worker: the moment that is marked for it (Unix seconds).

        StoreError where the store cannot say so to the other workers.
        """
        self.adopt(self.marked())  # it may be another worker that retreated
        now = time.time()
        if (watch := self._watches.get(profile)) is not None:
            excused = resumed(watch, now).excused_day
            if excused is not None:
                self._excuses.put(profile, {"day": excused})
        self._resumes.put(profile, {"at": now})
        self._marks.take(profile)
        self._unmarked.discard(profile)
        self._step(profile, lambda watch: emptied(resumed(watch, now)))
        self._resumed_at[profile] = now  # after the windows: `marked` reads them in the other order
        self._changed_at[profile] = time.monotonic()
        self.log.warning("profile %s routes again", profile)
        return now

    def marked(self) -> Marked:
        """What is marked in the store, once what was seen here is. Blocks: call it in a thread. Errors: StoreError."""
        looked_at = time.monotonic()
        times = {name: mark.get("at") for name, mark in self._resumes.all().items()}
        resumed_at = {name: float(at) for name, at in times.items() if isinstance(at, int | float)}
        known = resumed_at if self._seen.is_first else self._resumed_at  # what was marked before a restart began then
        since = {name: since_of(known.get(name), watch.promise) for name, watch in dict(self._watches).items()}
        watches = {name: watch for name, watch in dict(self._watches).items() if name in since}
        others = self._seen.share(since, watches)
        days = {name: mark.get("day") for name, mark in self._excuses.all().items()}
        return Marked(
            retreats={name: retreat_of(mark) for name, mark in self._marks.all().items()},
            excused={name: day for name, day in days.items() if isinstance(day, int)},
            resumed=resumed_at,
            others=others,
            looked_at=looked_at,
        )

    def adopt(self, marked: Marked) -> None:
        """Retreat and resume as the store says, whichever worker it was that wrote; and know what the others saw."""
        for name, watch in list(self._watches.items()):
            if marked.looked_at < self._changed_at.get(name, 0.0):
                continue  # it was read while this worker retreated or resumed; the next look knows of that
            self._watches[name] = replace(watch, excused_day=marked.excused.get(name, watch.excused_day))
            self._follow(name, marked.retreats.get(name))
            # Another moment, not a later one: the clock may have been set back.
            if (at := marked.resumed.get(name)) is not None and at != self._resumed_at.get(name):
                self._watches[name] = emptied(self._watches[name])
                self._resumed_at[name] = at
            told = marked.others.get(name)
            if told is None or told.since != since_of(self._resumed_at.get(name), watch.promise):
                told = Told((0.0, None, None), Others())
            self._watches[name] = restored(replace(self._watches[name], others=told.others), told.before)

    def _follow(self, name: str, retreat: Retreat | None) -> None:
        """Be in retreat or not, as marked."""
        watch = self._watches[name]
        if retreat is not None:
            if watch.retreat is None:
                self._watches[name] = replace(watch, retreat=retreat)
                self.log.error("profile %s serves %s: %s", name, haven(retreat), retreat.sentence)
        elif watch.retreat is not None and name not in self._unmarked:
            self._watches[name] = resumed(watch, time.time())
            self.log.warning("profile %s routes again", name)

    def states(self) -> Mapping[str, Retreat | None]:
        """Every profile's retreat."""
        return {name: watch.retreat for name, watch in self._watches.items()}

    def _step(self, profile: str, change: Callable[[Watch], Watch]) -> None:
        before = self._watches.get(profile)
        if before is None:
            return
        after = self._watches[profile] = change(before)
        if after.retreat is not None and before.retreat is None:
            self.log.error("profile %s retreats to %s: %s", profile, haven(after.retreat), after.retreat.sentence)
            self._mark(profile, after.retreat)
            self._changed_at[profile] = time.monotonic()

    def _mark(self, profile: str, retreat: Retreat) -> None:
        """Write the retreat down; where that fails it holds here alone, and the log says so."""
        try:
            self._marks.put(profile, asdict(retreat))
            self._unmarked.discard(profile)
        except StoreError as error:
            self._unmarked.add(profile)
            self.log.error("the retreat of profile %s holds for this worker only: %s", profile, error)


def since_of(resumed_at: float | None, promise: Promise) -> Since:
    """When windows of a promise began."""
    return resumed_at or 0.0, promise.min_quality, promise.availability


def haven(retreat: Retreat) -> str:
    """Who answers first in a retreat: where money ran out the reference may be the dearest of all."""
    return "its named safe default, or else its cheapest candidate" if retreat.reason == "spend" else "its reference"


def retreat_of(mark: Mapping[str, Any]) -> Retreat:
    """The retreat of a mark; what a damaged one does not say is said so."""
    reason, sentence, since = mark.get("reason"), mark.get("sentence"), mark.get("since")
    return Retreat(
        reason=reason if reason in ("quality", "availability", "spend") else "quality",
        sentence=sentence if isinstance(sentence, str) else "its reason is not readable any more",
        since=float(since) if isinstance(since, int | float) else 0.0,
    )


def promise_of(served: ServedProfile) -> Promise:
    """What a profile's SLA promises, its quality as a mean."""
    sla = served.profile.sla
    quality = None if sla.min_quality is None else min(sla.min_quality * served.reference_quality, 1.0)
    return Promise(quality, sla.availability, sla.max_spend_usd)
