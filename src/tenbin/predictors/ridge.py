"""Ridge regression on text and group as a predictor: one head of the stack, alone.

Fitted from sums over rows, penalties by exact leave-one-out (see `linear`), in the factors' coordinates.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from tenbin.predictors.canonical import canonical_order
from tenbin.predictors.design import Design
from tenbin.predictors.factors import Factors
from tenbin.predictors.linear import fit_linear
from tenbin.predictors.parts import part, prefixed
from tenbin.predictors.posterior import Posterior
from tenbin.predictors.rowwise import Tiled
from tenbin.protocols import Arrays
from tenbin.types import Features, Floats, Ints, Prediction


class RidgePredictor:
    """mean_m + x B, the penalty of every factor chosen by exact leave-one-out."""

    def fit(self, features: Features, target: Floats, weight: Floats, folds: Ints) -> Prediction:
        """Learn `target` [n, M] (NaN = unknown) under `weight` [n, M]; returns the out-of-fold prediction."""
        order = canonical_order(features, target)
        own = features.take(order)
        self.factors_, z = Factors.learn(target[order], weight[order])
        self.design_ = Design.learn(own)
        x = self.design_.columns(own)
        fit = fit_linear(x, z, folds[order])
        self.coefficients_ = Tiled.of(fit.slopes @ self.factors_.rotation.T)
        self.posterior_ = Posterior.learn(fit, z - fit.out_of_fold, self.factors_)
        mean, sd = np.empty_like(target), np.empty_like(target)
        mean[order] = self.factors_.means + fit.out_of_fold @ self.factors_.rotation.T
        sd[order] = self.posterior_.sd(x)
        return Prediction(mean, sd)

    def predict(self, features: Features) -> Prediction:
        """Mean and standard deviation of the mean, [n, M] each."""
        x = self.design_.columns(features)
        mean = self.coefficients_.product(x) + self.factors_.means
        return Prediction(mean, self.posterior_.sd(x))

    def save(self) -> dict[str, NDArray[np.generic]]:
        """The learnt state as plain arrays."""
        state = prefixed("design", self.design_.save()) | prefixed("evidence", self.posterior_.save())
        return state | prefixed("factors", self.factors_.save()) | {"coefficients": self.coefficients_.weights}

    @classmethod
    def load(cls, arrays: Arrays) -> Self:
        """The predictor of saved arrays."""
        self = cls()
        self.design_ = Design.load(part(arrays, "design"))
        self.factors_ = Factors.load(part(arrays, "factors"))
        self.posterior_ = Posterior.load(part(arrays, "evidence"), self.factors_)
        self.coefficients_ = Tiled.of(np.asarray(arrays["coefficients"]))
        return self
