"""Every predictor keeps to the door, and to what the stack promises beyond it."""

from __future__ import annotations

import numpy as np
import pytest

from tenbin.predictors.constant import ConstantPredictor
from tenbin.predictors.group import GroupPredictor
from tenbin.predictors.knn import KnnPredictor
from tenbin.predictors.lengths import LengthHead
from tenbin.predictors.ridge import RidgePredictor
from tenbin.predictors.stack import StackPredictor
from tenbin.testing import check_predictor
from tests.predictors.simulated import world

ALL = [ConstantPredictor, GroupPredictor, KnnPredictor, RidgePredictor, StackPredictor]


@pytest.mark.parametrize("make", ALL)
def test_it_keeps_to_the_door(make: type[StackPredictor]) -> None:
    check_predictor(make)


@pytest.mark.parametrize("make", [*ALL, LengthHead])
def test_a_row_is_the_same_to_the_bit_alone_and_among_others(make: type[StackPredictor]) -> None:
    w = world(300)
    predictor = make()
    predictor.fit(w.features, w.target + 1.0, w.weight, w.folds)
    whole = predictor.predict(w.features)
    for i in (0, 1, 2, 3, 101, 299):
        alone = predictor.predict(w.features.take([i]))
        assert np.array_equal(alone.mean[0], whole.mean[i])
        assert np.array_equal(alone.sd[0], whole.sd[i])


@pytest.mark.parametrize("make", [*ALL, LengthHead])
def test_permuting_the_models_permutes_the_predictions(make: type[StackPredictor]) -> None:
    w = world(300)
    order = np.array([3, 0, 4, 1, 2])
    straight, turned = make(), make()
    straight.fit(w.features, w.target + 1.0, w.weight, w.folds)
    turned.fit(w.features, w.target[:, order] + 1.0, w.weight, w.folds)
    np.testing.assert_allclose(
        turned.predict(w.features).mean, straight.predict(w.features).mean[:, order], rtol=0, atol=1e-8
    )


@pytest.mark.parametrize("make", [*ALL, LengthHead])
def test_the_order_of_rows_does_not_matter(make: type[StackPredictor]) -> None:
    w = world(300)
    order = np.random.default_rng(1).permutation(300)
    straight, turned = make(), make()
    straight.fit(w.features, w.target + 1.0, w.weight, w.folds)
    turned.fit(w.features.take(order), w.target[order] + 1.0, w.weight[order], w.folds[order])
    np.testing.assert_allclose(turned.predict(w.features).mean, straight.predict(w.features).mean, rtol=0, atol=1e-9)


@pytest.mark.parametrize("make", [*ALL, LengthHead])
def test_a_model_never_labelled_and_one_labelled_once_are_legal(make: type[StackPredictor]) -> None:
    w = world(200)
    target = w.target + 1.0
    target[:, 1] = np.nan
    target[1:, 3] = np.nan
    predictor = make()
    predictor.fit(w.features, target, w.weight, w.folds)
    prediction = predictor.predict(w.features)
    assert np.isfinite(prediction.mean).all()
    assert np.isfinite(prediction.sd).all()


@pytest.mark.parametrize("make", [*ALL, LengthHead])
def test_two_rows_and_one_model_are_enough_to_fit(make: type[StackPredictor]) -> None:
    w = world(2, m=1)
    predictor = make()
    predictor.fit(w.features, w.target + 1.0, w.weight, w.folds)
    assert np.isfinite(predictor.predict(w.features).mean).all()
