"""A kernel by landmarks: how close a query is to some typical ones, so that a linear head can bend (Nystroem's idea).

Williams and Seeger, "Using the Nystroem method to speed up kernel machines", NIPS 2000. Two widths: the wide one bends
gently, the narrow one (half as wide) is a smooth neighbourhood vote, the local residual of the stack.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenbin.predictors.rowwise import Tiled
from tenbin.protocols import Arrays
from tenbin.types import Floats

MOST_LANDMARKS = 320
ROWS_PER_LANDMARK = 3
SAMPLE = 4_000
KERNEL_SCALE = 2.0


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Maps design columns [n, p] to closeness features [n, 2L]: wide, then narrow, centred on the training rows."""

    points: Tiled
    half_square: Floats
    inverse_width: float
    centre: Floats
    scale: Floats

    @classmethod
    def learn(cls, x: Floats, seed: int) -> Landmarks:
        """Draw landmarks from the training rows `x` [n, p] and learn the width and centres."""
        rng = np.random.default_rng(seed)
        count = min(MOST_LANDMARKS, max(1, len(x) // ROWS_PER_LANDMARK))
        points = _spread_out(x, count, rng)
        half_square = 0.5 * (points**2).sum(axis=1)
        sample = x[rng.permutation(len(x))[:SAMPLE]]
        squared = _squared_distances(sample, half_square, sample @ points.T)
        width = float(np.median(squared))
        inverse_width = 1.0 / width if width > 0.0 else 1.0
        draft = cls(Tiled.of(points.T), half_square, inverse_width, np.zeros(2 * count), np.ones(2 * count))
        raw = draft.features(x)
        centre = raw.mean(axis=0)
        size = np.sqrt(np.maximum(((raw - centre) ** 2).mean(axis=0), 1e-12))
        # One scale per width: a landmark that few rows are near must not be blown up to the size of the others.
        scale = np.repeat([_scale(size[:count]), _scale(size[count:])], count)
        return cls(draft.points, half_square, inverse_width, centre, scale)

    @property
    def width(self) -> int:
        """How many features there are."""
        return len(self.centre)

    def features(self, x: Floats, out: Floats | None = None) -> Floats:
        """Closeness [n, 2L] of rows to landmarks."""
        if out is None:
            out = np.empty((len(x), self.width))
        wide, narrow = out[:, : self.width // 2], out[:, self.width // 2 :]
        squared = _squared_distances(x, self.half_square, self.points.product(x))
        squared *= -self.inverse_width
        np.exp(squared, out=wide)
        np.multiply(wide, wide, out=narrow)
        narrow *= narrow
        out -= self.centre
        out *= self.scale
        return out

    def save(self) -> dict[str, NDArray[np.generic]]:
        """The state as arrays."""
        return {
            "points": self.points.columns,
            "inverse_width": np.array(self.inverse_width),
            "centre": self.centre,
            "scale": self.scale,
        }

    @classmethod
    def load(cls, arrays: Arrays) -> Landmarks:
        """The landmarks of saved arrays."""
        points, centre, scale = (np.asarray(arrays[k], dtype=np.float64) for k in ("points", "centre", "scale"))
        return cls(Tiled.of(points.T), 0.5 * (points**2).sum(axis=1), float(arrays["inverse_width"]), centre, scale)


def _spread_out(x: Floats, count: int, rng: np.random.Generator) -> Floats:
    return x[np.sort(rng.permutation(len(x))[:count])]


def _squared_distances(x: Floats, half_square: Floats, cross: Floats) -> Floats:
    squared = half_square - cross
    squared *= 2.0
    squared += np.einsum("ij,ij->i", x, x)[:, None]
    return np.maximum(squared, 0.0, out=squared)


def _scale(size: Floats) -> float:
    length = float(np.sqrt((size**2).sum()))
    return KERNEL_SCALE / length if length > 1e-9 else 0.0
