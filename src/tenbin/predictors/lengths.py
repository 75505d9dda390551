"""Output tokens, seconds, or recorded dollars: learnt as logarithms, given back as unbiased means.

Lengths multiply: a talkative prompt makes every model talk, so the common factor of the stack is a shared verbosity.
The exponential of a mean logarithm is 8-10 % too low on real token counts, whose residuals are Student-t (nu about
4), so a normal correction would be wrong as well. Each candidate's mean is scaled by what it really was out of fold,
relative to the prediction (Duan's smearing, JASA 1983), shrunk to what all candidates have in common.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from tenbin.predictors.parts import part, prefixed
from tenbin.predictors.stack import StackPredictor
from tenbin.protocols import Arrays
from tenbin.types import Features, Floats, Ints, Prediction

LEVELS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99)
"""Probabilities at which residual quantiles are kept."""
FLOOR_SHARE = 1e-3
"""Values below this share of their candidate's mean count as that: an empty answer has no logarithm."""
PRIOR_ROWS = 30.0
"""A candidate's own scale and quantiles are believed like n / (n + 30)."""


class LengthHead:
    """A stack on the log scale for non-negative targets [n, M] in tokens, seconds or dollars."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, features: Features, target: Floats, weight: Floats, folds: Ints) -> Prediction:
        """Learn `target` [n, M] >= 0 (NaN = unknown); returns out-of-fold means in the target's unit."""
        w = np.where(np.isnan(target), 0.0, weight)
        values = np.nan_to_num(target)
        total = w.sum(axis=0)
        mean = np.where(total > 0.0, (w * values).sum(axis=0) / np.where(total > 0.0, total, 1.0), 0.0)
        floor = np.maximum(FLOOR_SHARE * mean, 1e-12)
        logs = np.where(np.isnan(target), np.nan, np.log(np.maximum(values, floor)))
        self.stack_ = StackPredictor(self.seed, calibrated=False)
        draft = self.stack_.fit(features, logs, weight, folds)
        known = logs[~np.isnan(logs)]
        self.range_ = np.array([known.min(), known.max()] if known.size else [0.0, 0.0])
        typical = np.exp(self._bounded(draft.mean))
        self.scale_ = _smearing(typical, values, w)
        self.residuals_ = _residual_quantiles(np.where(np.isnan(target), np.nan, logs - draft.mean), w)
        return self._means(draft)

    def predict(self, features: Features) -> Prediction:
        """Expected value and standard deviation of that mean, [n, M] each, in the target's unit."""
        return self._means(self.stack_.predict(features))

    def mean(self, features: Features) -> Floats:
        """The expected value alone [n, M], for who needs no more."""
        return self._mean(self.stack_.mean(features))

    def mean_of(self, sums: Floats) -> Floats:
        """The same of the sums [n, M] that the stack's look gave."""
        return self._mean(self.stack_.mean_of(sums))

    def quantile(self, features: Features, level: float) -> Floats:
        """The value [n, M] that a single answer stays below with probability `level` in [.01, .99]."""
        centre = self._bounded(self.stack_.mean(features))
        value: Floats = np.exp(centre + np.array([np.interp(level, LEVELS, q) for q in self.residuals_]))
        return value

    def _bounded(self, logs: Floats) -> Floats:
        bounded: Floats = np.minimum(np.maximum(logs, self.range_[0]), self.range_[1])
        return bounded

    def _means(self, logs: Prediction) -> Prediction:
        mean = self._mean(logs.mean)
        return Prediction(mean, mean * logs.sd)

    def _mean(self, logs: Floats) -> Floats:
        mean: Floats = np.exp(self._bounded(logs)) * self.scale_
        return mean

    def save(self) -> dict[str, NDArray[np.generic]]:
        """The learnt state as plain arrays."""
        own = {"range": self.range_, "scale": self.scale_, "residuals": self.residuals_}
        return own | prefixed("stack", self.stack_.save())

    @classmethod
    def load(cls, arrays: Arrays) -> Self:
        """The head of saved arrays."""
        stack = StackPredictor.load(part(arrays, "stack"))
        self = cls(stack.seed)
        self.stack_ = stack
        self.range_, self.scale_, self.residuals_ = arrays["range"], arrays["scale"], arrays["residuals"]
        return self


def _smearing(typical: Floats, values: Floats, weight: Floats) -> Floats:
    """Ratio [M] of true to typical totals, each shrunk to the ratio of all (every candidate counting alike)."""
    got, said = (weight * values).sum(axis=0), (weight * typical).sum(axis=0)
    rows = (weight > 0.0).sum(axis=0)
    seen = (said > 0.0) & (got > 0.0)
    own = np.log(np.where(seen, got, 1.0) / np.where(seen, said, 1.0))
    share = np.where(seen, rows / (rows + PRIOR_ROWS), 0.0)
    pooled = float((share * own).sum() / share.sum()) if share.sum() > 0.0 else 0.0
    ratio: Floats = np.exp(share * own + (1.0 - share) * pooled)
    return ratio


def _residual_quantiles(residuals: Floats, weight: Floats) -> Floats:
    """Weighted quantiles [M, levels] of log residuals, each candidate's shrunk to those of all."""
    pooled = _quantiles(residuals.ravel(), weight.ravel())
    out = np.empty((residuals.shape[1], len(LEVELS)))
    for m in range(residuals.shape[1]):
        rows = int((~np.isnan(residuals[:, m])).sum())
        share = rows / (rows + PRIOR_ROWS)
        out[m] = share * _quantiles(residuals[:, m], weight[:, m]) + (1.0 - share) * pooled if rows else pooled
    return out


def _quantiles(values: Floats, weight: Floats) -> Floats:
    known = ~np.isnan(values) & (weight > 0.0)
    if not known.any():
        return np.zeros(len(LEVELS))
    order = np.argsort(values[known], kind="stable")
    mass = np.cumsum(weight[known][order])
    quantiles: Floats = np.interp(LEVELS, (mass - 0.5 * weight[known][order]) / mass[-1], values[known][order])
    return quantiles
