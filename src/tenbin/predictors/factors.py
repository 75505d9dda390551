"""What M targets have in common, and how they differ: the coordinates in which every head learns.

Answers to one query succeed or fail together: most of the variance of quality (and of log tokens) is one common
factor, while decisions only need differences between candidates. Learning each candidate by itself lets the noise
of the common factor into the differences; rotated, every direction gets the shrinkage that its own evidence bears
(the reduced-rank idea of Breiman and Friedman, "curds and whey", 1997). On 16 near-tied models this is worth more
than any choice of regressor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenbin.protocols import Arrays
from tenbin.types import Bools, Floats

ROW_PRIOR_CELLS = 2.0
"""A row's own level is believed like k / (k + 2) after k answers, where it stands in for a missing one."""
LARGEST_WEIGHT = 10.0
"""A cell counts at most like that many in contextual heads (means are never cut)."""
LEAST_LABELS = 100
"""A candidate with fewer, and fewer than half of the most, is taken to deviate from the others by its mean alone."""
MOST_FACTORS = 24
NO_SPREAD = 1e-12
"""Below this share of all that varies, a deviation is what rounding leaves of candidates that never differ."""


@dataclass(frozen=True, slots=True)
class Factors:
    """Means [M], their standard errors [M], and the rotation [M, T]: column 0 the common factor, then deviations.

    There are at most M - 1 of these, and fewer where some candidates always differ by the same.
    """

    means: Floats
    mean_sd: Floats
    rotation: Floats

    @classmethod
    def learn(cls, target: Floats, weight: Floats) -> tuple[Factors, Floats]:
        """The factors of `target` [n, M] (NaN = unknown) under `weight` [n, M], and its scores [n, T].

        Every weighted mean is unbiased when the weights are 1 / label propensity: an unknown or down-weighted cell
        is completed as expected + weight x (seen - expected), the doubly robust pseudo-outcome (Dudik et al.,
        arXiv 1103.4601), expected being the candidate's mean plus the row's own shrunk level. A candidate that has far
        fewer labels than others follows the common factor and has no deviations of its own.
        """
        known = ~np.isnan(target)
        means, mean_sd = weighted_means(target, weight)
        telling = _telling(known)
        completed = _complete((target - means)[:, telling], known[:, telling], weight[:, telling])
        completed -= completed.mean(axis=0)
        own = _rotation(completed)
        rotation = np.zeros((len(means), own.shape[1]))
        rotation[telling] = own
        rotation[~telling, 0] = own[0, 0]
        return cls(means, mean_sd, rotation), completed @ own

    @property
    def size(self) -> int:
        """How many factors there are."""
        return int(self.rotation.shape[1])

    def save(self) -> dict[str, NDArray[np.generic]]:
        """The state as arrays."""
        return {"means": self.means, "mean_sd": self.mean_sd, "rotation": self.rotation}

    @classmethod
    def load(cls, arrays: Arrays) -> Factors:
        """The factors of saved arrays."""
        return cls(*(np.asarray(arrays[name], dtype=np.float64) for name in ("means", "mean_sd", "rotation")))


def weighted_means(target: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Weighted mean and its standard error, [M] each; a candidate never seen gets the mean and spread of all."""
    known = ~np.isnan(target)
    w = np.where(known, weight, 0.0)
    values = np.where(known, target, 0.0)
    total = w.sum(axis=0)
    seen = total > 0.0
    overall = float((w * values).sum() / total.sum()) if seen.any() else 0.0
    safe = np.where(seen, total, 1.0)
    means = np.where(seen, (w * values).sum(axis=0) / safe, overall)
    residual = np.where(known, target - means, 0.0)
    variance = (w * residual**2).sum(axis=0) / safe
    pooled = float((w * residual**2).sum() / total.sum()) if seen.any() else 1.0
    effective = np.where(seen, total**2 / np.maximum((w**2).sum(axis=0), 1e-300), 0.0)
    # The pooled variance counts as two answers: three equal answers do not make a mean certain.
    spread = (effective * variance + 2.0 * pooled) / (effective + 2.0)
    return means, np.sqrt(spread / np.maximum(effective, 0.5))


def _telling(known: Bools) -> Bools:
    """The candidates [M] that have labels enough, next to the others, to show how they deviate.

    Completing the rest of a column from a few labels makes noise of it, and where a pilot has set most candidates aside
    such columns hid the deviations of those that matter (docs/LOG.md).
    """
    count = known.sum(axis=0)
    telling: Bools = (count >= LEAST_LABELS) | (2 * count >= count.max())
    return telling


def _complete(centred: Floats, known: Bools, weight: Floats) -> Floats:
    if known.all() and np.all(weight == 1.0):
        return centred
    values = np.where(known, centred, 0.0)
    count = known.sum(axis=1, keepdims=True)
    expected = np.broadcast_to(values.sum(axis=1, keepdims=True) / (count + ROW_PRIOR_CELLS), centred.shape)
    w = np.where(known, weight, 0.0)
    relative = np.minimum(w * len(w) / np.maximum(w.sum(axis=0), 1e-300), LARGEST_WEIGHT)
    completed: Floats = expected + relative * np.where(known, values - expected, 0.0)
    return completed


def _rotation(completed: Floats) -> Floats:
    m = completed.shape[1]
    common = np.full((m, 1), 1.0 / np.sqrt(m))
    if m == 1:
        return common
    deviation = completed - completed.mean(axis=1, keepdims=True)
    power, vectors = np.linalg.eigh(deviation.T @ deviation)
    # The last of M directions is the common one again (deviations have no part in it).
    most = slice(min(m - 1, MOST_FACTORS - 1))
    kept = vectors[:, ::-1][:, most][:, power[::-1][most] > NO_SPREAD * np.square(completed).sum()]
    sign = np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(kept.shape[1])])
    return np.hstack([common, kept * np.where(sign == 0.0, 1.0, sign)])
