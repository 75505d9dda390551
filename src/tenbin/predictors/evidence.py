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
from tenbin.predictors.rowwise import product
from tenbin.protocols import Arrays
from tenbin.types import Floats

LEADING = 32


@dataclass(frozen=True, slots=True)
class Evidence:
    """`directions` [p, r] of the design; `inverse` [r + 1, T] noise / (strength + penalty) along each and elsewhere."""

    directions: Floats
    inverse: Floats

    @classmethod
    def learn(cls, fit: LinearFit, residual: Floats, believed: Floats | float = 1.0) -> Evidence:
        """From the ridge head, out-of-fold residuals [n, T], and the share [T] of the head that is believed."""
        kept = min(LEADING, len(fit.strength))
        rest = fit.strength[kept:]
        strength = np.append(fit.strength[:kept], rest.mean() if rest.size else 0.0)
        noise = residual.var(axis=0) * np.minimum(believed, 1.0) ** 2
        return cls(fit.directions[:, :kept].copy(), noise / (strength[:, None] + fit.penalty))

    def sd(self, x: Floats, factors: Factors) -> Floats:
        """Standard deviation [n, M] of the predicted means at design columns `x` [n, p]."""
        along = product(x, self.directions)
        along *= along
        rest = np.maximum(np.einsum("ij,ij->i", x, x) - along.sum(axis=1), 0.0)
        variance = product(np.column_stack([along, rest]), self.inverse @ (factors.rotation**2).T)
        return np.sqrt(variance + factors.mean_sd**2)

    def save(self) -> dict[str, NDArray[np.generic]]:
        """The state as arrays."""
        return {"directions": self.directions, "inverse": self.inverse}

    @classmethod
    def load(cls, arrays: Arrays) -> Evidence:
        """The evidence of saved arrays."""
        return cls(np.asarray(arrays["directions"]), np.asarray(arrays["inverse"]))
