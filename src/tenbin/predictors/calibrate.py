"""Making predicted quality mean what it says: a monotone map from predicted to observed, learnt out of fold.

A sum of linear heads is straight where the truth bends towards 0 and 1. One map serves all candidates, so that it
never reorders them, and it is drawn to the identity where few rows speak (isotonic regression: Ayer et al., 1955).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenbin.protocols import Arrays
from tenbin.types import Floats

BINS = 20
PRIOR_ROWS = 150.0
"""A bin is believed like r / (r + 150), r being its number of rows (cells of one row err together)."""
LEAST_SLOPE = 0.1
IDENTITY = (-1.0, 2.0)


@dataclass(frozen=True, slots=True)
class CalibrationMap:
    """A piecewise linear map: `knots` [k] predicted, `levels` [k] what they mean; beyond the ends it goes on gently."""

    knots: Floats
    levels: Floats

    @classmethod
    def learn(cls, predicted: Floats, target: Floats, weight: Floats) -> CalibrationMap:
        """From out-of-fold predictions, outcomes (NaN = unknown) and weights, [n, M] each."""
        known = ~np.isnan(target)
        rows = float(known.any(axis=1).sum())
        said, got, w = predicted[known], target[known], weight[known]
        if rows < 2 * BINS or np.ptp(said) < 1e-9:
            return cls(np.array(IDENTITY), np.array(IDENTITY))
        bins = np.array_split(np.argsort(said, kind="stable"), BINS)
        mass = np.array([w[b].sum() for b in bins])
        centre = np.array([(w[b] * said[b]).sum() for b in bins]) / mass
        level = np.array([(w[b] * got[b]).sum() for b in bins]) / mass
        trust = rows / BINS / (rows / BINS + PRIOR_ROWS)
        fitted = _increasing(level, mass)
        drawn = centre + trust * (fitted - centre)
        floor = drawn[0] + LEAST_SLOPE * (centre - centre[0])
        return cls(centre, np.clip(np.maximum.accumulate(np.maximum(drawn, floor)), 0.0, 1.0))

    def means(self, predicted: Floats) -> Floats:
        """Calibrated means; between 0 and 1."""
        # np.interp is level beyond the ends; there the map goes on gently, so that ties stay rare.
        inside = np.interp(predicted, self.knots, self.levels)
        beyond = predicted - np.minimum(np.maximum(predicted, self.knots[0]), self.knots[-1])
        calibrated: Floats = np.minimum(np.maximum(inside + LEAST_SLOPE * beyond, 0.0), 1.0)
        return calibrated

    def save(self) -> dict[str, NDArray[np.generic]]:
        """The state as arrays."""
        return {"knots": self.knots, "levels": self.levels}

    @classmethod
    def load(cls, arrays: Arrays) -> CalibrationMap:
        """The map of saved arrays."""
        return cls(np.asarray(arrays["knots"], dtype=np.float64), np.asarray(arrays["levels"], dtype=np.float64))


def _increasing(level: Floats, mass: Floats) -> Floats:
    """Weighted isotonic fit by pooling adjacent violators."""
    blocks: list[list[float]] = []
    for value, weight in zip(level.tolist(), mass.tolist(), strict=True):
        blocks.append([value, weight, 1.0])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            last, before = blocks.pop(), blocks.pop()
            total = last[1] + before[1]
            blocks.append([(last[0] * last[1] + before[0] * before[1]) / total, total, last[2] + before[2]])
    return np.repeat([b[0] for b in blocks], [int(b[2]) for b in blocks])
