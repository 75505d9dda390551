"""Prompts count once, lost labels take their row out, labels bought by plan keep means unbiased."""

from __future__ import annotations

import numpy as np
import pytest

from tenbin.certify.pairs import Pairs, pair_up, pair_weights
from tenbin.router.crossfit import Observed
from tenbin.types import Floats, Ints

SHARE = 0.9


def observed(quality: Floats, weight: Floats | None = None) -> Observed:
    none = np.full(quality.shape, np.nan)
    return Observed(quality, none, none, none, none, np.ones(quality.shape) if weight is None else weight)


def paired(quality: Floats, chosen: Ints, keys: list[str], weight: Floats | None = None) -> Pairs:
    cost = np.tile([1.0, 10.0], (len(quality), 1))
    return pair_up(observed(quality, weight), cost, chosen, 1, SHARE, keys, ["g"] * len(keys))


def test_values_are_the_advantage_over_a_share_of_the_reference() -> None:
    quality = np.array([[0.5, 1.0], [1.0, 0.0]])
    found = paired(quality, np.array([[1, 1], [0, 0]]), ["a", "b"])
    assert found.values == pytest.approx(np.array([[0.1, -0.4], [0.0, 1.0]]))
    assert found.dollars.sum(axis=0).tolist() == [20.0, 2.0]
    assert found.usual_dollars.sum(axis=0).tolist() == [20.0, 20.0]
    assert found.largest_weight == 1.0


def test_copies_of_a_prompt_count_once() -> None:
    quality = np.array([[0.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
    found = paired(quality, np.zeros((1, 3), dtype=np.int64), ["a", "a", "b"])
    assert found.values[:, 0] == pytest.approx([-0.4, 0.1])
    assert found.counts.tolist() == [2]


def test_the_order_of_the_rows_does_not_matter() -> None:
    draw = np.random.default_rng(0)
    quality = draw.random((40, 2))
    keys = [f"{k:02d}" for k in draw.permutation(30).tolist() + list(range(10))]
    chosen = draw.integers(0, 2, (3, 40))
    order = draw.permutation(40)
    one = paired(quality, chosen, keys)
    other = paired(quality[order], chosen[:, order], [keys[i] for i in order])
    assert other.values == pytest.approx(one.values)


def test_a_row_that_lost_a_label_is_left_out_of_every_setting() -> None:
    """Else it would count where the reference answers, and be missing just where a candidate may fail."""
    quality = np.array([[np.nan, 1.0], [1.0, 1.0]])
    found = paired(quality, np.array([[1, 1], [0, 0]]), ["a", "b"])
    assert found.counts.tolist() == [1, 1]


def test_a_pair_weighs_as_much_as_its_rarer_label() -> None:
    quality, weight = np.ones((2, 2)), np.array([[4.0, 1.0], [1.0, 2.0]])
    chosen = np.array([[0, 0], [1, 1]])
    assert pair_weights(observed(quality, weight), chosen, 1).tolist() == [[4.0, 1.0], [2.0, 2.0]]
    found = paired(quality, chosen, ["a", "b"], weight)
    assert found.largest_weight == 4.0
    assert found.weight.tolist() == [[1.0, 0.25], [0.5, 0.5]]
    assert found.values == pytest.approx(0.1 * found.weight)


def test_no_row_is_no_pair() -> None:
    assert len(paired(np.ones((0, 2)), np.zeros((1, 0), dtype=np.int64), []).values) == 0


def test_labels_bought_by_plan_leave_means_unbiased_and_the_range_as_it_is() -> None:
    draw = np.random.default_rng(1)
    n = 40_000
    quality = (draw.random((n, 2)) < [0.6, 0.8]).astype(float)
    hard = draw.random(n) < 0.5
    quality[hard, 0] = 0.0
    propensity = np.where(hard, 0.9, 0.3)
    seen = np.where((draw.random(n) < propensity)[:, None], quality, np.nan)
    weight = np.tile((1.0 / propensity)[:, None], (1, 2))
    found = paired(seen, np.zeros((1, n), dtype=np.int64), [f"{i:06d}" for i in range(n)], weight)
    truth = (quality[:, 0] - SHARE * quality[:, 1]).mean()
    assert np.nansum(found.values) / n * found.largest_weight == pytest.approx(truth, abs=0.02)
    assert found.largest_weight == pytest.approx(1.0 / 0.3)
    assert np.nanmin(found.values) >= -SHARE
