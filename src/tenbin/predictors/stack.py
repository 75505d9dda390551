"""The default predictor: strongly shrunk means, group means, and a small contextual correction that earned its place.

Read it with `factors` (what candidates share and where they differ), `linear` (ridge from sums), `landmarks` (a
kernel) and `shares` (how far each head is believed). What is learnt:

    q_m(x) = mean_m + sum_t U_mt * sum_k w_kt * head_kt(x)

t runs over the common factor and the deviations from it, k over four heads. Every head is linear in the same columns
(text, group indicators, closeness to landmarks), so the whole sum folds into one matrix and a prediction is two small
products.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from tenbin.predictors.canonical import canonical_order
from tenbin.predictors.design import Design
from tenbin.predictors.evidence import Evidence
from tenbin.predictors.factors import Factors
from tenbin.predictors.landmarks import Landmarks
from tenbin.predictors.linear import LinearFit, fit_linear
from tenbin.predictors.parts import part, prefixed
from tenbin.predictors.rowwise import product
from tenbin.predictors.shares import stacking_weights
from tenbin.protocols import Arrays
from tenbin.types import Features, Floats, Ints, Prediction

HEADS = ("group", "ridge", "landmarks", "local")


class StackPredictor:
    """Means, group means, ridge, landmarks and a local residual, weighed by cross-fitting; for any target matrix."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, features: Features, target: Floats, weight: Floats, folds: Ints) -> Prediction:
        """Learn `target` [n, M] (NaN = unknown) under `weight` [n, M]; returns the out-of-fold prediction."""
        order = canonical_order(features, target)
        order = order[~np.isnan(target[order]).all(axis=1)]
        own, z_folds = features.take(order), folds[order]
        self.factors_, z = Factors.learn(target[order], weight[order])
        self.design_ = Design.learn(own)
        x = self.design_.columns(own)
        self.landmarks_ = Landmarks.learn(x, self.seed)
        close = self.landmarks_.features(x)
        fits = self._fit_heads(x, close, z, z_folds)
        self.weights_ = stacking_weights([fit.out_of_fold for fit in fits.values()], z)
        self._fold_into_one(fits, x.shape[1], close.shape[1])
        scores = sum(w * fit.out_of_fold for w, fit in zip(self.weights_, fits.values(), strict=True))
        self.evidence_ = Evidence.learn(fits["ridge"], z - scores, self.weights_[HEADS.index("ridge")])
        return self._out_of_fold(features, order, x, scores)

    def predict(self, features: Features) -> Prediction:
        """Mean and standard deviation of the mean, [n, M] each."""
        x = self.design_.columns(features)
        close = self.landmarks_.features(x)
        mean = product(np.hstack([x, close]), self.coefficients_) + self.factors_.means
        return Prediction(mean, self.evidence_.sd(x, self.factors_))

    def _fit_heads(self, x: Floats, close: Floats, z: Floats, folds: Ints) -> dict[str, LinearFit]:
        text, half = self.design_.n_text, close.shape[1] // 2
        ridge = fit_linear(x, z, folds)
        return {
            "group": fit_linear(x[:, text:], z, folds),
            "ridge": ridge,
            "landmarks": fit_linear(close[:, :half], z, folds),
            "local": fit_linear(close[:, half:], z - ridge.out_of_fold, folds),
        }

    def _fold_into_one(self, fits: dict[str, LinearFit], p: int, c: int) -> None:
        text, half = self.design_.n_text, c // 2
        blocks = {"group": (text, p), "ridge": (0, p), "landmarks": (p, p + half), "local": (p + half, p + c)}
        total = np.zeros((p + c, self.factors_.size))
        for name, weight in zip(HEADS, self.weights_, strict=True):
            start, stop = blocks[name]
            total[start:stop] += weight * fits[name].slopes
        self.coefficients_ = total @ self.factors_.rotation.T

    def _out_of_fold(self, features: Features, order: Ints, x: Floats, scores: Floats) -> Prediction:
        n, m = len(features), len(self.factors_.means)
        mean, sd = np.tile(self.factors_.means, (n, 1)), np.empty((n, m))
        if len(order) < n:
            rest = np.setdiff1d(np.arange(n), order)
            unseen = self.predict(features.take(rest))
            mean[rest], sd[rest] = unseen.mean, unseen.sd
        mean[order] = self.factors_.means + scores @ self.factors_.rotation.T
        sd[order] = self.evidence_.sd(x, self.factors_)
        return Prediction(mean, sd)

    def save(self) -> dict[str, NDArray[np.generic]]:
        """The learnt state as plain arrays."""
        state = prefixed("factors", self.factors_.save()) | prefixed("design", self.design_.save())
        state |= prefixed("landmarks", self.landmarks_.save()) | prefixed("evidence", self.evidence_.save())
        own = {"seed": np.array(self.seed), "weights": self.weights_, "coefficients": self.coefficients_}
        return state | own

    @classmethod
    def load(cls, arrays: Arrays) -> Self:
        """The stack of saved arrays."""
        self = cls(int(arrays["seed"]))
        self.factors_ = Factors.load(part(arrays, "factors"))
        self.design_ = Design.load(part(arrays, "design"))
        self.landmarks_ = Landmarks.load(part(arrays, "landmarks"))
        self.evidence_ = Evidence.load(part(arrays, "evidence"))
        self.weights_, self.coefficients_ = arrays["weights"], arrays["coefficients"]
        return self
