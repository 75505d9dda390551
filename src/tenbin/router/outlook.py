"""What the sums of stacks say of every candidate, by the compiled library: one call for some forty of NumPy.

outlook.c does what `Estimator` does without it; results differ by rounding alone.
"""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenbin.compiled.library import NUMBER, POINTER, Library, open_library, place
from tenbin.predictors.calibrate import LEAST_SLOPE, CalibrationMap
from tenbin.predictors.input_tokens import InputTokens
from tenbin.predictors.lengths import LengthHead
from tenbin.predictors.sight import Sight
from tenbin.router.likeness import MATERIAL_SD, Likeness
from tenbin.types import Features, Floats

OF_QUALITY, HEADS = 4, 3
"""Figures that every candidate has (quality, its sd, that of the gap, input tokens), and those of heads behind them."""


class _Line(ctypes.Structure):
    """`Line` of outlook.c."""

    _fields_ = (("at", POINTER), ("levels", POINTER), ("knots", NUMBER), ("before", ctypes.c_double))


class _Head(ctypes.Structure):
    """`Head` of outlook.c."""

    _fields_ = (("means", POINTER), ("scale", POINTER), ("least", ctypes.c_double), ("most", ctypes.c_double))


class _Taken(ctypes.Structure):
    """`Outlook` of outlook.c."""

    _fields_ = (
        *((name, _Line) for name in ("map", "unknown", "deviation")),
        *((name, ctypes.c_double) for name in ("least_slope", "material_sd")),
        ("heads", _Head * HEADS),
        *((name, POINTER) for name in ("means", "correlation", "rate")),
        *((name, NUMBER) for name in ("candidates", "reference")),
    )


class Learnt(NamedTuple):
    """The eyes of an estimator's stacks, the map and the means [M] of its qualities, and what else it has learnt."""

    sight: Sight
    map: CalibrationMap
    means: Floats
    heads: tuple[LengthHead | None, ...]
    input_tokens: InputTokens | None
    likeness: Likeness
    gap_correlation: Floats
    reference: int


class Expected(NamedTuple):
    """What is expected of n queries: `figures` [OF_QUALITY + HEADS, n, M], NaN where nothing is, and `likeness` [n]."""

    figures: Floats
    likeness: Floats


class Outlook:
    """`tenbin_expect` of the library with what it is to know of one estimator."""

    def __init__(self, learnt: Learnt, library: Library) -> None:
        self.learnt = learnt
        self._held: list[NDArray[np.float64]] = []
        unknown, deviation = learnt.likeness.unknown, learnt.likeness.deviation
        tokens = learnt.input_tokens
        self._offset = None if tokens is None else tokens.offset_
        self._taken = _Taken(
            self._line(learnt.map.knots, learnt.map.levels, float(learnt.map.levels[0])),
            self._line(unknown.scores, unknown.chances, 1.0),
            self._line(deviation.scores, deviation.chances, 1.0),
            *(LEAST_SLOPE, MATERIAL_SD),
            (_Head * HEADS)(*(_Head() if head is None else self._head(head) for head in learnt.heads)),
            *(self._at(learnt.means), self._at(learnt.gap_correlation)),
            None if tokens is None else self._at(tokens.rate_),
            *(len(learnt.means), learnt.reference),
        )
        self._expect = library.function("tenbin_expect", *[POINTER] * 5, NUMBER, NUMBER, POINTER, POINTER)

    @classmethod
    def opened(cls, learnt: Learnt) -> Outlook | None:
        """The outlook with the library of this installation, None where there is none."""
        library = open_library()
        return None if library is None else cls(learnt, library)

    def __reduce__(self) -> tuple[Any, ...]:
        """Sent to another process it is told to the library of that one: addresses mean nothing there."""
        return Outlook.opened, (self.learnt,)

    def __call__(self, features: Features) -> Expected:
        """What a look at these features says."""
        n, count = len(features), len(self.learnt.means)
        given = [np.ascontiguousarray(seen) for seen in self.learnt.sight.see(features)]
        given.append(np.array([features.text_tokens, features.input_tokens, features.familiarity]))
        offsets = None if self._offset is None else self._offset.mean(features.groups)
        figures, likeness = np.empty((OF_QUALITY + HEADS, n, count)), np.empty(n)
        self._expect(
            ctypes.addressof(self._taken),
            *map(place, given),
            None if offsets is None else offsets.ctypes.data,
            count if offsets is not None and len(offsets) > 1 else 0,
            *(n, place(figures), place(likeness)),
        )
        return Expected(figures, likeness)

    def _line(self, at: Floats, levels: Floats, before: float) -> _Line:
        return _Line(self._at(at), self._at(levels), len(at), before)

    def _head(self, head: LengthHead) -> _Head:
        return _Head(self._at(head.stack_.factors_.means), self._at(head.scale_), *head.range_.tolist())

    def _at(self, array: Floats) -> int:
        """Where a copy of the array stands."""
        self._held.append(np.array(array, dtype=np.float64))
        return self._held[-1].ctypes.data


__all__ = ["Expected", "Learnt", "Outlook"]
