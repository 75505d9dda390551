"""How far to believe each head: non-negative stacking weights, shrunk as far as the evidence is thin.

Heads are weighed by how well they predicted rows they had not seen. The common factor has its own weights; deviations
pool theirs, since sixteen candidates' worth of separate weights would be sixteen chances to win by luck. A positive
part James-Stein factor then takes off what an equally good fit to pure noise would have earned.
"""

from __future__ import annotations

import numpy as np

from tenbin.types import Floats

SLOPE_PRIOR_SD = 0.3
"""How far, a priori, one direction's slope lies from the pooled one."""
STEPS = 200


def stacking_weights(heads: list[Floats], scores: Floats) -> Floats:
    """Weights [k, T] of k heads' out-of-fold predictions [n, T] of `scores` [n, T]."""
    stacked = np.stack(heads)
    variance = np.maximum(scores.var(axis=0), 1e-300)
    weights = np.zeros((len(heads), scores.shape[1]))
    for columns in (slice(0, 1), slice(1, None)):
        part, target, noise = stacked[:, :, columns], scores[:, columns], variance[columns]
        if target.size == 0:
            continue
        normal = np.einsum("ant,bnt,t->ab", part, part, 1.0 / noise, optimize=True)
        moment = np.einsum("ant,nt,t->a", part, target, 1.0 / noise, optimize=True)
        pooled = non_negative(normal, moment)
        combined = np.tensordot(pooled, part, axes=1)
        weights[:, columns] = pooled[:, None] * _slopes(combined, target, noise)
    return weights


def non_negative(normal: Floats, moment: Floats) -> Floats:
    """The w >= 0 [k] that minimises w'Nw - 2 m'w, by coordinate descent; a unit of noise is added to every head."""
    w = np.zeros(len(moment))
    diagonal = np.diag(normal)
    # A standard normal prior with the noise of one: nothing with plenty of rows, caution with fifty.
    for _ in range(STEPS):
        before = w.copy()
        for k in range(len(w)):
            if diagonal[k] > 1e-12:
                w[k] = max(0.0, (moment[k] - normal[k] @ w + diagonal[k] * w[k]) / (diagonal[k] + 1.0))
        if np.abs(w - before).max() < 1e-10:
            break
    return w


def _slopes(combined: Floats, target: Floats, noise: Floats) -> Floats:
    """For each direction the slope of the truth on the combination, drawn to the pooled one and to nought."""
    power = (combined**2).sum(axis=0)
    alive = power > 1e-12
    safe = np.where(alive, power, 1.0)
    raw = np.where(alive, (combined * target).sum(axis=0) / safe, 0.0)
    error = noise / safe
    own = (SLOPE_PRIOR_SD**2 * raw + error * 1.0) / (SLOPE_PRIOR_SD**2 + error)
    # What the pooled combination explains, in units of what noise alone would have: F of about 1 is no evidence.
    gained = float(((combined * target).sum(axis=0) / noise)[alive].sum())
    worth = max(0.0, 1.0 - 1.0 / gained) if gained > 0.0 else 0.0
    return np.where(alive, np.clip(own, 0.0, 1.25), 0.0) * worth
