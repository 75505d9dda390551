"""The constant predictor: each candidate's mean, shrunk to the mean of all by what luck could have done."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from tenbin.predictors.factors import weighted_means
from tenbin.protocols import Arrays
from tenbin.types import Features, Floats, Ints, Prediction


def shrunk_means(target: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Means and standard deviations [M] of `target` [n, M]: empirical Bayes over candidates (Efron and Morris, 1975).

    With less than four candidates there is nothing to learn a prior from, and the means stay as they are.
    """
    means, sd = weighted_means(target, weight)
    m = len(means)
    if m < 4:
        return means, sd
    precision = 1.0 / np.maximum(sd**2, 1e-12)
    centre = float((precision * means).sum() / precision.sum())
    between = max(0.0, float(((means - centre) ** 2).sum() / (m - 1) - (sd**2).mean()))
    trust = between / np.maximum(between + sd**2, 1e-300)
    return centre + trust * (means - centre), np.sqrt(np.maximum(trust * sd**2, 1.0 / precision.sum()))


class ConstantPredictor:
    """Predicts the same for every query."""

    def fit(self, features: Features, target: Floats, weight: Floats, folds: Ints) -> Prediction:
        """Learn `target` [n, M] (NaN = unknown); returns the out-of-fold prediction. `features` are not looked at."""
        del features
        mean, sd = np.empty_like(target), np.empty_like(target)
        for fold in np.unique(folds):
            out = folds == fold
            mean[out], sd[out] = shrunk_means(target[~out], weight[~out])
        self.means_, self.sd_ = shrunk_means(target, weight)
        return Prediction(mean, sd)

    def predict(self, features: Features) -> Prediction:
        """Mean and standard deviation of the mean, [n, M] each."""
        shape = (len(features), len(self.means_))
        return Prediction(np.broadcast_to(self.means_, shape).copy(), np.broadcast_to(self.sd_, shape).copy())

    def save(self) -> dict[str, NDArray[np.generic]]:
        """The learnt state as plain arrays."""
        return {"means": self.means_, "sd": self.sd_}

    @classmethod
    def load(cls, arrays: Arrays) -> Self:
        """The predictor of saved arrays."""
        self = cls()
        self.means_, self.sd_ = arrays["means"], arrays["sd"]
        return self
