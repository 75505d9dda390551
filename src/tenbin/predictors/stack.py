"""The default predictor: strongly shrunk means, group means, and a small contextual correction that earned its place.

Read it with `factors` (what candidates share and where they differ), `linear` (ridge from sums), `landmarks` (a
kernel) and `shares` (how far each head is believed). What is learnt:

    s_t(x) = sum_k w_kt * head_kt(x)
    q_m(x) = mean_m + U_m0 * s_0(x) + sum_t U_mt * (s_t(x) + l_t * s_0(x))

t runs over the deviations from the common factor 0, k over four heads; l_t is how far a deviation follows the common
factor. Every head is linear in the same columns (text, group indicators, closeness to landmarks), so the whole sum
folds into one matrix and a prediction is two small products (sight.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tenbin.predictors.calibrate import CalibrationMap
from tenbin.predictors.canonical import canonical_order
from tenbin.predictors.design import Design
from tenbin.predictors.factors import Factors
from tenbin.predictors.landmarks import Landmarks
from tenbin.predictors.linear import LinearFit, fit_linear
from tenbin.predictors.parts import part, prefixed
from tenbin.predictors.posterior import Posterior
from tenbin.predictors.rowwise import Tiled
from tenbin.predictors.shares import loadings, stacking_weights, trust_in_choice
from tenbin.predictors.sight import Sight
from tenbin.protocols import Arrays
from tenbin.types import Features, Floats, Ints, Prediction

HEADS = ("group", "ridge", "landmarks", "local")


class StackPredictor:
    """Means, group means, ridge, landmarks and a local residual, weighed by cross-fitting; for any target matrix."""

    def __init__(self, seed: int = 0, calibrated: bool = True) -> None:
        self.seed = seed
        self.calibrated = calibrated

    def fit(self, features: Features, target: Floats, weight: Floats, folds: Ints) -> Prediction:
        """Learn `target` [n, M] (NaN = unknown) under `weight` [n, M]; returns the out-of-fold prediction.

        `calibrated` says that the target is a quality in [0, 1], whose map from predicted to observed is learnt too.
        """
        order = canonical_order(features, target)
        if _is_even(target, weight):
            # Rows without any label tell nothing, unless weights say that labels were bought by plan.
            order = order[~np.isnan(target[order]).all(axis=1)]
        own, own_folds = features.take(order), folds[order]
        self.factors_, z = Factors.learn(target[order], weight[order])
        self.design_ = Design.learn(own)
        x = self.design_.columns(own)
        self.landmarks_ = Landmarks.learn(x, self.seed)
        close = self.landmarks_.features(x)
        heads = self._fit_heads(x, close, z, own_folds)
        rows = float((~np.isnan(target)).sum() / target.shape[1])
        self.weights_ = stacking_weights([head.out_of_fold for head in heads.values()], z, rows)
        scores = np.sum([w * head.out_of_fold for w, head in zip(self.weights_, heads.values(), strict=True)], axis=0)
        follow = loadings(scores[:, 0], z[:, 1:] - scores[:, 1:], rows)
        scores[:, 1:] += np.outer(scores[:, 0], follow)
        deviations = self.factors_.rotation[:, 1:].T
        kept = trust_in_choice(scores[:, 1:] @ deviations, z[:, 1:] @ deviations)
        self.weights_[:, 1:] *= kept
        scores[:, 1:] *= kept
        self._fold_into_one(heads, kept * follow, x.shape[1], close.shape[1])
        self.posterior_ = Posterior.learn(
            heads["ridge"], z - scores, self.factors_, self.weights_[HEADS.index("ridge")]
        )
        straight = self.factors_.means + scores @ self.factors_.rotation.T
        self.map_ = CalibrationMap.learn(straight, target[order], weight[order]) if self.calibrated else None
        return self._out_of_fold(features, order, x, straight)

    def predict(self, features: Features) -> Prediction:
        """Mean and standard deviation of the mean, [n, M] each."""
        look = self.sight().look(features)
        return self.prediction(look.sums[0], look.variance)

    def mean(self, features: Features) -> Floats:
        """The mean alone [n, M], for who needs no more."""
        return self.mean_of(self.sight().look(features).sums[0])

    def sight(self, others: Sequence[StackPredictor] = ()) -> Sight:
        """The eyes of this stack and of others that see with it; to be kept where they are to look more than once."""
        coefficients = [stack.coefficients_ for stack in (self, *others)]
        return Sight.opened(self.design_, self.landmarks_, self.posterior_, coefficients)

    def prediction(self, sums: Floats, variance: Floats) -> Prediction:
        """The prediction of a look's sums and variance, [n, M] each."""
        return Prediction(self.mean_of(sums), np.sqrt(variance))

    def mean_of(self, sums: Floats) -> Floats:
        """The mean [n, M] of a look's sums."""
        return self._calibrate(sums + self.factors_.means)

    def see_with(self, other: StackPredictor) -> None:
        """Take the other's design and landmarks where they are equal: what it has seen then serves both."""
        own, theirs = ({**s.design_.save(), **s.landmarks_.save()} for s in (self, other))
        if all(np.array_equal(own[key], theirs[key]) for key in own):
            self.design_, self.landmarks_ = other.design_, other.landmarks_

    def sees_with(self, other: StackPredictor) -> bool:
        """Whether what the other has seen serves this one, too."""
        return self.design_ is other.design_ and self.landmarks_ is other.landmarks_

    def _calibrate(self, straight: Floats) -> Floats:
        return straight if self.map_ is None else self.map_.means(straight)

    def _fit_heads(self, x: Floats, close: Floats, z: Floats, folds: Ints) -> dict[str, LinearFit]:
        text, half = self.design_.n_text, close.shape[1] // 2
        ridge = fit_linear(x, z, folds)
        return {
            "group": fit_linear(x[:, text:], z, folds),
            "ridge": ridge,
            "landmarks": fit_linear(close[:, :half], z, folds),
            "local": fit_linear(close[:, half:], z - ridge.out_of_fold, folds),
        }

    def _fold_into_one(self, fits: dict[str, LinearFit], follow: Floats, p: int, c: int) -> None:
        text, half = self.design_.n_text, c // 2
        blocks = {"group": (text, p), "ridge": (0, p), "landmarks": (p, p + half), "local": (p + half, p + c)}
        total = np.zeros((p + c, self.factors_.size))
        for name, weight in zip(HEADS, self.weights_, strict=True):
            start, stop = blocks[name]
            total[start:stop] += weight * fits[name].slopes
        total[:, 1:] += np.outer(total[:, 0], follow)
        self.coefficients_ = Tiled.of(total @ self.factors_.rotation.T)

    def _out_of_fold(self, features: Features, order: Ints, x: Floats, straight: Floats) -> Prediction:
        n, m = len(features), len(self.factors_.means)
        mean, sd = np.tile(self.factors_.means, (n, 1)), np.empty((n, m))
        if len(order) < n:
            rest = np.setdiff1d(np.arange(n), order)
            unseen = self.predict(features.take(rest))
            mean[rest], sd[rest] = unseen.mean, unseen.sd
        mean[order] = self._calibrate(straight)
        sd[order] = self.posterior_.sd(x)
        return Prediction(mean, sd)

    def save(self) -> dict[str, NDArray[np.generic]]:
        """The learnt state as plain arrays."""
        state = prefixed("factors", self.factors_.save()) | prefixed("design", self.design_.save())
        state |= prefixed("landmarks", self.landmarks_.save()) | prefixed("evidence", self.posterior_.save())
        state |= {} if self.map_ is None else prefixed("map", self.map_.save())
        own = {"seed": np.array(self.seed), "weights": self.weights_, "coefficients": self.coefficients_.weights}
        return state | own

    @classmethod
    def load(cls, arrays: Arrays) -> Self:
        """The stack of saved arrays."""
        self = cls(int(arrays["seed"]), calibrated="map.knots" in arrays)
        self.map_ = CalibrationMap.load(part(arrays, "map")) if self.calibrated else None
        self.factors_ = Factors.load(part(arrays, "factors"))
        self.design_ = Design.load(part(arrays, "design"))
        self.landmarks_ = Landmarks.load(part(arrays, "landmarks"))
        self.posterior_ = Posterior.load(part(arrays, "evidence"), self.factors_)
        self.weights_, self.coefficients_ = arrays["weights"], Tiled.of(np.asarray(arrays["coefficients"]))
        return self


def _is_even(target: Floats, weight: Floats) -> bool:
    """Whether all labels weigh the same."""
    known = weight[~np.isnan(target)]
    return known.size == 0 or bool(np.all(known == known[0]))
