"""In which keys' requests something happens more often than traffic like the training prompts allows, by profile."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from tenbin.gateway.stranger_budgets import NOBODY, Bucket
from tenbin.router.excess import Excess
from tenbin.telemetry.metrics import KeySign, Metrics

MOST_KEYS = 10_000
"""Of more keys (in profiles) than this, the one known longest is forgotten."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What is watched: its `name` in metrics and, in words, of `what` it is seen, what it is `now` and was `usual`."""

    name: KeySign
    what: str
    now: str
    usual: str


@dataclass(frozen=True, slots=True)
class _Flag:
    """Since when a key is flagged (Unix seconds), and the largest share that was expected then."""

    since: float
    limit: float


class WatchedKeys:
    """The keys of one worker, watched for one sign; those who call without a key are one. Belongs to the event loop.

    A restart begins with no flag and no evidence.
    """

    def __init__(self, sign: Sign, metrics: Metrics) -> None:
        self.sign = sign
        self._metrics = metrics
        self._keys: dict[Bucket, Excess] = {}
        self._flags: dict[Bucket, _Flag] = {}
        self.log = logging.getLogger("tenbin.gateway.keys")

    def met(self, profile: str, key_id: str | None, happened: bool, usual: float, limit: float) -> None:
        """A request of a key has the sign or not; `usual` is its share in training, `limit` the largest expected."""
        bucket = (profile, key_id or NOBODY)
        key = self._keys.get(bucket)
        if key is None:
            if len(self._keys) >= MOST_KEYS:
                self._forget(next(iter(self._keys)))
            key = self._keys[bucket] = Excess()
        if key.met(happened, limit):
            self._tell(bucket, key, usual, limit)

    def has(self, profile: str, key_id: str | None) -> bool:
        """Whether a key is flagged."""
        return (profile, key_id or NOBODY) in self._flags

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

    def _tell(self, bucket: Bucket, key: Excess, usual: float, limit: float) -> None:
        profile, key_id = bucket
        who = key_id or "callers without a key"
        latest = f"{key.share:.0%} of its latest {self.sign.what} in profile {profile} {self.sign.now}"
        if not key.is_flagged:
            del self._flags[bucket]
            self.log.warning("%s no longer flagged: %s", who, latest)
            return
        self._flags[bucket] = _Flag(time.time(), limit)
        self._metrics.flagged_key(profile=profile, sign=self.sign.name)
        expected = f"{usual:.0%} of the {self.sign.usual}, at most {limit:.0%} is expected"
        self.log.error("%s flagged: %s; %s", who, latest, expected)
