"""How much the training rows say about a query: standard deviations that grow where evidence is thin.

The ridge posterior's variance x' A^-1 x (Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2.1),
kept one by one for the best-known directions and pooled for the rest, so that it costs a few small products.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenbin.predictors.factors import Factors
from tenbin.predictors.linear import LinearFit
from tenbin.predictors.rowwise import Tiled
from tenbin.protocols import Arrays
from tenbin.types import Floats

LEADING = 32


@dataclass(frozen=True, slots=True)
class Posterior:
    """`directions` [p, r + 1] of the design, the last one zeros, where what lies elsewhere finds its place; `inverse`
    [r + 1, T] noise / (strength + penalty) along each and elsewhere.

    `of_candidates` [r + 1, M] is the same for every candidate, `of_means` [M] the variance of its mean.
    """

    directions: Tiled
    inverse: Floats
    of_candidates: Tiled
    of_means: Floats

    @classmethod
    def of(cls, directions: Floats, inverse: Floats, factors: Factors) -> Posterior:
        """The posterior along `directions` [p, r] on the candidates whose factors are given."""
        room, of_candidates = np.zeros((len(directions), 1)), inverse @ (factors.rotation**2).T
        return cls(Tiled.of(np.hstack([directions, room])), inverse, Tiled.of(of_candidates), factors.mean_sd**2)

    @classmethod
    def learn(cls, fit: LinearFit, residual: Floats, factors: Factors, believed: Floats | float = 1.0) -> Posterior:
        """From the ridge head, out-of-fold residuals [n, T], and the share [T] of the head that is believed."""
        kept = min(LEADING, len(fit.strength))
        rest = fit.strength[kept:]
        strength = np.append(fit.strength[:kept], rest.mean() if rest.size else 0.0)
        noise = residual.var(axis=0) * np.minimum(believed, 1.0) ** 2
        return cls.of(fit.directions[:, :kept], noise / (strength[:, None] + fit.penalty), factors)

    def sd(self, x: Floats) -> Floats:
        """Standard deviation [n, M] of the predicted means at design columns `x` [n, p]."""
        return np.sqrt(self.variance(x))

    def variance(self, x: Floats) -> Floats:
        """The square of `sd`."""
        along = self.directions.product(x)
        along *= along
        along[:, -1] = np.maximum(np.einsum("ij,ij->i", x, x) - along.sum(axis=1), 0.0)
        variance = self.of_candidates.product(along)
        variance += self.of_means
        return variance

    def save(self) -> dict[str, NDArray[np.generic]]:
        """The state as arrays."""
        return {"directions": self.directions.weights[:, :-1], "inverse": self.inverse}

    @classmethod
    def load(cls, arrays: Arrays, factors: Factors) -> Posterior:
        """The posterior of saved arrays."""
        return cls.of(np.asarray(arrays["directions"]), np.asarray(arrays["inverse"]), factors)
