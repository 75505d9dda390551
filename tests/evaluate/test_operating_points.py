"""A promise is set on training rows and held against what the test rows did."""

from __future__ import annotations

import numpy as np
import pytest

from tenbin.evaluate.curve import Contender, constant
from tenbin.evaluate.intervals import lent_sd
from tenbin.evaluate.operating_points import Setting, operating_points, settings_of
from tenbin.evaluate.trial import Ground, run_trial
from tenbin.router.crossfit import DialCurve

CURVE = DialCurve(
    mu=np.array([0.0, 0.1, 0.5, 1.0]),
    quality=np.array([0.79, 0.785, 0.72, 0.6]),
    cost_usd=np.array([0.02, 0.01, 0.004, 0.001]),
    reference_quality=0.8,
    reference_cost_usd=0.02,
)


def test_the_cheapest_mu_that_keeps_the_promise_out_of_fold() -> None:
    by_target = {s.target: s for s in settings_of(CURVE) if s.kind == "min_quality"}
    assert by_target[0.95].mu == 0.1
    assert by_target[0.95].promised_quality == 0.785
    assert by_target[0.97].promised_cost_usd == 0.01
    assert all(by_target[t].reached for t in (0.95, 0.97))


def test_an_impossible_promise_runs_at_best_quality_and_says_so() -> None:
    impossible = {s.target: s for s in settings_of(CURVE)}[0.99]
    assert (impossible.mu, impossible.reached) == (0.0, False)
    assert impossible.promised_quality == pytest.approx(0.79)


def test_where_all_drawn_prompts_go_to_one_candidate_the_blind_saving_is_not_a_point() -> None:
    n = 400
    rng = np.random.default_rng(3)
    chance = np.array([0.5, 0.7, 0.9])
    quality = (rng.uniform(size=(n, 3)) < chance).astype(np.float64)
    cost = np.tile([0.001, 0.002, 0.02], (n, 1))
    ground = Ground(quality, cost, np.full((n, 3), np.nan), np.ones(n), np.arange(n, dtype=np.int64))
    choices = np.stack([np.full(n, 1), rng.integers(0, 3, n)])
    nothing = np.zeros(2)
    points = Contender("points", "", True, np.array([0.5, 0.1]), ("", ""), choices, nothing, nothing)
    zero = constant("zero", "", np.arange(3), ("a", "b", "c"), n, deployable=True)
    settings = tuple(Setting("mu", mu, mu, True, 0.7, 0.002) for mu in (0.5, 0.1))
    trial = run_trial(ground, (zero,), points, resamples=400, seed=0, tick=lambda _: None)
    one, mixed = operating_points(trial, settings, points, ground, 2)
    assert one.blind_saving.value == pytest.approx(0.9)
    slope = 0.018 / (quality[:, 2].mean() - quality[:, 1].mean()) / 0.02
    lent = lent_sd(quality, choices[:1], 1, np.ones(n), ground.cluster)[0]
    assert one.blind_saving.low == pytest.approx(0.9 - 1.96 * lent * slope, rel=0.01)
    assert one.blind_saving.high > 0.9
    plain = trial.means.of("points quality")[:, 1]
    assert np.ptp([mixed.blind_saving.low, mixed.blind_saving.high]) < 1.2 * slope * 4.0 * plain.std()
