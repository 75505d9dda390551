"""What every predictor must keep to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.plugins import blamed
from tenbin.protocols import Predictor
from tenbin.testing.storage import stored
from tenbin.testing.verdict import largest_gap, require
from tenbin.types import Features, Floats, Ints, Prediction

ROWS, DIM, SURFACE, MODELS, FOLDS = 160, 16, 5, 3, 5
TRUSTING = 0.5
"""An out-of-fold prediction of pure noise that correlates with it above this has seen the answers."""


def check_predictor(make: Callable[[], Predictor], *, tolerance: float = 1e-9) -> None:
    """Check a predictor class or maker: shapes, types, determinism, NaN, independence of rows, saving.

    `tolerance` is how far a prediction may move with the order of the training rows or with the other rows that are
    predicted; after saving and loading it must be the same to the bit. Raises PluginError.
    """
    of = f"predictor {getattr(make, '__name__', type(make).__name__)!r}"
    with blamed(of, "it raised", fix="learn from any labels, and predict for any text"):
        _check(make, of, tolerance)


def _check(make: Callable[[], Predictor], of: str, tolerance: float) -> None:
    features, target, weight, folds = _problem()
    given: list[NDArray[Any]] = [target, weight, folds, features.vectors, features.surface]
    copies = [array.copy() for array in given]
    predictor = make()
    out_of_fold = predictor.fit(features, target, weight, folds)
    untouched = all(np.array_equal(old, new, equal_nan=True) for old, new in zip(copies, given, strict=True))
    require(untouched, "fit changed the arrays it was given", of=of, fix="copy before changing")
    if out_of_fold is not None:
        require_prediction(out_of_fold, (ROWS, MODELS), "fit", of)
    fresh = _features(60, seed=1, groups=("a", "never seen", None))
    prediction = predictor.predict(fresh)
    require_prediction(prediction, (len(fresh), MODELS), "predict", of)
    require_prediction(predictor.predict(fresh.take([])), (0, MODELS), "predict", of)
    _check_repeat(make, fresh, prediction, of, tolerance)
    _check_rows(predictor, fresh, prediction, of, tolerance)
    _check_saving(predictor, fresh, prediction, of)
    _check_honest(make, of)


def _features(n: int, *, seed: int, groups: tuple[str | None, ...] = ("a", "b", None)) -> Features:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, DIM))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[0] = 0.0  # a text that the embedder knows nothing of
    text_tokens = np.exp(rng.normal(4.0, 1.0, n))
    return Features(
        vectors=vectors.astype(np.float32),
        surface=rng.normal(size=(n, SURFACE)).astype(np.float32),
        groups=tuple(groups[i % len(groups)] for i in range(n)),
        text_tokens=text_tokens,
        input_tokens=np.where(rng.random(n) < 0.5, np.nan, text_tokens),
        familiarity=rng.random(n),
        novelty=rng.random(n),
    )


def _problem() -> tuple[Features, Floats, Floats, Ints]:
    """A small learning problem with unlabelled cells, an unlabelled row, and labels of unequal weight."""
    rng = np.random.default_rng(0)
    features = _features(ROWS, seed=0)
    slopes = rng.normal(size=(DIM, MODELS))
    target = 0.5 + 0.1 * (features.vectors @ slopes) + 0.05 * rng.normal(size=(ROWS, MODELS))
    target[rng.random((ROWS, MODELS)) < 0.2] = np.nan
    target[3] = np.nan
    weight = rng.choice([1.0, 2.0, 5.0], size=(ROWS, MODELS))
    return features, target.astype(np.float64), weight, _folds(rng)


def _folds(rng: np.random.Generator) -> Ints:
    return rng.permutation(np.arange(ROWS) % FOLDS).astype(np.int64)


def require_prediction(prediction: Any, shape: tuple[int, int], step: str, of: str) -> None:
    """Raise PluginError unless this is a Prediction of that shape, float64: finite means, sd >= 0."""
    fix = f"return Prediction(mean, sd), float64 {list(shape)} each"
    require(isinstance(prediction, Prediction), f"{step} gave {type(prediction).__name__}", of=of, fix=fix)
    for name, array in (("mean", prediction.mean), ("sd", prediction.sd)):
        is_array = isinstance(array, np.ndarray)
        seen = f"{name} of {step} is {f'{array.dtype} {array.shape}' if is_array else type(array).__name__}"
        require(is_array and array.shape == shape and array.dtype == np.float64, seen, of=of, fix=fix)
        finite = bool(np.isfinite(array).all())
        require(finite, f"{name} of {step} has NaN or infinite cells", of=of, fix="fall back to the model's mean")
    require(bool((prediction.sd >= 0).all()), f"sd of {step} has negative cells", of=of, fix="return sd >= 0")


def _check_repeat(
    make: Callable[[], Predictor], fresh: Features, prediction: Prediction, of: str, tolerance: float
) -> None:
    """The same data give the same predictor, in any order of rows."""
    features, target, weight, folds = _problem()
    again = make()
    again.fit(features, target, weight, folds)
    same = _gap(again.predict(fresh), prediction) == 0.0
    require(same, "a second fit of the same data predicts differently", of=of, fix="seed what is random")
    order = np.random.default_rng(2).permutation(ROWS)
    shuffled = make()
    shuffled.fit(features.take(order), target[order], weight[order], folds[order])
    gap = _gap(shuffled.predict(fresh), prediction)
    fix = "put the rows into an order of their own before learning"
    require(gap <= tolerance, f"predictions move by {gap:.2g} with the order of training rows", of=of, fix=fix)


def _check_rows(predictor: Predictor, fresh: Features, prediction: Prediction, of: str, tolerance: float) -> None:
    """A row never depends on the rows predicted with it."""
    rows = [5, 2, 40]
    for some in (rows, rows[:1]):
        part = predictor.predict(fresh.take(some))
        gap = _gap(part, Prediction(prediction.mean[some], prediction.sd[some]))
        fix = "compute each row from its own features only"
        require(gap <= tolerance, f"a prediction moves by {gap:.2g} with the other rows", of=of, fix=fix)


def _check_saving(predictor: Predictor, fresh: Features, prediction: Prediction, of: str) -> None:
    loaded = type(predictor).load(stored(predictor.save(), of))
    same = _gap(loaded.predict(fresh), prediction) == 0.0
    require(same, "what was saved and loaded predicts differently", of=of, fix="save all learnt state")


def _check_honest(make: Callable[[], Predictor], of: str) -> None:
    """Out of fold, pure noise cannot be known."""
    features, _, weight, folds = _problem()
    noise = np.random.default_rng(3).normal(size=(ROWS, MODELS))
    out_of_fold = make().fit(features, noise, np.ones_like(weight), folds)
    if out_of_fold is None or float(np.std(out_of_fold.mean)) == 0.0:
        return
    seen = float(np.corrcoef(out_of_fold.mean.ravel(), noise.ravel())[0, 1])
    what = f"its out-of-fold prediction of pure noise correlates with it by {seen:.2f}"
    require(seen < TRUSTING, what, of=of, fix="predict each row by what other folds taught")


def _gap(left: Prediction, right: Prediction) -> float:
    return max(largest_gap(left.mean, right.mean), largest_gap(left.sd, right.sd))
