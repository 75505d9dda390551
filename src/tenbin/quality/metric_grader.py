"""Grades by a metric behind the door: whatever it does, the run goes on and the grade says what it was."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
from numbers import Real
from threading import Thread

from tenbin.errors import TenbinError
from tenbin.protocols import QualityMetric
from tenbin.quality.grade import Answered, Grade
from tenbin.quality.shown import shown

PATIENCE_S = 600.0
"""Longer than anybody waits for one grade."""
MOST_AT_ONCE = 8
"""Of what computes here, however many processors the machine names: a container may have a share of them only."""


class MetricGrader:
    """Free of charge; `name` identifies metric and settings (default: the metric's own name).

    A metric that raises, or returns what is no quality, gives the grade None with a note: never a zero. It runs in a
    thread of its own, so that one that computes or waits holds up no call and no disk; one that has not ended after
    `patience_s` cannot tell, and is left behind. `at_once` bounds how many it grades side by side (None: all).
    """

    needs_rival = False

    def __init__(
        self,
        metric: QualityMetric,
        name: str | None = None,
        patience_s: float = PATIENCE_S,
        at_once: int | None = None,
    ) -> None:
        self.name = metric.name if name is None else name
        self.patience_s = patience_s
        self._metric = metric
        self._turns = None if at_once is None else asyncio.Semaphore(at_once)

    def reserve_usd(self, answered: Answered) -> float:  # noqa: ARG002 (free whatever it is)
        """Nothing."""
        return 0.0

    async def grade(self, answered: Answered) -> Grade:
        """The metric's score, or None and why."""
        async with self._turns or contextlib.nullcontext():
            return await self._graded(answered)

    async def _graded(self, answered: Answered) -> Grade:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Grade] = loop.create_future()

        def tell(grade: Grade) -> None:
            if not done.done():
                done.set_result(grade)

        def work() -> None:
            grade = self._grade(answered)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(tell, grade)

        # A daemon, since nothing ends a thread: the process must not wait for it either.
        Thread(target=work, name=f"metric {self.name}", daemon=True).start()
        try:
            async with asyncio.timeout(self.patience_s):
                return await done
        except TimeoutError:
            return Grade(None, self.name, f"{self.name} did not end within {self.patience_s:g} s")

    def _grade(self, answered: Answered) -> Grade:
        try:
            score = self._metric.score(answered.prompt, answered.answer, answered.reference)
        except TenbinError as error:
            return Grade(None, self.name, shown(f"{self.name}: {error}"))
        except BaseException as error:  # whatever other people's code does ends here, in a note
            return Grade(None, self.name, shown(f"{self.name} raised {type(error).__name__}: {error}"))
        if score is None:
            why = ": the prompt has no reference" if answered.reference is None else ""
            return Grade(None, self.name, f"{self.name} cannot tell{why}")
        if not isinstance(score, Real) or not math.isfinite(score) or not 0.0 <= score <= 1.0:
            return Grade(None, self.name, shown(f"{self.name} returned {score!r}, which is no quality from 0 to 1"))
        return Grade(float(score), self.name, "" if answered.answer.strip() else "the answer is empty")


def computing_at_once() -> int:
    """How many metrics that compute may do so side by side: more only wait for each other, and run out of time."""
    return min(os.cpu_count() or 1, MOST_AT_ONCE)
