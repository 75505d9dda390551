"""Which profiles keep their SLA, and which have retreated to their reference until somebody says otherwise."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from tenbin.gateway.retreat import Promise, Retreat, Watch, finished, labelled, resumed, spent_today
from tenbin.gateway.snapshot import ServedProfile


class Retreats:
    """One watch per profile; a change of what is promised begins a new one, a reload of the same keeps it."""

    def __init__(self) -> None:
        self._watches: dict[str, Watch] = {}
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

    def spent_today(self, profile: str, total_usd: float) -> None:
        """What the ledger knows of today's dollars."""
        self._step(profile, lambda watch: spent_today(watch, total_usd, time.time()))

    def promises_spend(self) -> list[str]:
        """The profiles whose dollars are watched."""
        return [name for name, watch in self._watches.items() if watch.promise.max_spend_usd is not None]

    def resume(self, profile: str) -> None:
        """Route again."""
        self._step(profile, lambda watch: resumed(watch, time.time()))
        self.log.warning("profile %s routes again", profile)

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


def promise_of(served: ServedProfile) -> Promise:
    """What a profile's SLA promises, its quality as a mean."""
    sla = served.profile.sla
    quality = None if sla.min_quality is None else min(sla.min_quality * served.reference_quality, 1.0)
    return Promise(quality, sla.availability, sla.max_spend_usd)
