"""After how many routed queries the labelling has paid for itself."""

from __future__ import annotations

import numpy as np

from tenbin.evaluate.intervals import interval, mean_interval, within
from tenbin.evaluate.result import Payback
from tenbin.types import Floats


def payback_of(labelling_usd: float, ratio: float, routed_usd: Floats, reference_usd: Floats) -> Payback:
    """Labelling dollars / dollars saved per query, from resampled mean costs [1 + R] of router and reference.

    NaN queries where nothing is saved (such resamples count as "never"), and where the dollars are not known.
    """
    saved = reference_usd - routed_usd
    with np.errstate(invalid="ignore", divide="ignore"):
        queries = np.where(saved > 0.0, labelling_usd / saved, np.nan)
    return Payback(labelling_usd, ratio, mean_interval(saved), within(interval(queries), 0.0))
