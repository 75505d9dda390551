"""Which keys' decisions are dear more often than traffic like the training prompts allows, profile by profile."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from tenbin.gateway.dear_key import DearKey
from tenbin.gateway.snapshot import ServedProfile
from tenbin.gateway.stranger_budgets import NOBODY, Bucket
from tenbin.router.dearness import DearCurve, is_dear
from tenbin.router.weighing import Weighed
from tenbin.telemetry.metrics import Metrics

MOST_KEYS = 10_000
"""Of more keys (in profiles) than this, the one known longest is forgotten."""


@dataclass(frozen=True, slots=True)
class _Flag:
    """Since when a key is flagged (Unix seconds), and the largest share of dear decisions that was expected then."""

    since: float
    limit: float


class DearKeys:
    """The keys of one worker under watch; those who call without a key are one. Belongs to the event loop.

    A flag is an alarm: it changes no decision, for hard questions of an honest key look the same. A restart begins
    with no flag and no evidence.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._keys: dict[Bucket, DearKey] = {}
        self._flags: dict[Bucket, _Flag] = {}
        self.log = logging.getLogger("tenbin.gateway.dear")

    def decided(self, served: ServedProfile, key_id: str | None, mu: float, weighed: Weighed) -> None:
        """The dial of a profile has decided a request of a key."""
        bucket = (served.profile.name, key_id or NOBODY)
        key = self._keys.get(bucket)
        if key is None:
            if len(self._keys) >= MOST_KEYS:
                self._forget(next(iter(self._keys)))
            key = self._keys[bucket] = DearKey()
        curve, cost = served.dear_curve, weighed.cost_usd
        place = curve.place(mu)
        dear = is_dear(cost.item(_dials_choice(served, weighed)), cost.item(served.reference))
        if key.decided(dear, curve.limit[place]):
            self._tell(bucket, key, curve, place)

    def release(self, profile: str) -> None:
        """Watch the keys of a profile afresh: somebody has looked into it."""
        for bucket in [bucket for bucket in self._keys if bucket[0] == profile]:
            self._forget(bucket)

    def counts(self, profiles: Iterable[str]) -> dict[str, int]:
        """How many keys of each of these profiles are flagged."""
        found = Counter(profile for profile, _ in self._flags)
        return {profile: found[profile] for profile in profiles}

    def states(self, profiles: Iterable[str]) -> dict[str, dict[str, dict[str, Any]]]:
        """The flagged keys of each of these profiles, by their ids (empty: those who call without one)."""
        found: dict[str, dict[str, dict[str, Any]]] = {profile: {} for profile in profiles}
        for (profile, key_id), flag in self._flags.items():
            if profile in found:
                found[profile][key_id] = {**asdict(flag), "share": self._keys[profile, key_id].share}
        return found

    def _forget(self, bucket: Bucket) -> None:
        del self._keys[bucket]
        self._flags.pop(bucket, None)

    def _tell(self, bucket: Bucket, key: DearKey, curve: DearCurve, place: int) -> None:
        profile, key_id = bucket
        who = key_id or "callers without a key"
        latest = f"{key.share:.0%} of its latest decisions in profile {profile} are dear"
        if not key.is_flagged:
            del self._flags[bucket]
            self.log.warning("%s no longer flagged: %s", who, latest)
            return
        self._flags[bucket] = _Flag(time.time(), curve.limit[place])
        self._metrics.flagged_key(profile=profile)
        usual = f"{curve.share[place]:.0%} of the training prompts' were, at most {curve.limit[place]:.0%} is expected"
        self.log.error("%s flagged: %s; %s", who, latest, usual)


def _dials_choice(served: ServedProfile, weighed: Weighed) -> int:
    """What the dial makes of a text, whatever else narrows the choice: a key's models, needs, ceilings, windows."""
    if weighed.barred == served.barred:
        return weighed.ranking[0]
    best, loss = weighed.ranking[0], weighed.loss.tolist()
    for m, bar in enumerate(served.barred):
        if bar is None and loss[m] < loss[best]:  # NaN is not
            best = m
    return best
