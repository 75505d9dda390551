"""How much more a new candidate uses than the others: tokens, dollars or seconds as a multiple of their common level.

Lengths correlate strongly across models, so the ratio of totals on the same prompts is known after a few answers. It
is drawn to 1 as far as labels are few, by how far the known candidates lie from their own common level.
"""

from __future__ import annotations

import numpy as np

from tenbin.router.leanings import geometric_means
from tenbin.types import Bools, Floats, Ints

LEAST_SHARE = 1e-3
"""An answer below that share of the common level counts as that: an empty one has no logarithm."""
USUAL_SD = 0.7
"""How far apart candidates lie, in logarithms, where too few are known to tell; counts like two candidates."""
USUAL_CANDIDATES = 2.0
USUAL_NOISE_SD = 0.6
"""How far single answers lie around their candidate's multiple, in logarithms; counts like ten answers."""
USUAL_ANSWERS = 10.0


def multiple_of(
    own: Floats, rows: Ints, foreseen: Floats, observed: Floats, estimated: Floats, shares: Floats
) -> float:
    """The newcomer's multiple of what `Leanings` takes for the common level; NaN where nothing of it was measured.

    `own` [L] of its answers, on training rows `rows` [L] (-1: another prompt); `foreseen` [L, M] estimates of the known
    candidates there; `observed` and `estimated` [n, M] of theirs on the training rows.
    """
    measured = ~np.isnan(own)
    if not measured.any():
        return np.nan
    complete: Bools = np.logical_not(np.isnan(observed).any(axis=1))
    said = geometric_means(estimated, shares[None])[:, 0]
    got = geometric_means(observed, shares[None])[:, 0]  # NaN where not all of them are known
    bias = float(got[complete].sum() / said[complete].sum()) if complete.any() else 1.0
    level = bias * geometric_means(foreseen, shares[None])[:, 0]
    known = (rows >= 0) & complete[rows]
    level[known] = got[rows[known]]
    own, level = own[measured], np.maximum(level[measured], 1e-300)
    used = np.maximum(own, LEAST_SHARE * level)
    ratio = float(np.log(used.sum() / level.sum()))
    apart = _apart(observed[complete], got[complete])
    scatter = float(((np.log(used / level) - np.log(used / level).mean()) ** 2).sum())
    noise = (USUAL_ANSWERS * USUAL_NOISE_SD**2 + scatter) / (USUAL_ANSWERS + len(own) - 1.0) / len(own)
    return bias * float(np.exp(ratio * apart / (apart + noise)))


def _apart(observed: Floats, level: Floats) -> float:
    """Variance of the known candidates' log multiples around 0."""
    if not len(observed):
        return USUAL_SD**2
    logs = np.log(np.maximum(observed.sum(axis=0), 1e-12) / max(float(level.sum()), 1e-12))
    return float((USUAL_CANDIDATES * USUAL_SD**2 + (logs**2).sum()) / (USUAL_CANDIDATES + len(logs)))
