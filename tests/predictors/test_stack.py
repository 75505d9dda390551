"""What the default predictor promises: it learns what is there, invents nothing, and knows how little it knows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenbin.predictors.stack import StackPredictor
from tenbin.types import Features, Floats, Prediction
from tests.predictors.simulated import World, world


def fitted(w: World) -> tuple[StackPredictor, Prediction]:
    stack = StackPredictor()
    return stack, stack.fit(w.features, w.target, w.weight, w.folds)


def routed(estimated: Floats, truth: Floats) -> float:
    return float(truth[np.arange(len(truth)), estimated.argmax(axis=1)].mean())


def test_it_finds_what_text_and_group_say() -> None:
    w, fresh = world(1500, signal=1.0), world(1000, signal=1.0, seed=1)
    stack, _ = fitted(w)
    mean = stack.predict(fresh.features).mean
    error = ((mean - fresh.truth) ** 2).mean() / ((w.target.mean(axis=0) - fresh.truth) ** 2).mean()
    assert error < 0.5
    assert routed(mean, fresh.truth) > fresh.truth.mean(axis=0).max() + 0.03


def test_gaps_are_foretold_at_their_size_where_candidates_differ_in_how_fast_they_fall() -> None:
    sizes = []
    for seed in range(8):
        (w, truth), (other, fresh) = steep(1000, seed), steep(2000, 50)
        stack = StackPredictor()
        stack.fit(w.features, (np.random.default_rng(seed).random(truth.shape) < truth) * 1.0, w.weight, w.folds)
        mean = stack.predict(other.features).mean
        said, true = (values[:, 0] - values[:, -1] for values in (mean, fresh))
        sizes.append(np.cov(said, true)[0, 1] / true.var())
    assert np.median(sizes) > 0.25  # 0.08 by what heads learn of deviations alone


def steep(n: int, seed: int) -> tuple[World, Floats]:
    """Three candidates that fall 1, 2 and 5 times as fast with one difficulty."""
    w = world(n, m=3, seed=seed)
    difficulty = w.features.vectors @ np.random.default_rng(7).normal(size=24)
    return w, 0.8 - np.clip(0.5 + 0.3 * difficulty, 0.0, 1.0)[:, None] * np.array([0.1, 0.2, 0.5])


def test_who_answers_always_alike_is_foretold_so_beside_one_who_does_not() -> None:
    w = world(120, m=3)
    fails = w.features.vectors[:, 0] < np.median(w.features.vectors[:, 0])
    target = np.stack([np.where(fails, 0.0, 1.0), np.ones(120), np.full(120, 0.9)], axis=1)
    mean = StackPredictor().fit(w.features, target, w.weight, w.folds).mean
    assert np.abs(mean[:, 1:] - [1.0, 0.9]).max() < 0.01


def test_one_model_under_two_names_is_foretold_once() -> None:
    """What two equal candidates differ by is the rounding of sums, which no head may learn from."""
    w, fresh = world(400, m=6), world(500, seed=1, m=6)
    labels = (np.random.default_rng(0).random(w.truth.shape) < w.truth) * 1.0
    twice = [*range(6), 0, 1]
    stack = StackPredictor()
    stack.fit(w.features, labels[:, twice], w.weight[:, twice], w.folds)
    mean = stack.predict(fresh.features).mean
    assert stack.factors_.size == 6
    np.testing.assert_allclose(mean[:, 6:], mean[:, :2], atol=1e-12)


def test_shuffled_texts_leave_the_means() -> None:
    spread = []
    for seed in range(8):
        w = world(500, seed=seed)
        order = np.random.default_rng(50 + seed).permutation(500)
        stack = StackPredictor()
        stack.fit(w.features, w.target[order], w.weight, w.folds)
        moved = stack.predict(w.features).mean - w.target.mean(axis=0)
        spread.append(np.abs(moved - moved.mean(axis=1, keepdims=True)).mean())  # what decisions depend on
    assert np.median(spread) < 0.002
    assert np.mean(spread) < 0.01


@pytest.mark.parametrize("n", [50, 200, 1000])
def test_near_tied_models_do_not_win_by_luck(n: int) -> None:
    differences = []
    for seed in range(8):
        w, fresh = world(n, m=14, seed=seed, signal=0.0, tie=0.05), world(2000, m=14, seed=100, signal=0.0, tie=0.05)
        stack, _ = fitted(w)
        constant = fresh.truth[:, w.target.mean(axis=0).argmax()].mean()
        differences.append(routed(stack.predict(fresh.features).mean, fresh.truth) - constant)
    assert np.mean(differences) > -0.004


def test_fifty_prompts_do_no_harm() -> None:
    gains = []
    for seed in range(10):
        w, fresh = world(50, seed=seed), world(1500, seed=50)
        stack, _ = fitted(w)
        constant = fresh.truth[:, w.target.mean(axis=0).argmax()].mean()
        gains.append(routed(stack.predict(fresh.features).mean, fresh.truth) - constant)
    assert np.mean(gains) > -0.005
    assert min(gains) > -0.03


def test_labels_bought_where_they_are_dear_bias_nothing_once_weighted() -> None:
    w = world(2400, signal=1.5)
    hard = w.truth.mean(axis=1) < np.median(w.truth.mean(axis=1))
    propensity = np.where(hard, 0.9, 0.2)[:, None] * np.ones((1, 5))
    labelled = np.random.default_rng(2).random(w.target.shape) < propensity
    target = np.where(labelled, w.target, np.nan)
    weighted, plain = StackPredictor(), StackPredictor()
    weighted.fit(w.features, target, 1.0 / propensity, w.folds)
    plain.fit(w.features, target, w.weight, w.folds)
    truth = w.truth.mean(axis=0)
    np.testing.assert_allclose(weighted.factors_.means, truth, atol=0.03)
    assert np.abs(plain.factors_.means - truth).mean() > 0.05
    np.testing.assert_allclose(weighted.predict(w.features).mean.mean(axis=0), truth, atol=0.035)


def test_missing_cells_cost_precision_not_truth() -> None:
    w = world(3000, signal=1.0)
    one_of_five = np.random.default_rng(3).random(w.target.shape) < 0.2
    stack = StackPredictor()
    stack.fit(w.features, np.where(one_of_five, w.target, np.nan), w.weight, w.folds)
    mean = stack.predict(w.features).mean
    error = ((mean - w.truth) ** 2).mean() / ((w.target.mean(axis=0) - w.truth) ** 2).mean()
    assert error < 0.7


def test_out_of_fold_predictions_are_calibrated() -> None:
    w = world(3000, signal=1.0)
    _, own = fitted(w)
    order = np.argsort(own.mean, axis=None)
    bins = np.array_split(order, 15)
    predicted = np.array([own.mean.ravel()[b].mean() for b in bins])
    actual = np.array([w.target.ravel()[b].mean() for b in bins])
    assert np.abs(predicted - actual).mean() < 0.03


def test_out_of_fold_is_no_better_than_on_fresh_rows() -> None:
    w, fresh = world(800), world(4000, seed=9)
    stack, own = fitted(w)
    seen = ((own.mean - w.target) ** 2).mean()
    unseen = ((stack.predict(fresh.features).mean - fresh.target) ** 2).mean()
    assert seen > unseen - 0.01


def test_the_standard_deviation_grows_where_evidence_is_thin() -> None:
    stack, _ = fitted(world(800, signal=1.0))
    near = world(100, seed=4).features
    far = Features(
        vectors=-near.vectors,
        surface=near.surface,
        groups=("never seen",) * len(near),
        text_tokens=near.text_tokens,
        input_tokens=near.input_tokens,
        familiarity=near.familiarity,
        novelty=near.novelty,
    )
    assert stack.predict(far).sd.mean() > 1.3 * stack.predict(near).sd.mean()


def test_more_rows_mean_less_doubt() -> None:
    few, many = fitted(world(150, signal=1.0))[0], fitted(world(2400, signal=1.0))[0]
    fresh = world(200, seed=4).features
    assert many.predict(fresh).sd.mean() < 0.7 * few.predict(fresh).sd.mean()


def test_what_one_stack_has_seen_serves_another_of_the_same_rows() -> None:
    w, fresh = world(300), world(9, seed=1).features
    (one, _), (other, _) = fitted(w), fitted(replace(w, target=w.target[:, ::-1].copy()))
    alone = other.mean(fresh)
    assert not other.sees_with(one)
    other.see_with(one)
    assert other.sees_with(one)
    look = one.sight([other]).look(fresh)
    np.testing.assert_allclose(other.mean_of(look.sums[1]), alone, rtol=1e-12)
    np.testing.assert_allclose(one.prediction(look.sums[0], look.variance).sd, one.predict(fresh).sd, rtol=1e-12)


def test_stacks_of_other_rows_see_for_themselves() -> None:
    one, other = fitted(world(300))[0], fitted(world(300, seed=1))[0]
    other.see_with(one)
    assert not other.sees_with(one)
