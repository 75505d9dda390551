"""A new candidate's mean and loadings from a few labels, drawn to those of the candidates that are known.

Empirical Bayes (Efron and Morris, JASA 1975): what the known candidates are like, each held against the others, is
the prior of the next one; Bayesian linear regression on the factors of the labelled rows does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenbin.online.abilities import Abilities
from tenbin.types import Floats

USUAL_MEAN_SD = 0.15
"""How far apart candidates' means lie where too few are known to tell."""
USUAL_LOADING_SHARE = 0.5
"""Standard deviation of a loading, as a share of its root mean square, where too few are known to tell."""
USUAL_CANDIDATES = 4.0
"""The usual spread counts like that many candidates."""
NOISE_LABELS = 15.0
"""What the known candidates say of the noise counts like that many labels."""
LEAST_NOISE = 0.01
"""Variance of a label: where all known candidates are always right nothing tells of it, and few labels are no proof."""
LARGEST_WEIGHT = 10.0
"""A label counts at most like that many usual ones: a rare one must not speak for all."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Posterior of (mean, loadings) [1 + K]: `centre`, `covariance`, and `freedom` of its Student t.

    `left_out` [L] is what each label was expected to be from the others.
    """

    centre: Floats
    covariance: Floats
    freedom: float
    left_out: Floats

    @classmethod
    def learn(cls, abilities: Abilities, factors: Floats, doubt: Floats, quality: Floats, weight: Floats) -> Newcomer:
        """From L labels: `factors` [L, K] of their rows with covariances `doubt` [L, K, K], `quality` and `weight` [L].

        Weights are 1 / label propensity; only their ratios matter.
        """
        expected, spread = prior(abilities)
        relative = np.minimum(weight / np.median(weight), LARGEST_WEIGHT)
        relative = relative / relative.mean()
        x = np.hstack([np.ones((len(factors), 1)), factors])
        blurred = np.einsum("k,nkl,l->n", expected[1:], doubt, expected[1:])
        usual = max(float(abilities.noise.mean()), LEAST_NOISE)
        noise = usual
        residual = quality - x @ expected
        for _ in range(2):
            variance = (noise + blurred) / relative
            covariance = np.linalg.inv(np.linalg.inv(spread) + (x.T / variance) @ x)
            centre = expected + covariance @ (x.T @ (residual / variance))
            error = quality - x @ centre
            within = float((relative * np.maximum(error**2 - blurred, 0.0)).sum())
            noise = max((NOISE_LABELS * usual + within) / (NOISE_LABELS + len(x)), LEAST_NOISE)
        leverage = np.einsum("nk,kl,nl->n", x, covariance, x) / variance
        left_out = quality - error / np.maximum(1.0 - leverage, 1e-6)
        return cls(centre, covariance, NOISE_LABELS + len(x), left_out)

    def draws(self, count: int, rng: np.random.Generator) -> Floats:
        """`count` draws [count, 1 + K] of mean and loadings from the posterior."""
        size, axes = np.linalg.eigh(self.covariance)
        root = axes * np.sqrt(np.maximum(size, 0.0))
        scale = np.sqrt(self.freedom / rng.chisquare(self.freedom, (count, 1)))
        drawn: Floats = self.centre + scale * (rng.standard_normal((count, len(self.centre))) @ root.T)
        return drawn


def prior(abilities: Abilities) -> tuple[Floats, Floats]:
    """Mean [1 + K] and covariance [1 + K, 1 + K] of (mean, loadings) of a candidate not seen yet."""
    known = np.column_stack([abilities.means, abilities.loadings])
    m = len(known)
    expected = known.mean(axis=0)
    apart = known - expected
    usual = (USUAL_LOADING_SHARE**2) * (known**2).mean(axis=0)
    usual[0] = USUAL_MEAN_SD**2
    scatter = apart.T @ apart + USUAL_CANDIDATES * np.diag(usual)
    return expected, scatter / (m - 1.0 + USUAL_CANDIDATES) * (1.0 + 1.0 / m)
