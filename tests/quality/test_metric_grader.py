"""Metrics of others behind the door: one that never ends keeps nobody, not even the process."""

from __future__ import annotations

import asyncio
from threading import Event

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
