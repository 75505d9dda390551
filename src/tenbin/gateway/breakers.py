"""The breakers of all candidates, on the clock."""

from __future__ import annotations

import time
from collections.abc import Mapping

from tenbin.gateway.breaker import (
    STARTED,
    Abandoned,
    Breaker,
    Event,
    Failed,
    Rules,
    Spoke,
    Status,
    Succeeded,
    Told,
    step,
)


class Breakers:
    """One breaker per candidate, made when first asked for."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self._breakers: dict[str, Breaker] = {}
        self._asked_until: dict[str, float] = {}

    def admits(self, name: str) -> bool:
        """Whether a call to this candidate may go out now."""
        breaker = self._breakers.get(name)
        if breaker is None or breaker.status == "closed":
            return True
        return breaker.admits(time.monotonic(), self.rules)

    def wait_s(self, name: str) -> float:
        """Seconds until a call may go out."""
        breaker = self._breakers.get(name)
        return 0.0 if breaker is None else breaker.wait_s(time.monotonic(), self.rules)

    def start(self, name: str) -> int:
        """A call goes out; its epoch, to be handed back with how it ended."""
        return self._step(name, STARTED).epoch

    def spoke(self, name: str, epoch: int) -> None:
        """The call is being answered."""
        self._step(name, Spoke(epoch))

    def succeeded(self, name: str, epoch: int) -> None:
        """The call was answered."""
        self._step(name, Succeeded(epoch))

    def failed(self, name: str, epoch: int, retry_after_s: float | None) -> None:
        """The call failed through the candidate's fault."""
        self._step(name, Failed(epoch, retry_after_s))
        if retry_after_s is not None and retry_after_s > 0.0:
            self._asked_until[name] = time.time() + min(retry_after_s, self.rules.longest_retry_after_s)

    def asked_until(self) -> Mapping[str, float]:
        """Until when (Unix seconds) candidates have asked to be left alone, where that is not over; for any thread."""
        now = time.time()
        return {name: until for name, until in dict(self._asked_until).items() if until > now}

    def told(self, asked_until: Mapping[str, float]) -> None:
        """What candidates have asked other workers for; beyond what one may ask the clock was set back."""
        now = time.time()
        for name, until in asked_until.items():
            if until - now <= self.rules.longest_retry_after_s:
                self._step(name, Told(until - now))

    def abandoned(self, name: str, epoch: int) -> None:
        """The call ended without saying anything of the candidate."""
        self._step(name, Abandoned(epoch))

    def states(self) -> Mapping[str, Status]:
        """The state of every breaker that was ever needed."""
        return {name: breaker.status for name, breaker in self._breakers.items()}

    def _step(self, name: str, event: Event) -> Breaker:
        before = self._breakers.get(name) or Breaker(name)
        after = self._breakers[name] = step(before, event, time.monotonic(), self.rules)
        return after
