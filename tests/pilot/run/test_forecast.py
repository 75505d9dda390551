"""What a run would ask: counted on the plan and the journal, priced at its bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenbin.errors import UsageError
from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.pair import Pair
from tenbin.pilot.run.forecast import RunForecast, forecast
from tenbin.pilot.run.prepared import prepare
from tenbin.pilot.run.run import RunOptions
from tenbin.testing import Answer, FakeUpstream
from tests.pilot.run.made import Lengths, made, prompts, run


def seen(pilot: PilotFolder, grader: Lengths | None = None, options: RunOptions | None = None) -> RunForecast:
    return forecast(prepare(pilot, {}), grader or Lengths(), options or RunOptions(concurrency=4))


def test_what_is_left_is_forecast_and_never_less_than_it_costs(tmp_path: Path) -> None:
    asked = prompts(8)
    pairs = [Pair(it.query_id, "big", expected_usd=0.25) for it in asked] + [Pair("q0", "big", repeat=1)]
    with FakeUpstream(Answer.slow(first_byte_s=0.05)) as upstream:
        pilot = made(tmp_path, upstream, asked=asked, pairs=pairs[:4], models=("big",))
        run(pilot)
        with pilot.plan.open("a") as plan:
            plan.write("".join(f'{{"query_id": "{it.query_id}", "model": "big"}}\n' for it in pairs[4:8]))
            plan.write('{"query_id": "q0", "model": "big", "repeat": 1, "expected_usd": 0.5}\n')
        found = seen(pilot, Lengths(0.1))
        (big,) = found.candidates
        assert (big.planned, big.bought, big.pairs, found.gradings, found.expected_usd) == (9, 4, 5, 1, 0.5)
        assert big.is_latency_measured
        assert 0.05 * 5 / 4 <= found.likely_s < 5.0
        # Each of the five gradings sets .2 aside.
        assert found.bound_usd > 1.0
        before = found.spent_usd
        assert run(pilot, Lengths(0.1)).spent_usd - before <= found.bound_usd + 0.1


def test_rates_bound_the_time(tmp_path: Path) -> None:
    with FakeUpstream() as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(30), models=("big",), keys="requests_per_minute = 10")
    (big,) = seen(pilot).candidates
    assert big.least_s == big.likely_s == pytest.approx(180.0)
    assert not big.is_latency_measured


def test_grading_anew_asks_nobody_and_a_changed_metric_must_be_meant(tmp_path: Path) -> None:
    with FakeUpstream() as upstream:
        pilot = made(tmp_path, upstream)
        run(pilot)
    other = Lengths(name="other")
    with pytest.raises(UsageError, match="--regrade"):
        seen(pilot, other)
    found = seen(pilot, other, RunOptions(regrade=True))
    assert (found.gradings, found.candidates, found.pairs, found.bound_usd) == (12, (), 0, 0.0)
