"""Token heads: unbiased on the natural scale whatever the residuals, quantiles that hold, zero answers legal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenbin.predictors.input_tokens import InputTokens
from tenbin.predictors.lengths import LengthHead
from tenbin.types import Floats
from tests.predictors.simulated import World, world


def tokens(w: World, seed: int = 0) -> tuple[Floats, Floats]:
    """Typical [n, M] and observed [n, M] tokens: a shared verbosity, heavy-tailed residuals (Student-t, nu 4)."""
    rng = np.random.default_rng(seed)
    direction = np.random.default_rng(8).normal(size=24)
    verbosity = w.features.vectors @ direction + 0.5 * rng.standard_t(4, size=len(w.folds))
    typical = np.exp(5.0 + np.linspace(0, 1, 5) + (w.features.vectors @ direction)[:, None])
    return typical, np.exp(
        5.0 + np.linspace(0, 1, 5) + verbosity[:, None] + 0.3 * rng.standard_t(4, size=(len(w.folds), 5))
    )


def test_means_are_unbiased_where_the_exponential_of_the_mean_logarithm_is_not() -> None:
    w, fresh = world(3000), world(3000, seed=1)
    head = LengthHead()
    head.fit(w.features, tokens(w)[1], w.weight, w.folds)
    predicted, actual = head.predict(fresh.features).mean, tokens(fresh, 1)[1]
    ratio = predicted.mean(axis=0) / actual.mean(axis=0)
    assert np.abs(ratio - 1.0).max() < 0.1
    assert (predicted / head.scale_).mean() / actual.mean() < 0.93


def test_quantiles_hold() -> None:
    w, fresh = world(3000), world(3000, seed=1)
    head = LengthHead()
    head.fit(w.features, tokens(w)[1], w.weight, w.folds)
    for level in (0.1, 0.5, 0.9):
        assert (tokens(fresh, 1)[1] <= head.quantile(fresh.features, level)).mean() == pytest.approx(level, abs=0.03)


def test_a_talkative_prompt_makes_a_new_model_talk() -> None:
    w, fresh = world(2000), world(1000, seed=1)
    observed = tokens(w)[1]
    observed[40:, 4] = np.nan
    head = LengthHead()
    head.fit(w.features, observed, w.weight, w.folds)
    predicted = np.log(head.predict(fresh.features).mean[:, 4])
    assert np.corrcoef(predicted, np.log(tokens(fresh, 1)[0][:, 4]))[0, 1] > 0.7


def test_empty_answers_and_free_calls_are_legal() -> None:
    w = world(200)
    observed = tokens(w)[1]
    observed[:20, 0] = 0.0
    observed[:, 2] = 0.0
    head = LengthHead()
    head.fit(w.features, observed, w.weight, w.folds)
    predicted = head.predict(w.features).mean
    assert np.isfinite(predicted).all()
    assert (predicted >= 0.0).all()
    assert predicted[:, 2].max() < 1e-3


def test_saving_keeps_every_bit() -> None:
    w = world(300)
    head = LengthHead()
    head.fit(w.features, tokens(w)[1], w.weight, w.folds)
    again = LengthHead.load(head.save())
    assert np.array_equal(again.predict(w.features).mean, head.predict(w.features).mean)
    assert np.array_equal(again.quantile(w.features, 0.9), head.quantile(w.features, 0.9))


def test_input_tokens_learn_rate_and_hidden_offset_of_each_group() -> None:
    w = world(500)
    rng = np.random.default_rng(1)
    hidden = np.array([{"g0": 0.0, "g1": 50.0, "g2": 1200.0, "g3": 400.0}[str(g)] for g in w.features.groups])
    rate = np.array([1.0, 1.1, 0.9, 1.2, 1.0])
    counted = (w.features.text_tokens[:, None] + rng.normal(0, 5, (500, 1))) * rate + hidden[:, None]
    head = InputTokens()
    own = head.fit(w.features, counted, w.weight, w.folds)
    assert np.abs(own.mean - counted).mean() < 8.0
    assert np.array_equal(InputTokens.load(head.save()).predict(w.features).mean, head.predict(w.features).mean)


def test_counted_input_tokens_are_taken_as_they_are() -> None:
    w = world(100)
    w.features.input_tokens[:] = 777.0
    head = InputTokens()
    head.fit(w.features, np.full((100, 5), 900.0), w.weight, w.folds)
    assert (head.predict(w.features).mean == 777.0).all()


def test_mean_input_tokens_do_not_depend_on_the_company() -> None:
    """Rows with and without a known group or a given count are the same alone as together."""
    w = world(120)
    w.features.input_tokens[::3] = 777.0
    head = InputTokens()
    head.fit(w.features, np.full((120, 5), 900.0) + w.features.text_tokens[:, None], w.weight, w.folds)
    groups = tuple(None if i % 2 else "new" if i % 5 == 0 else g for i, g in enumerate(w.features.groups))
    features = replace(w.features, groups=groups)
    together = head.mean(features)
    assert together.shape == (120, 5)
    assert np.array_equal(together, head.predict(features).mean)
    assert np.array_equal(together, np.concatenate([head.mean(features.take(np.array([i]))) for i in range(120)]))
