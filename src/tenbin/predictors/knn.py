"""CARROT-kNN, the field's own baseline: mean of the k nearest training queries by cosine, k by cross-validation.

Somerstep et al., "CARROT: A Cost AwaRe Rate Optimal rouTer", arXiv 2502.03261, section 4. Written from the paper.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from tenbin.predictors.canonical import canonical_order
from tenbin.predictors.factors import weighted_means
from tenbin.protocols import Arrays
from tenbin.types import Features, Float32s, Floats, Ints, Prediction

NEIGHBOURS = (5, 10, 20, 40, 80, 160)
MOST_CHOOSING_ROWS = 2_000
"""Rows on which k is chosen, each against the training rows of the other folds."""
BLOCK = 256
ROWS_AT_ONCE = 16


class KnnPredictor:
    """Mean outcome of the k nearest training queries; a candidate without a label among them gets its mean."""

    def fit(self, features: Features, target: Floats, weight: Floats, folds: Ints) -> Prediction | None:
        """Store `target` [n, M] (NaN = unknown) beside the vectors and choose k by cross-validation over `folds`.

        Returns None: as many neighbour searches as rows are left to who needs them.
        """
        order = canonical_order(features, target)
        order = order[~np.isnan(target[order]).all(axis=1)]
        self.vectors_ = _unit(features.vectors[order])
        self.targets_ = target[order].copy()
        self.weight_ = np.where(np.isnan(self.targets_), 0.0, weight[order])
        self.means_, self.mean_sd_ = weighted_means(self.targets_, self.weight_)
        self.k_ = self._choose(folds[order])
        return None

    def predict(self, features: Features) -> Prediction:
        """Mean and standard deviation of the mean, [n, M] each."""
        n, m = len(features), len(self.means_)
        mean, sd = np.empty((n, m)), np.empty((n, m))
        vectors = _unit(features.vectors)
        padded = np.zeros((ROWS_AT_ONCE, vectors.shape[1]), dtype=np.float32)
        for start in range(0, n, ROWS_AT_ONCE):
            rows = slice(start, min(start + ROWS_AT_ONCE, n))
            # Always the same shape: a row's neighbours must not depend on how many rows were asked for.
            padded[: rows.stop - start] = vectors[rows]
            near = _nearest((padded @ self.vectors_.T)[: rows.stop - start], self.k_)
            mean[rows], sd[rows] = self._average(self.targets_[near], self.weight_[near])
        return Prediction(mean, sd)

    def _average(self, values: Floats, weight: Floats) -> tuple[Floats, Floats]:
        total = weight.sum(axis=1)
        known = total > 0.0
        safe = np.where(known, total, 1.0)
        mean = (weight * np.nan_to_num(values)).sum(axis=1) / safe
        square = (weight * np.nan_to_num(values - mean[:, None, :]) ** 2).sum(axis=1) / safe
        effective = total**2 / np.maximum((weight**2).sum(axis=1), 1e-300)
        sd = np.sqrt((square * effective + self.mean_sd_**2) / np.maximum(effective, 1.0) ** 2)
        return np.where(known, mean, self.means_), np.where(known, sd, self.mean_sd_)

    def _choose(self, folds: Ints) -> int:
        """The k of least squared error over held-out rows, each candidate counting by its own variance."""
        rows = np.arange(len(folds))[:: max(1, -(-len(folds) // MOST_CHOOSING_ROWS))]
        variance = np.maximum(_mean_square(self.targets_ - self.means_, self.weight_), 1e-12)
        ks = [k for k in NEIGHBOURS if k < len(folds)] or [max(1, len(folds) - 1)]
        error = np.zeros(len(ks))
        for start in range(0, len(rows), BLOCK):
            part = rows[start : start + BLOCK]
            closeness = self.vectors_[part] @ self.vectors_.T
            closeness[folds[part][:, None] == folds[None, :]] = -2.0
            near = _nearest(closeness, min(ks[-1], len(folds)))
            values, weight = self.targets_[near], self.weight_[near]
            for i, k in enumerate(ks):
                mean, _ = self._average(values[:, :k], weight[:, :k])
                miss = self.weight_[part] * np.nan_to_num(self.targets_[part] - mean) ** 2
                error[i] += float((miss / variance).sum())
        return ks[int(error.argmin())]

    def save(self) -> dict[str, NDArray[np.generic]]:
        """The learnt state as plain arrays."""
        return {
            "vectors": self.vectors_,
            "targets": self.targets_,
            "weight": self.weight_,
            "means": self.means_,
            "mean_sd": self.mean_sd_,
            "k": np.array(self.k_),
        }

    @classmethod
    def load(cls, arrays: Arrays) -> Self:
        """The predictor of saved arrays."""
        self = cls()
        self.vectors_, self.targets_, self.weight_ = arrays["vectors"], arrays["targets"], arrays["weight"]
        self.means_, self.mean_sd_, self.k_ = arrays["means"], arrays["mean_sd"], int(arrays["k"])
        return self


def _unit(vectors: Float32s) -> Float32s:
    length = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    return np.ascontiguousarray(vectors / np.where(length > 0.0, length, 1.0), dtype=np.float32)


def _mean_square(values: Floats, weight: Floats) -> Floats:
    total = weight.sum(axis=0)
    mean: Floats = (weight * np.nan_to_num(values) ** 2).sum(axis=0) / np.where(total > 0.0, total, 1.0)
    return mean


def _nearest(closeness: Float32s, k: int) -> Ints:
    """Column numbers [n, k] of the k largest of each row, closest first, ties by column."""
    k = min(k, closeness.shape[1])
    near = np.argpartition(-closeness, k - 1, axis=1)[:, :k] if k < closeness.shape[1] else None
    if near is None:
        return np.argsort(-closeness, axis=1, kind="stable")
    near.sort(axis=1)
    order = np.argsort(-np.take_along_axis(closeness, near, axis=1), axis=1, kind="stable")
    return np.take_along_axis(near, order, axis=1)
