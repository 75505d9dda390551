"""The stored cross-fitted learning curve as figures: how the gain over the zero router grew with training prompts."""

from __future__ import annotations

from tenbin.evaluate.metrics import curve_hull, scale_of
from tenbin.evaluate.result import LearningPoint
from tenbin.router.learning_curve import LearningCurve


def learning_points(curve: LearningCurve | None) -> tuple[LearningPoint, ...]:
    """One point per training size, each against the single models on the same held-out rows (none: no points).

    Figures: aiq, aiq_log, zero_aiq, zero_aiq_log, gain, gain_log, peak_quality.
    """
    if curve is None:
        return ()
    points = []
    for k, n_rows in enumerate(curve.n_rows.tolist()):
        scale = scale_of(curve.single_quality[k], curve.single_cost_usd[k])
        hull = curve_hull(curve.cost_usd[k].tolist(), curve.quality[k].tolist(), scale)
        low, high = scale.low_usd, scale.high_usd
        aiq, aiq_log = hull.mean_height(low, high), hull.mean_height_log(low, high)
        zero, zero_log = scale.zero.mean_height(low, high), scale.zero.mean_height_log(low, high)
        figures = {
            "aiq": aiq,
            "aiq_log": aiq_log,
            "zero_aiq": zero,
            "zero_aiq_log": zero_log,
            "gain": aiq - zero,
            "gain_log": aiq_log - zero_log,
            "peak_quality": hull.quality[-1],
        }
        points.append(LearningPoint(int(n_rows), figures))
    return tuple(points)
