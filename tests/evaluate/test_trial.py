"""Contenders are resampled together, and held against the model that is named."""

from __future__ import annotations

import numpy as np

from tenbin.evaluate.comparison import savings_of
from tenbin.evaluate.curve import constant
from tenbin.evaluate.trial import Ground, run_trial


def test_figures_against_the_best_model_are_told_of_the_same_one_on_every_resample() -> None:
    n, models = 200, ("cheap", "dear")
    quality = (np.arange(n) < 160)[:, None] * np.ones(2)
    quality[160:163, 1], quality[163:165, 0] = 1.0, 1.0  # the dear one is better by one prompt
    cost = np.random.default_rng(5).uniform(0.9, 1.1, (n, 1)) * (0.001, 0.01)
    ground = Ground(quality, cost, np.full((n, 2), np.nan), np.ones(n), np.arange(n, dtype=np.int64))
    router, zero, points = (
        constant(name, "", np.arange(2), models, n, deployable=True) for name in ("router", "z_test", "points")
    )
    trial = run_trial(ground, (router, zero), points, resamples=200, seed=0, tick=lambda _: None)
    singles = trial.means.of("singles quality")
    assert (singles[:, 0] > singles[:, 1]).mean() > 0.2  # where the cheap one would be the best
    assert {scale.best for scale in trial.scales} == {1}
    assert savings_of(trial)[-1].saving.low > 0.85
