"""What the candidates' answers have in common: a few factors of every prompt, and how strongly each candidate loads.

Answers to one prompt succeed or fail together. With y_j(x) the quality of candidate j,

    y_j(x) = mean_j + loading_j . F(x) + e_j,      F(x) | text ~ Normal(foreseen(x), spread)

F are at most four factors (how hard, how mathematical, ...), fitted by maximum likelihood factor analysis (Rubin and
Thayer, Psychometrika 1982) on the training rows; the router's estimates foresee them for any text. A new candidate
then needs only its own mean and loadings, a handful of numbers instead of a regression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenbin.types import Floats

MOST_FACTORS = 4
CANDIDATES_PER_FACTOR = 3
STEPS = 60
LEAST_NOISE = 0.05
"""No candidate's own noise is taken for less than that share of its variance (Heywood cases)."""
LEAST_SPREAD = 0.05
SHARED = 0.5
"""What one or two candidates are taken to share with others, since they cannot tell."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """Means [M], loadings [M, K], noise variances [M]; factors have variance 1 over the training rows.

    `projection` [K, M] turns estimated qualities, less the means, into foreseen factors; `spread` [K, K] is the
    covariance of a row's factors around these.
    """

    means: Floats
    loadings: Floats
    noise: Floats
    projection: Floats
    spread: Floats

    @classmethod
    def learn(cls, observed: Floats, estimated: Floats, weight: Floats) -> Abilities:
        """From observed qualities (NaN = unknown), out-of-fold estimates and label weights, [n, M] each."""
        known = ~np.isnan(observed)
        w = np.where(known, weight, 0.0)
        means = (w * np.nan_to_num(observed)).sum(axis=0) / np.maximum(w.sum(axis=0), 1e-300)
        covariance = _covariance(np.where(known, observed - means, 0.0), w, np.cov(estimated.T, bias=True))
        loadings, noise = _factors(covariance)
        relative = loadings / noise[:, None]
        within = loadings.T @ relative
        projection = np.linalg.solve(within + 1e-9 * np.eye(len(within)) * np.trace(within), relative.T)
        foreseen = (estimated - means) @ projection.T
        unforeseen = np.eye(len(projection)) - np.atleast_2d(np.cov(foreseen.T, bias=True))
        size, axes = np.linalg.eigh(unforeseen)
        return cls(means, loadings, noise, projection, (axes * np.maximum(size, LEAST_SPREAD)) @ axes.T)

    def foreseen(self, estimated: Floats) -> Floats:
        """The factors [n, K] that estimates [n, M] foresee."""
        factors: Floats = (estimated - self.means) @ self.projection.T
        return factors

    def seen(self, observed: Floats, foreseen: Floats) -> tuple[Floats, Floats]:
        """The factors [n, K] of rows whose outcomes [n, M] are known (NaN: not), and their covariances [n, K, K]."""
        known = ~np.isnan(observed)
        precision = np.where(known, 1.0 / self.noise, 0.0)
        prior = np.linalg.inv(self.spread)
        covariance = np.linalg.inv(prior + np.einsum("nm,mk,ml->nkl", precision, self.loadings, self.loadings))
        surprise = np.where(known, observed - self.means - foreseen @ self.loadings.T, 0.0)
        moved = np.einsum("nkl,nl->nk", covariance, (precision * surprise) @ self.loadings)
        return foreseen + moved, covariance


def _covariance(centred: Floats, weight: Floats, estimated: Floats) -> Floats:
    """Weighted covariance [M, M] over the rows where both are known; that of the estimates where no row tells."""
    root = np.sqrt(weight)
    together, count = (root * centred).T @ (root * centred), root.T @ root
    covariance = np.where(count > 0.0, together / np.where(count > 0.0, count, 1.0), np.atleast_2d(estimated))
    size, axes = np.linalg.eigh(covariance)
    positive: Floats = (axes * np.maximum(size, 1e-6)) @ axes.T
    return positive


def _factors(covariance: Floats) -> tuple[Floats, Floats]:
    """Loadings [M, K] and noise [M] of most likelihood; the factors in order of what they explain, mostly positive."""
    m = len(covariance)
    own = np.maximum(np.diag(covariance), 1e-6)
    if m <= CANDIDATES_PER_FACTOR - 1:
        return np.sqrt(SHARED * own)[:, None], (1.0 - SHARED) * own
    k = min(MOST_FACTORS, m // CANDIDATES_PER_FACTOR)
    size, axes = np.linalg.eigh(covariance)
    rest = size[: m - k].mean()
    loadings = axes[:, ::-1][:, :k] * np.sqrt(np.maximum(size[::-1][:k] - rest, 1e-6))
    noise = np.maximum(own - (loadings**2).sum(axis=1), LEAST_NOISE * own)
    for _ in range(STEPS):
        relative = loadings.T / noise
        left = np.linalg.inv(np.eye(k) + relative @ loadings)
        given = covariance @ (left @ relative).T
        loadings = given @ np.linalg.inv(left + (left @ relative) @ given)
        noise = np.maximum(own - np.einsum("mk,mk->m", loadings, given), LEAST_NOISE * own)
    _, _, turn = np.linalg.svd(loadings / np.sqrt(noise)[:, None])
    loadings = loadings @ turn.T
    sign = np.sign(loadings.sum(axis=0))
    return loadings * np.where(sign == 0.0, 1.0, sign), noise
