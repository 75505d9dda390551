"""Labels for an outcome table from a judge that a few people have checked."""

from __future__ import annotations

import numpy as np

from tenbin.types import Floats


def calibrated(judged: Floats, human: Floats, means: Floats, label_propensity: Floats | float = 1.0) -> Floats:
    """Qualities [n, M] in [0, 1] whose weighted mean over a candidate's graded answers is `means` [M].

    An answer that people have labelled gets their label. The judge's grades of the others are all drawn towards 0, or
    all towards 1, by one factor for each candidate: their order stays, and none leaves the range, as it would if a
    bias were merely taken off. A mean of NaN leaves a candidate's grades as they are. `judged` and `human` [n, M] are
    NaN where there is nothing.
    """
    labelled = ~np.isnan(human)
    quality = np.where(labelled, human, judged)
    weight = np.broadcast_to(1.0 / np.asarray(label_propensity, dtype=np.float64), judged.shape)
    for m in np.flatnonzero(~np.isnan(means)).tolist():
        rest = ~labelled[:, m] & ~np.isnan(judged[:, m])
        known = rest | labelled[:, m]
        if not rest.any():
            continue
        w = weight[:, m]
        total = float(means[m]) * float(w[known].sum()) - float(w[labelled[:, m]] @ human[labelled[:, m], m])
        wanted = min(max(total / float(w[rest].sum()), 0.0), 1.0)
        said = float(w[rest] @ judged[rest, m]) / float(w[rest].sum())
        quality[rest, m] = _drawn(judged[rest, m], said, wanted)
    return quality


def _drawn(values: Floats, mean: float, wanted: float) -> Floats:
    """Values in [0, 1] of this mean, drawn towards 0 or 1 so that their mean is the wanted one."""
    if wanted <= mean:
        return values * (wanted / mean if mean > 0.0 else 1.0)
    return 1.0 - (1.0 - values) * ((1.0 - wanted) / (1.0 - mean))
