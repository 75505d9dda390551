"""What features say of every candidate, by the compiled library: one call for some sixty of NumPy.

outlook.c does what `Estimator` does without it; results differ by rounding alone.
"""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenbin.compiled.library import NUMBER, POINTER, Library, fitting, open_library, place, require_fit
from tenbin.predictors.calibrate import LEAST_SLOPE, CalibrationMap
from tenbin.predictors.design import GROUP_SCALE, LARGEST_SURFACE, SURFACE_SCALE
from tenbin.predictors.input_tokens import InputTokens
from tenbin.predictors.lengths import LengthHead
from tenbin.predictors.sight import FEW, Sight
from tenbin.router.likeness import MATERIAL_SD, Likeness
from tenbin.router.novelty import MATERIAL_SHARE, Novelty
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
        *((name, POINTER) for name in ("sight", "centre", "width")),
        *((name, _Line) for name in ("map", "unknown", "deviation", "oddness")),
        *((name, ctypes.c_double) for name in ("largest_surface", "least_slope")),
        *((name, ctypes.c_double) for name in ("material_sd", "material_share", "least_scatter")),
        *(("usual", POINTER), ("constants", ctypes.c_double * 2)),
        *(("guess", POINTER), ("share", POINTER), ("group_scale", ctypes.c_double), ("heads", _Head * HEADS)),
        *((name, POINTER) for name in ("means", "correlation", "rate", "offsets")),
        *((name, NUMBER) for name in ("vector", "surface", "groups", "seen", "sums", "candidates", "reference")),
    )


class Learnt(NamedTuple):
    """The eyes of an estimator's stacks, the map and the means [M] of its qualities, and what else it has learnt."""

    sight: Sight
    map: CalibrationMap
    means: Floats
    heads: tuple[LengthHead | None, ...]
    input_tokens: InputTokens | None
    likeness: Likeness
    novelty: Novelty
    gap_correlation: Floats
    reference: int


class Expected(NamedTuple):
    """What is expected of n queries: `figures` [OF_QUALITY + HEADS, n, M], NaN where nothing is, and their p-values
    [2, n] of being like the training prompts and of having no more new words.
    """

    figures: Floats
    chances: Floats


class Outlook:
    """`tenbin_expect` of the library with what it is to know of one estimator."""

    def __init__(self, learnt: Learnt, seeing: int, library: Library) -> None:
        """`seeing` is where the library finds the sight."""
        self.learnt = learnt
        self._held: list[NDArray[np.float64]] = []
        design, tokens, novelty = learnt.sight.design, learnt.input_tokens, learnt.novelty
        unknown, deviation = learnt.likeness.unknown, learnt.likeness.deviation
        vector, surface, groups = len(design.vector_mean), len(design.surface_mean), len(design.groups)
        text, candidates = vector + surface, len(learnt.means)
        seen, stacks = learnt.sight, 1 + sum(head is not None for head in learnt.heads)
        require_fit(seen.columns.q == stacks * candidates and len(seen.posterior.of_means) == candidates)
        require_fit(learnt.reference in range(candidates))
        width = np.concatenate([np.full(vector, design.vector_scale), design.surface_scale])
        self._groups = design.index
        self._offsets = {} if tokens is None else tokens.offset_.index
        self._taken = _Taken(
            seeing,
            *(self._at(np.concatenate([design.vector_mean, design.surface_mean]), text), self._at(width, text)),
            self._line(learnt.map.knots, learnt.map.levels, None),
            *(self._line(tail.scores, tail.chances, 1.0) for tail in (unknown, deviation, novelty.tail)),
            *(LARGEST_SURFACE * SURFACE_SCALE, LEAST_SLOPE, MATERIAL_SD, MATERIAL_SHARE, novelty.floor),
            *(self._at(novelty.usual.columns, 2, vector), (ctypes.c_double * 2)(*fitting(novelty.constants, 2))),
            *(self._at(design.group_guess.weights, text, groups), self._at(design.group_share, groups), GROUP_SCALE),
            (_Head * HEADS)(*(_Head() if head is None else self._head(head, candidates) for head in learnt.heads)),
            *(self._at(learnt.means, candidates), self._at(learnt.gap_correlation, candidates)),
            *((None, None) if tokens is None else self._tokens(tokens, candidates)),
            *(vector, surface, groups, design.width + seen.landmarks.width),
            *(seen.columns.q, candidates, learnt.reference),
        )
        self.at, self.sizes = ctypes.addressof(self._taken), (vector, surface)
        taken = (*[POINTER] * 5, NUMBER, POINTER, POINTER)
        self._held_call = library.function("tenbin_expect", *taken)
        self._free_call = library.function("tenbin_expect", *taken, gives_up_lock=True)

    @classmethod
    def opened(cls, learnt: Learnt) -> Outlook | None:
        """The outlook with the library of this installation; None where there is none, or it cannot see."""
        library, seeing = open_library(), learnt.sight.compiled_at
        return None if library is None or seeing is None else cls(learnt, seeing, library)

    def __reduce__(self) -> tuple[Any, ...]:
        """Sent to another process it is told to the library of that one: addresses mean nothing there."""
        return Outlook.opened, (self.learnt,)

    def __call__(self, features: Features) -> Expected:
        """What these features say."""
        n = len(features)
        vectors, surface = (np.array(each, np.float32, order="C") for each in (features.vectors, features.surface))
        of_texts = features.text_tokens, features.input_tokens, features.familiarity, features.novelty
        read = np.array(of_texts, np.float64)
        require_fit((vectors.shape, surface.shape, read.shape) == (*((n, width) for width in self.sizes), (4, n)))
        places = np.array([self.places_of(group) for group in features.groups], np.int64)
        expected = self.none_yet(n)
        expect = self._held_call if n <= FEW else self._free_call
        given = (place(array) for array in (vectors, surface, places, read))
        if expect(self.at, *given, n, place(expected.figures), place(expected.chances)):
            raise MemoryError
        return expected

    def places_of(self, group: str | None) -> tuple[int, int]:
        """Where a group stands in the design (-1: it is none there), and where what it adds to input tokens does."""
        of_none = len(self._offsets)
        return (-1, of_none) if group is None else (self._groups.get(group, -1), self._offsets.get(group, of_none))

    def none_yet(self, n: int) -> Expected:
        """Room for what is expected of n queries."""
        return Expected(np.empty((OF_QUALITY + HEADS, n, len(self.learnt.means))), np.empty((2, n)))

    def _line(self, at: Floats, levels: Floats, before: float | None) -> _Line:
        """The line; `before` None: what the first knot has."""
        knots = at.size
        require_fit(knots > 0)
        places = self._at(at, knots), self._at(levels, knots)
        return _Line(*places, knots, float(levels[0]) if before is None else before)

    def _head(self, head: LengthHead, candidates: int) -> _Head:
        arrays = head.stack_.factors_.means, head.scale_
        return _Head(*(self._at(array, candidates) for array in arrays), *fitting(head.range_, 2))

    def _tokens(self, tokens: InputTokens, candidates: int) -> tuple[int, int]:
        places = len(tokens.offset_.index) + 1
        return self._at(tokens.rate_, candidates), self._at(tokens.offset_.levels, places, candidates)

    def _at(self, array: Floats, *shape: int) -> int:
        """Where the array stands, which is held."""
        self._held.append(fitting(array, *shape))
        return self._held[-1].ctypes.data


__all__ = ["Expected", "Learnt", "Outlook"]
