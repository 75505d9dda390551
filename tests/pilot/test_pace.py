"""The pace: where the journal is cut, and what line is drawn through the points."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenbin.pilot.pace import forecast_of, moments
from tenbin.pilot.records import Begun, Graded
from tests.pilot.made import every_pair, made_prompts, made_records


def test_a_short_ladder_is_cut_into_equal_parts_and_a_long_one_at_its_stages() -> None:
    prompts = made_prompts(12)
    one = made_records(prompts, every_pair(prompts))
    keys = frozenset((prompt.query_id, model, 0) for prompt in prompts for model in ("big", "mid", "small"))
    assert [len(moment.keys) for moment in moments(one, keys)] == [9, 18, 27, 36]
    pairs = [pair for stage in range(3) for pair in every_pair(prompts[4 * stage : 4 * stage + 2 + stage], stage=stage)]
    past = moments(made_records(prompts, pairs), keys)
    assert [(moment.stage, len(moment.keys)) for moment in past] == [(0, 6), (1, 15), (2, 27)]


def test_what_is_spent_later_belongs_to_today_and_what_is_not_learnt_from_makes_no_part() -> None:
    prompts = made_prompts(4)
    records = made_records(prompts, every_pair(prompts))
    records.append(Graded("q0000", "big", 2e9, 1.0, "judge", round=1, cost_usd=3.0))
    records.append(Begun("x", "q0000", "big", 2e9, reserve_usd=2.0))
    past = moments(records, frozenset({("q0000", "big", 0), ("q0001", "big", 0)}))
    assert [len(moment.keys) for moment in past] == [1, 2]
    assert past[-1].spent_usd > 5.0 > past[0].spent_usd
    assert moments([], frozenset()) == ()


def rows(*values: float, spread: float = 0.01) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    noise = np.random.default_rng(0).normal(0.0, spread, size=(1, 201))
    noise[0, 0] = 0.0
    return np.array(values)[:, None] + noise


def test_a_saving_that_grows_as_labels_teach_is_carried_on() -> None:
    spent = np.array([1.0, 4.0, 16.0])
    found = forecast_of(spent, rows(0.1, 0.3, 0.4), 64.0, 500)  # 0.5 - 0.4 / sqrt(dollars)
    assert found.is_trend
    assert found.saving.value == pytest.approx(0.45, abs=1e-9)
    assert found.saving.low < 0.45 < found.saving.high
    assert found.half_width == pytest.approx(0.02 / 2, rel=0.25)


def test_a_saving_that_fell_is_not_forecast_to_fall_further_and_two_points_are_no_trend() -> None:
    spent = np.array([1.0, 4.0, 16.0])
    fallen = forecast_of(spent, rows(0.5, 0.3, 0.4), 64.0, 500)
    assert fallen.saving.value == pytest.approx(0.4)
    assert fallen.saving.high - fallen.saving.low > 0.1
    flat = forecast_of(spent[:2], rows(0.1, 0.4), 64.0, 500)
    assert not flat.is_trend
    assert flat.saving.value == pytest.approx(0.4)
    assert not math.isnan(flat.half_width)
    free = forecast_of(np.full(3, 0.001), rows(0.1, 0.3, 0.4), 0.002, 500)  # nothing was spent but on one failure
    assert (free.is_trend, free.saving.value) == (False, pytest.approx(0.4))
