"""When one candidate may be asked again: how many at once, how fast, and how long to leave it alone after a failure."""

from __future__ import annotations

import math
from random import Random

from tenbin.upstream.failure import UpstreamFailure
from tenbin.upstream.pace import Pace

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
LONGEST_ASKED_S = 300.0
"""Who asks to be left alone for longer is set aside: the others are not kept waiting."""
FAILURES_IN_A_ROW = 5
PUSHBACKS_IN_A_ROW = 10
"""Being told to come later is no fault, up to a point."""
FAILURES_WHEN_DOWN = 2
"""Of one whose last calls of the run before all failed: nobody waits for it a second time."""
PUSHBACKS = frozenset({"rate_limited", "overloaded"})
FATAL = frozenset({"unauthorised", "not_found"})
"""What waiting does not mend: the key, the account, the model's name."""


class Gate:
    """Lets the calls of one candidate through.

    As many at once as `most` allows. A failure that speaks against the candidate halves that, a second in a row leaves
    one, and every answer gives a place back. It makes a pause, too: twice as long each time in a row, with jitter, or
    what the provider asks for. Calls that began before the last failure was seen say nothing new when they fail, too.
    `set_aside` is why the candidate is not asked any more, None while it is. `was_down`: it did not answer any more
    when the run before ended, and is set aside sooner until it does.
    """

    def __init__(
        self, most: int, pace: Pace, random: Random, first_pause_s: float = FIRST_PAUSE_S, *, was_down: bool = False
    ) -> None:
        self.pace = pace
        self.in_flight = 0
        self.set_aside: str | None = None
        self.most = most
        self._limit = most
        self._random = random
        self._first_pause_s = first_pause_s
        self._was_down = was_down
        self._failures = 0
        self._pushbacks = 0
        self._paused_until = -math.inf
        self._seen_at = -math.inf

    def free_at(self) -> float:
        """When the next call may begin: infinite where one must end first, or none may begin any more."""
        if self.set_aside is not None or self.in_flight >= max(self._limit, 1):
            return math.inf
        return max(self._paused_until, self.pace.free_at())

    def begin(self, now: float, tokens: float) -> None:
        """A call of about so many tokens begins."""
        self.in_flight += 1
        self.pace.begin(now, tokens)

    def end(self) -> None:
        """A call has ended, however."""
        self.in_flight -= 1

    def succeeded(self) -> None:
        """An answer came, or a failure that does not speak against the candidate."""
        self._failures = self._pushbacks = 0
        self._was_down = False
        self._limit = min(self._limit + 1, self.most)

    def failed(self, failure: UpstreamFailure, began: float, now: float, *, blames: bool = True) -> None:
        """A call that began at `began` has failed; `blames`: it speaks against the candidate, not the prompt."""
        if failure.kind in FATAL:
            self.set_aside = failure.told
            return
        if not blames:
            self.succeeded()
            return
        if began < self._seen_at:
            self._pause(now, failure.retry_after_s or 0.0)
            return
        self._seen_at = now
        is_pushback = failure.kind in PUSHBACKS
        self._pushbacks += is_pushback
        self._failures += not is_pushback
        in_a_row = self._failures + self._pushbacks
        self._limit = max(min(self._limit, self.in_flight + 1) // 2, 1) if in_a_row == 1 else 1
        asked_s = failure.retry_after_s
        if asked_s is not None and asked_s > LONGEST_ASKED_S:
            self.set_aside = f"it asks to be left alone for {asked_s:.0f} s"
        elif self._is_given_up():
            self.set_aside = f"{in_a_row} failures in a row, the last: {failure.told}"
        else:
            longest_s = min(self._first_pause_s * 2.0 ** (in_a_row - 1), LONGEST_PAUSE_S)
            pause_s = self._random.uniform(0.5, 1.0) * longest_s
            self._pause(now, pause_s if asked_s is None else asked_s)

    def _is_given_up(self) -> bool:
        if self._was_down and self._failures + self._pushbacks >= FAILURES_WHEN_DOWN:
            return True
        return self._failures >= FAILURES_IN_A_ROW or self._pushbacks >= PUSHBACKS_IN_A_ROW

    def _pause(self, now: float, pause_s: float) -> None:
        self._paused_until = max(self._paused_until, now + pause_s)
