"""The circuit breaker of one candidate: who keeps failing is left alone for a while, then tried with one call.

Pure: a breaker is a value, `step` makes the next one. Times are monotonic seconds given by the caller; a clock that
jumps at worst lets one probe through early. A call's result counts only in the epoch in which it started, so that
what was under way when the breaker opened neither closes it nor fails the probe. Every request makes a breaker anew,
so these are structs: a named tuple takes three times as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import msgspec
from msgspec.structs import replace

Status = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class Rules:
    """When a breaker opens and for how long.

    It opens after `failures_in_a_row`, after a failed share of `failed_share` of at least `least_calls` within the
    last `window_s` (counted in halves: between half of it and all), or when the provider itself asks for a pause.
    Pauses double from `first_pause_s` to `longest_pause_s` and are lengthened by up to `jitter` of themselves. A
    provider's Retry-After is kept up to `longest_retry_after_s`. While a probe has not reported back after `probe_s`,
    as where a whole answer takes long, another one is let through.
    """

    failures_in_a_row: int = 5
    failed_share: float = 0.5
    least_calls: int = 20
    window_s: float = 60.0
    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0
    longest_retry_after_s: float = 300.0
    jitter: float = 0.2
    probe_s: float = 30.0


class Started(msgspec.Struct, frozen=True):
    """A call is about to go out; only sent where `admits` is true."""


class Spoke(msgspec.Struct, frozen=True):
    """The call that started in `epoch` is being answered: a probe has proved what it was to prove."""

    epoch: int


class Succeeded(msgspec.Struct, frozen=True):
    """The call that started in `epoch` was answered."""

    epoch: int


class Failed(msgspec.Struct, frozen=True):
    """The call that started in `epoch` failed in a way that counts; `retry_after_s` as the provider asked."""

    epoch: int
    retry_after_s: float | None = None


class Abandoned(msgspec.Struct, frozen=True):
    """The call that started in `epoch` ended without saying anything about the candidate (the client left)."""

    epoch: int


class Told(msgspec.Struct, frozen=True):
    """The provider has asked another worker to leave the candidate alone for `pause_s` from now."""

    pause_s: float


Event = Started | Spoke | Succeeded | Failed | Abandoned | Told
STARTED = Started()
ANSWERS, NO_VERDICTS = (Spoke, Succeeded), (Abandoned, Spoke)
"""What proves that the candidate answers; what a closed breaker does not count."""


class Breaker(msgspec.Struct, frozen=True):
    """The state of one candidate; `Breaker("name")` is a fresh one, closed.

    `since` is when it opened, or the probe went out; `pause_s` how long it stays open; `openings` how often it opened
    since it last answered. `calls` and `failures` are those of the current and of the previous half window. Half-open,
    `first_probe` is the epoch of the first probe since it opened: an answer to an earlier one counts as well.
    """

    name: str
    status: Status = "closed"
    epoch: int = 0
    in_a_row: int = 0
    openings: int = 0
    since: float = 0.0
    pause_s: float = 0.0
    half_since: float = 0.0
    calls: tuple[int, int] = (0, 0)
    failures: tuple[int, int] = (0, 0)
    first_probe: int = 0

    def admits(self, now: float, rules: Rules) -> bool:
        """Whether a call may go out now: any while closed, one probe after the pause."""
        if self.status == "closed":
            return True
        return self.wait_s(now, rules) <= 0.0

    def wait_s(self, now: float, rules: Rules) -> float:
        """Seconds until a call may go out, 0 where it may now: the Retry-After for those who are turned away."""
        if self.status == "closed":
            return 0.0
        span = self.pause_s if self.status == "open" else rules.probe_s
        until = self.since + span
        return until - now if self.since <= now < until else 0.0  # a clock that went back has waited enough


def step(breaker: Breaker, event: Event, now: float, rules: Rules) -> Breaker:
    """The breaker after the event; the same object where nothing changes.

    After `Started` the result's `epoch` is the call's: hand it back with how the call ended. A call that goes out
    though it is not admitted (a last resort) is no event.
    """
    if isinstance(event, Started):
        return _started(breaker, now, rules)
    if isinstance(event, Told):
        pause_s = min(event.pause_s, rules.longest_retry_after_s)
        return _opened(breaker, now, pause_s) if breaker.status == "closed" and pause_s > 0.0 else breaker
    if breaker.status == "open":
        return breaker
    is_answer = isinstance(event, ANSWERS)
    if event.epoch != breaker.epoch and not (is_answer and _is_probe(breaker, event.epoch)):
        return breaker
    if breaker.status == "half_open":
        return _probed(breaker, event, now, rules)
    return breaker if isinstance(event, NO_VERDICTS) else _counted(breaker, event, now, rules)


def _started(breaker: Breaker, now: float, rules: Rules) -> Breaker:
    """The breaker while the call is under way that was let through."""
    if breaker.status == "closed" or not breaker.admits(now, rules):
        return breaker
    epoch = breaker.epoch + 1
    first = epoch if breaker.status == "open" else breaker.first_probe
    return replace(breaker, status="half_open", epoch=epoch, since=now, first_probe=first)


def _is_probe(breaker: Breaker, epoch: int) -> bool:
    """Whether a call that started in this epoch is one of the probes since the breaker opened."""
    return breaker.status == "half_open" and breaker.first_probe <= epoch <= breaker.epoch


def _probed(breaker: Breaker, event: Spoke | Succeeded | Failed | Abandoned, now: float, rules: Rules) -> Breaker:
    """A half-open breaker after its probe: closed, open for longer, or ready for the next probe."""
    if isinstance(event, ANSWERS):
        return Breaker(breaker.name, epoch=breaker.epoch + 1, half_since=now)
    if isinstance(event, Failed):
        return _opened(breaker, now, max(_pause_s(breaker, rules), _asked_s(event, rules)))
    breaker = replace(breaker, openings=breaker.openings - 1)
    return _opened(breaker, now, 0.0)  # the next call is the probe


def _counted(breaker: Breaker, event: Succeeded | Failed, now: float, rules: Rules) -> Breaker:
    """A closed breaker with one more call, open if that is one failure too many."""
    failed = int(isinstance(event, Failed))
    half_since, (calls, calls_before), (failures, failures_before) = _window(breaker, now, rules)
    breaker = Breaker(
        breaker.name,
        epoch=breaker.epoch,
        in_a_row=breaker.in_a_row + 1 if failed else 0,
        half_since=half_since,
        calls=(calls + 1, calls_before),
        failures=(failures + failed, failures_before),
    )
    if not isinstance(event, Failed):
        return breaker
    seen, bad = sum(breaker.calls), sum(breaker.failures)
    too_often = seen >= rules.least_calls and bad >= rules.failed_share * seen
    if too_often or breaker.in_a_row >= rules.failures_in_a_row:
        return _opened(breaker, now, max(_pause_s(breaker, rules), _asked_s(event, rules)))
    asked = _asked_s(event, rules)
    return _opened(breaker, now, asked) if asked > 0.0 else breaker


def _window(breaker: Breaker, now: float, rules: Rules) -> tuple[float, tuple[int, int], tuple[int, int]]:
    """Where the current half window began, and the calls and failures of it and of the one before."""
    half, elapsed = rules.window_s / 2.0, now - breaker.half_since
    if 0.0 <= elapsed < half:
        return breaker.half_since, breaker.calls, breaker.failures
    if half <= elapsed < 2.0 * half:
        return breaker.half_since + half, (0, breaker.calls[0]), (0, breaker.failures[0])
    return now, (0, 0), (0, 0)


def _opened(breaker: Breaker, now: float, pause_s: float) -> Breaker:
    return Breaker(
        breaker.name,
        status="open",
        epoch=breaker.epoch + 1,
        openings=breaker.openings + 1,
        since=now,
        pause_s=pause_s,
    )


def _pause_s(breaker: Breaker, rules: Rules) -> float:
    """The next pause; its jitter follows from name and count: it can be foretold, yet candidates differ."""
    pause = min(rules.first_pause_s * 2.0 ** min(breaker.openings, 64), rules.longest_pause_s)
    drawn = blake2b(f"{breaker.name} {breaker.openings}".encode(), digest_size=4).digest()
    return pause * (1.0 + rules.jitter * int.from_bytes(drawn) / 2**32)


def _asked_s(event: Failed, rules: Rules) -> float:
    asked = event.retry_after_s
    return min(asked, rules.longest_retry_after_s) if asked is not None and asked > 0.0 else 0.0
