"""Noisier labels weigh less; equal or unknown noise changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenbin.router.train import label_trust
from tenbin.types import Floats, Panel, Query


def panel(quality: Floats, noise: Floats | None) -> Panel:
    nothing = np.full(quality.shape, np.nan)
    queries = tuple(Query(f"q{i}", "a") for i in range(len(quality)))
    models = tuple("abc"[: quality.shape[1]])
    return Panel(
        queries, models, quality, nothing, nothing, nothing, nothing, np.ones(quality.shape), label_noise_sd=noise
    )


def test_a_noisier_label_weighs_less_by_signal_over_signal_and_noise() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(0.5, 0.3, (4000, 2))
    noise = np.where(np.arange(4000)[:, None] % 2 == 0, 0.1, [0.6, 0.1])
    trust = label_trust(panel(truth + rng.normal(size=truth.shape) * noise, noise))
    assert trust[0, 0] / trust[1, 0] == pytest.approx((0.09 + 0.36) / (0.09 + 0.01), rel=0.1)
    assert trust[:, 0].mean() == pytest.approx(1.0)
    assert np.all(trust[:, 1] == 1.0), "the same noise for all labels of a model"


def test_unknown_noise_changes_nothing_and_an_unknown_label_is_left_alone() -> None:
    quality = np.array([[0.0], [1.0], [0.5], [np.nan]])
    assert np.all(label_trust(panel(quality, None)) == 1.0)
    some = label_trust(panel(quality, np.array([[0.1], [0.4], [np.nan], [0.9]])))
    assert some[2, 0] == some[3, 0] == 1.0
    assert some[0, 0] > 1.0 > some[1, 0]
    assert np.all(np.isfinite(label_trust(replace(panel(quality, np.array([[0.1], [9.0], [5.0], [1.0]]))))))
