"""Metrics of others behind the door: one that never ends keeps nobody, not even the process."""

from __future__ import annotations

import asyncio
from itertools import count
from threading import Barrier, BrokenBarrierError, Event

import pytest

from tenbin.quality.grade import Answered
from tenbin.quality.metric_grader import MetricGrader
from tenbin.quality.plugin_metric import FunctionMetric

ANSWERED = Answered("q", "m", "2 + 2?", "4")


def test_a_metric_that_does_not_end_cannot_tell() -> None:
    never = Event()
    grader = MetricGrader(FunctionMetric("slow", lambda *_: float(never.wait())), patience_s=0.05)
    grade = asyncio.run(grader.grade(ANSWERED))
    assert (grade.quality, grade.note) == (None, "slow did not end within 0.05 s")
    never.set()


@pytest.mark.parametrize("raised", [ValueError, SystemExit, KeyboardInterrupt, asyncio.CancelledError])
def test_whatever_a_metric_raises_is_a_note(raised: type[BaseException]) -> None:
    def score(*_: object) -> float:
        raise raised("so")

    grade = asyncio.run(MetricGrader(FunctionMetric("odd", score)).grade(ANSWERED))
    assert (grade.quality, grade.note) == (None, f"odd raised {raised.__name__}: so")


def test_no_more_are_computed_side_by_side_than_the_machine_can() -> None:
    """Of 48 checks of JSON at once on two processors nearly all ran out of their wall time, and no grade was told."""
    inside, third = count(1), Barrier(3)

    def score(*_: object) -> float:
        next(inside)
        try:
            third.wait(0.05)
        except BrokenBarrierError:
            return 1.0
        return 0.0

    async def grade_all() -> list[float | None]:
        grader = MetricGrader(FunctionMetric("busy", score), at_once=2)
        return [grade.quality for grade in await asyncio.gather(*(grader.grade(ANSWERED) for _ in range(6)))]

    assert (asyncio.run(grade_all()), next(inside)) == ([1.0] * 6, 7)
