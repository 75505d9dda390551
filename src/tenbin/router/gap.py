"""The gap between a candidate and the reference: errors that both share do not blur it."""

from __future__ import annotations

import numpy as np

from tenbin.types import Floats


def gap_sd(sd: Floats, correlation: Floats, reference: int) -> Floats:
    """Standard deviation [n, M] of q_m - q_reference from those of both and the correlation [M] of their errors."""
    own = sd[:, reference : reference + 1]
    shared = 2.0 * correlation * sd
    shared *= own
    variance = sd * sd
    variance += own * own
    variance -= shared
    np.maximum(variance, 0.0, out=variance)
    return np.sqrt(variance, out=variance)


def residual_correlation(residuals: Floats, reference: int) -> Floats:
    """Correlation [M] of each column's residuals with the reference's over the rows where both are known."""
    correlation = np.zeros(residuals.shape[1])
    for m in range(residuals.shape[1]):
        both = ~np.isnan(residuals[:, m]) & ~np.isnan(residuals[:, reference])
        a, b = residuals[both, m], residuals[both, reference]
        scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
        correlation[m] = float((a * b).sum()) / scale if scale > 0.0 else 0.0
    correlation[reference] = 1.0
    return correlation
