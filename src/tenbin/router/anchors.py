"""The fixed numbers that scale the loss, read off the training rows at a fit or when the reference changes."""

from __future__ import annotations

import numpy as np

from tenbin.risk import Anchors
from tenbin.router.crossfit import Crossfit, known_means
from tenbin.router.pricing import Pricing


def anchors_of(models: tuple[str, ...], pricing: Pricing, crossfit: Crossfit, reference: int) -> Anchors:
    """The reference's mean dollars and seconds; the dearest candidate's where it is free, NaN where it takes none."""
    observed, estimates = crossfit.observed, crossfit.estimates
    measured = pricing.observed_cost_usd(observed)
    dollars = known_means(measured, pricing.cost_usd(estimates), observed.weight)
    seconds = known_means(observed.latency_s, estimates.latency_s, observed.weight)
    c_ref = float(dollars[reference]) if dollars[reference] > 0.0 else float(np.nanmax(dollars))
    t_ref = float(seconds[reference])
    return Anchors(models[reference], c_ref if c_ref > 0.0 else 1.0, t_ref if t_ref > 0.0 else np.nan)
