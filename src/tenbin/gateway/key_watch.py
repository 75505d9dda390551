"""What every key's requests are watched for: decisions dear too often, and a subject that training lacked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tenbin.gateway.snapshot import ServedProfile
from tenbin.gateway.watched_keys import Sign, WatchedKeys
from tenbin.router.dearness import is_dear
from tenbin.router.new_subject import LIMIT, NEW
from tenbin.router.weighing import Weighed
from tenbin.telemetry.metrics import Metrics

DEAR = Sign("dear", "decisions", now="are dear", usual="training prompts' were")
NEW_SUBJECT = Sign("new_subject", "prompts", now="bring new words", usual="training prompts did")


class KeyWatch:
    """The keys of one worker under watch, profile by profile. Belongs to the event loop.

    That a key is dear is an alarm and changes no decision, for hard questions of an honest key look the same. That it
    asks about a new subject sends its prompts to the reference while its stranger budget lasts.
    """

    def __init__(self, metrics: Metrics) -> None:
        self.dear = WatchedKeys(DEAR, metrics)
        self.new_subject = WatchedKeys(NEW_SUBJECT, metrics)
        self._resumed_at: Mapping[str, float] | None = None

    def weighed(self, served: ServedProfile, key_id: str | None, weighed: Weighed) -> None:
        """A request of a key was weighed, whoever is to answer it."""
        if weighed.is_new is not None:
            self.new_subject.met(served.profile.name, key_id, weighed.is_new, NEW, LIMIT)

    def decided(self, served: ServedProfile, key_id: str | None, mu: float, weighed: Weighed) -> None:
        """The dial of a profile has decided a request of a key."""
        curve, cost = served.dear_curve, weighed.cost_usd
        place = curve.place(mu)
        dear = is_dear(cost.item(_dials_choice(served, weighed)), cost.item(served.reference))
        self.dear.met(served.profile.name, key_id, dear, curve.share[place], curve.limit[place])

    def resume(self, profile: str, at: float) -> None:
        """Watch the keys of a profile afresh: somebody has looked into it at that moment (Unix seconds)."""
        self.release(profile)
        self._resumed_at = {**(self._resumed_at or {}), profile: at}

    def adopt(self, resumed_at: Mapping[str, float]) -> None:
        """Watch those afresh that were looked into at any worker since the last look; before the first one nothing was
        seen.
        """
        before, self._resumed_at = self._resumed_at, resumed_at
        if before is None:
            return
        for profile, at in resumed_at.items():
            if at != before.get(profile):
                self.release(profile)

    def release(self, profile: str) -> None:
        """Watch the keys of a profile afresh."""
        for keys in (self.dear, self.new_subject):
            keys.release(profile)

    def counts(self, profiles: Iterable[str]) -> dict[tuple[str, str], int]:
        """How many keys are flagged, by profile and sign."""
        found: dict[tuple[str, str], int] = {}
        for keys in (self.dear, self.new_subject):
            found |= {(profile, keys.sign.name): count for profile, count in keys.counts(profiles).items()}
        return found

    def states(self, profiles: Iterable[str]) -> dict[str, dict[str, dict[str, Any]]]:
        """The flagged keys by profile, sign and their ids (empty: those who call without one)."""
        dear, new = self.dear.states(profiles), self.new_subject.states(profiles)
        return {profile: {DEAR.name: dear[profile], NEW_SUBJECT.name: new[profile]} for profile in dear}


def _dials_choice(served: ServedProfile, weighed: Weighed) -> int:
    """What the dial makes of a text, whatever else narrows the choice: a key's models, needs, ceilings, windows."""
    if weighed.barred == served.barred:
        return weighed.ranking[0]
    best, loss = weighed.ranking[0], weighed.loss.tolist()
    for m, bar in enumerate(served.barred):
        if bar is None and loss[m] < loss[best]:  # NaN is not
            best = m
    return best
