"""Which profiles keep their SLA, and which have retreated to their reference until somebody says otherwise."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from tenbin.errors import StoreError
from tenbin.gateway.retreat import Promise, Retreat, Watch, finished, labelled, resumed, spent_today
from tenbin.gateway.snapshot import ServedProfile
from tenbin.store.marks import Marks

EXCUSES = "excuses"


@dataclass(frozen=True, slots=True)
class Marked:
    """What the store says of profiles: their retreats, and the day whose overspending was last waved through."""

    retreats: Mapping[str, Retreat]
    excused: Mapping[str, int]


class Retreats:
    """One watch per profile; a change of what is promised begins a new one, a reload of the same keeps it.

    A retreat is marked in the store, so that it holds for all workers and after a restart, until somebody resumes; so
    is the day whose overspending somebody has waved through. Belongs to the event loop, but for `marked`.
    """

    def __init__(self, marks: Marks, excuses: Marks) -> None:
        self._marks = marks
        self._excuses = excuses
        self._watches: dict[str, Watch] = {}
        self._unmarked: set[str] = set()
        self.log = logging.getLogger("tenbin.gateway.sla")

    def watch(self, profiles: Mapping[str, ServedProfile]) -> None:
        """Watch these profiles, and no others."""
        promises = {name: promise_of(served) for name, served in profiles.items()}
        self._watches = {
            name: old if (old := self._watches.get(name)) is not None and old.promise == promise else Watch(promise)
            for name, promise in promises.items()
        }

    def of(self, profile: str) -> Retreat | None:
        """Why a profile serves only its reference, None while all is well."""
        watch = self._watches.get(profile)
        return None if watch is None else watch.retreat

    def labelled(self, profile: str, quality: float) -> None:
        """Somebody said how good an answer was."""
        self._step(profile, lambda watch: labelled(watch, quality, time.time()))

    def finished(self, profile: str, *, answered: bool) -> None:
        """A request was answered, or failed through no fault of the client."""
        self._step(profile, lambda watch: finished(watch, answered, time.time()))

    def spent_today(self, profile: str, total_usd: float, at: float) -> None:
        """What the ledger knew at that moment (Unix seconds) of its day's dollars."""
        self._step(profile, lambda watch: spent_today(watch, total_usd, at))

    def promises_spend(self) -> list[str]:
        """The profiles whose dollars are watched."""
        return [name for name, watch in self._watches.items() if watch.promise.max_spend_usd is not None]

    def resume(self, profile: str) -> None:
        """Route again; StoreError where the store cannot say so to the other workers."""
        self.adopt(self.marked())  # it may be another worker that retreated
        now = time.time()
        if (watch := self._watches.get(profile)) is not None:
            excused = resumed(watch, now).excused_day
            if excused is not None:
                self._excuses.put(profile, {"day": excused})
        self._marks.take(profile)
        self._unmarked.discard(profile)
        self._step(profile, lambda watch: resumed(watch, now))
        self.log.warning("profile %s routes again", profile)

    def marked(self) -> Marked:
        """What is marked in the store. Blocks: call it in a thread. Errors: StoreError."""
        days = {name: mark.get("day") for name, mark in self._excuses.all().items()}
        return Marked(
            retreats={name: retreat_of(mark) for name, mark in self._marks.all().items()},
            excused={name: day for name, day in days.items() if isinstance(day, int)},
        )

    def adopt(self, marked: Marked) -> None:
        """Retreat and resume as the store says, whichever worker it was that wrote."""
        for name, known in list(self._watches.items()):
            watch = self._watches[name] = replace(known, excused_day=marked.excused.get(name, known.excused_day))
            if (retreat := marked.retreats.get(name)) is not None:
                if watch.retreat is None:
                    self._watches[name] = replace(watch, retreat=retreat)
                    self.log.error("profile %s serves its reference: %s", name, retreat.sentence)
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
            self.log.error("profile %s retreats to its reference: %s", profile, after.retreat.sentence)
            self._mark(profile, after.retreat)

    def _mark(self, profile: str, retreat: Retreat) -> None:
        """Write the retreat down; where that fails it holds here alone, and the log says so."""
        try:
            self._marks.put(profile, asdict(retreat))
            self._unmarked.discard(profile)
        except StoreError as error:
            self._unmarked.add(profile)
            self.log.error("the retreat of profile %s holds for this worker only: %s", profile, error)


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
