"""What stacks make of features: closeness to landmarks, their sums, and how little the training rows say.

Stacks that were fitted on the same rows see alike: one look serves them all. Where the library was compiled and the
processor has AVX2, sight.c takes it in one pass; NumPy does the same otherwise, and results differ by rounding alone.
Either way a row never depends on the other rows, to the last bit.
"""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tenbin.compiled.library import NUMBER, POINTER, Library, fitting, open_library, place
from tenbin.predictors.design import Design
from tenbin.predictors.landmarks import Landmarks
from tenbin.predictors.posterior import Posterior
from tenbin.predictors.rowwise import Tiled
from tenbin.types import Features, Floats

FEW = 32
"""For more rows the interpreter's lock is given up: before, that would take longer than the work."""


class _Learnt(ctypes.Structure):
    """`Sight` of sight.c."""

    _fields_ = (
        *((name, POINTER) for name in ("points", "half_square", "centre", "scale")),
        *((name, POINTER) for name in ("columns", "directions", "of_candidates", "of_means")),
        ("inverse_width", ctypes.c_double),
        *((name, NUMBER) for name in ("p", "landmarks", "sums", "kept", "candidates")),
    )


class Look(NamedTuple):
    """What is seen of n queries: the sums [n, M] of each stack, and the variance [n, M] of the first one's means."""

    sums: tuple[Floats, ...]
    variance: Floats


class Sight:
    """The eyes of stacks that see alike, with the coefficients [p + c, M] of each; variances are the first one's.

    `library` is the compiled one (None: NumPy looks).
    """

    def __init__(
        self,
        design: Design,
        landmarks: Landmarks,
        posterior: Posterior,
        coefficients: Sequence[Tiled],
        library: Library | None,
    ) -> None:
        self.design, self.landmarks, self.posterior, self.coefficients = design, landmarks, posterior, coefficients
        self.columns = Tiled.of(np.hstack([own.weights for own in coefficients]))
        self._bounds = np.cumsum([own.q for own in coefficients])[:-1].tolist()
        can_see = library is not None and library.function("tenbin_can_see")()
        self._compiled = _Compiled(self, library) if library is not None and can_see else None

    @classmethod
    def opened(cls, design: Design, landmarks: Landmarks, posterior: Posterior, coefficients: Sequence[Tiled]) -> Sight:
        """The sight with the library of this installation."""
        return cls(design, landmarks, posterior, coefficients, open_library())

    def __reduce__(self) -> tuple[Any, ...]:
        """Sent to another process it looks with the library of that one: addresses mean nothing there."""
        return Sight.opened, (self.design, self.landmarks, self.posterior, self.coefficients)

    @property
    def compiled_at(self) -> int | None:
        """Where the library finds this sight, for those of its functions that look; None where it cannot."""
        return None if self._compiled is None else self._compiled.at

    def look(self, features: Features) -> Look:
        """What these features say to the stacks."""
        p = self.design.width
        seen = np.empty((len(features), p + self.landmarks.width))
        self.design.columns(features, seen[:, :p])
        if self._compiled is None:
            self.landmarks.features(seen[:, :p], seen[:, p:])
            sums, variance = self.columns.product(seen), self.posterior.variance(seen[:, :p])
        else:
            sums, variance = self._compiled(seen)
        starts = [0, *self._bounds, sums.shape[1]]
        return Look(tuple(sums[:, start:stop] for start, stop in itertools.pairwise(starts)), variance)


class _Compiled:
    """`tenbin_see` of the library with what it is to know of one sight."""

    def __init__(self, sight: Sight, library: Library) -> None:
        eyes, posterior, columns = sight.landmarks, sight.posterior, sight.columns
        p, points, kept = sight.design.width, eyes.points.q, posterior.directions.q - 1
        candidates = posterior.of_means.size
        self._arrays = [
            *(fitting(eyes.points.columns, points, p), fitting(eyes.half_square, points)),
            *(fitting(eyes.centre, 2 * points), fitting(eyes.scale, 2 * points)),
            fitting(columns.columns, columns.q, p + 2 * points),
            fitting(posterior.directions.columns[:-1], kept, p),
            fitting(posterior.of_candidates.columns, candidates, kept + 1),
            fitting(posterior.of_means, candidates),
        ]
        sizes = p, points, columns.q, kept, candidates
        self._learnt = _Learnt(*(array.ctypes.data for array in self._arrays), eyes.inverse_width, *sizes)
        self.at = ctypes.addressof(self._learnt)
        taken = (POINTER, POINTER, NUMBER, POINTER, POINTER)
        self._held = library.function("tenbin_see", *taken)
        self._free = library.function("tenbin_see", *taken, gives_up_lock=True)

    def __call__(self, seen: Floats) -> tuple[Floats, Floats]:
        """The sums and the variance, given the design columns at the beginning of `seen`; the rest of it is filled."""
        n, learnt = len(seen), self._learnt
        sums, variance = np.empty((n, learnt.sums)), np.empty((n, learnt.candidates))
        see = self._held if n <= FEW else self._free
        if see(self.at, place(seen), n, place(sums), place(variance)):
            raise MemoryError
        return sums, variance


__all__ = ["FEW", "Look", "Sight"]
