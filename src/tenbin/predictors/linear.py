"""Ridge regression of many targets from sufficient statistics: exact leave-one-out, a penalty for each target.

Everything comes from sums over rows (X'X, X'Z), by fold, so that a fit can be added up from parts, and taking a fold
out costs one subtraction. Leave-one-out residuals are exact by the identity e_i / (1 - h_i) (Allen's PRESS, 1974).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tenbin.types import Floats, Ints

PENALTIES = tuple(10.0 ** (k / 2) for k in range(11))
MOST_PRESS_ROWS = 8_000
"""Rows on which penalties are chosen; more change nothing but the time it takes."""


@dataclass(frozen=True, slots=True)
class LinearFit:
    """A fitted head: `slopes` [p, T] for centred columns, `penalty` [T], `noise` [T] the leave-one-out variance.

    `out_of_fold` [n, T] are predictions of the training rows by fits without their fold; `directions` [p, p] and
    `strength` [p] the eigenvectors and eigenvalues of X'X, descending.
    """

    slopes: Floats
    penalty: Floats
    noise: Floats
    out_of_fold: Floats
    directions: Floats
    strength: Floats


def fit_linear(x: Floats, z: Floats, folds: Ints, penalties: Sequence[float] = PENALTIES) -> LinearFit:
    """Fit `z` [n, T] on `x` [n, p] (both centred) with the penalty of least leave-one-out error for each target."""
    names = np.unique(folds)
    sums = {fold: _sums(x[folds == fold], z[folds == fold]) for fold in names}
    gram = np.sum([g for g, _ in sums.values()], axis=0)
    moment = np.sum([m for _, m in sums.values()], axis=0)
    strength, directions = _eigen(gram)
    rotated = directions.T @ moment
    penalty, noise = _choose_penalty(x, z, directions, strength, rotated, penalties)
    out_of_fold = np.zeros_like(z)
    if len(names) > 1:
        for fold in names:
            rows = folds == fold
            slopes = _solve(gram - sums[fold][0], moment - sums[fold][1], penalty)
            out_of_fold[rows] = x[rows] @ slopes
    slopes = directions @ (rotated / (strength[:, None] + penalty))
    return LinearFit(slopes, penalty, noise, out_of_fold, directions, strength)


def _sums(x: Floats, z: Floats) -> tuple[Floats, Floats]:
    return x.T @ x, x.T @ z


def _eigen(gram: Floats) -> tuple[Floats, Floats]:
    strength, directions = np.linalg.eigh(gram)
    return np.maximum(strength[::-1], 0.0), np.ascontiguousarray(directions[:, ::-1])


def _press(scores: Floats, z: Floats, strength: Floats, rotated: Floats, penalty: float, n: int) -> Floats:
    inverse = 1.0 / (strength + penalty)
    leverage = (scores**2) @ inverse + 1.0 / n
    return (z - scores @ (rotated * inverse[:, None])) / np.maximum(1.0 - leverage, 1e-6)[:, None]


def _choose_penalty(
    x: Floats, z: Floats, directions: Floats, strength: Floats, rotated: Floats, penalties: Sequence[float]
) -> tuple[Floats, Floats]:
    step = max(1, -(-len(x) // MOST_PRESS_ROWS))
    scores, targets = x[::step] @ directions, z[::step]
    errors = np.array(
        [(_press(scores, targets, strength, rotated, float(a), len(x)) ** 2).mean(axis=0) for a in penalties]
    )
    best = errors.argmin(axis=0)
    return np.array(penalties)[best], errors[best, np.arange(z.shape[1])]


def _solve(gram: Floats, moment: Floats, penalty: Floats) -> Floats:
    distinct = np.unique(penalty)
    if len(distinct) > 4:
        strength, directions = _eigen(gram)
        return directions @ ((directions.T @ moment) / (strength[:, None] + penalty))
    slopes = np.empty_like(moment)
    for value in distinct:
        at = penalty == value
        slopes[:, at] = np.linalg.solve(gram + value * np.eye(len(gram)), moment[:, at])
    return slopes
