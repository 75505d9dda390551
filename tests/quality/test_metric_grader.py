"""Metrics of others behind the door: one that never ends keeps nobody, not even the process."""

from __future__ import annotations

import asyncio
import os
from itertools import count
from threading import Barrier, BrokenBarrierError, Event
from threading import enumerate as enumerate_threads

import pytest

from tenbin.quality.grade import Answered, Grade
from tenbin.quality.metric_grader import MetricGrader, computing_at_once
from tenbin.quality.plugin_metric import FunctionMetric

ANSWERED = Answered("q", "m", "2 + 2?", "4")


def test_a_metric_that_does_not_end_cannot_tell() -> None:
    never = Event()
    grader = MetricGrader(FunctionMetric("slow", lambda *_: float(never.wait())), patience_s=0.05)
    faults: list[object] = []

    async def graded_then_late() -> Grade:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, fault: faults.append(fault))
        grade = await grader.grade(ANSWERED)
        (left_behind,) = (thread for thread in enumerate_threads() if thread.name == "metric slow")
        assert left_behind.daemon
        never.set()
        left_behind.join()
        heard = loop.create_future()
        loop.call_soon(heard.set_result, None)  # behind what the thread has told
        await heard
        return grade

    grade = asyncio.run(graded_then_late())
    assert (grade.quality, grade.note) == (None, "slow did not end within 0.05 s")
    assert (faults, grader.needs_rival) == ([], False)


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


@pytest.mark.parametrize(("processors", "at_once"), [(None, 1), (1, 1), (3, 3), (48, 8)])
def test_a_machine_of_many_processors_may_lend_a_few(
    processors: int | None, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    assert computing_at_once() == at_once
