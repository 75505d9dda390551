"""Dollars, losses and orders by the compiled library: one call for some twenty of NumPy.

scales.c does what `weighing` does without it, to the same bits.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tenbin.compiled.library import NUMBER, POINTER, Library, open_library, place, require_fit
from tenbin.predictors.sight import FEW
from tenbin.prices import Rates
from tenbin.prices.rates import TOKENS_PER_MTOK
from tenbin.risk import CREDIBLE_SD, LOSS_DECIMALS, Anchors
from tenbin.types import Estimates, Floats, Ints


class _Learnt(ctypes.Structure):
    """`Scales` of scales.c."""

    _fields_ = (
        *((name, POINTER) for name in ("below", "beyond", "above", "request", "caps", "rank")),
        *((name, ctypes.c_double) for name in ("tokens_per_rate", "reference_usd", "reference_s")),
        *((name, ctypes.c_double) for name in ("credible_sd", "steps")),
        ("candidates", NUMBER),
    )


class Dials(NamedTuple):
    """How one request is weighed: its trade-off, and how many tokens each of so many answers may have."""

    mu: float
    w: float
    caution: float
    minimax: bool
    cap: float
    answers: int


class Laid(NamedTuple):
    """What lies on the scales: the figures [8, n, M] of n requests (`weighing.FIGURES`), and the candidates [n, M] from
    the least loss to the largest, ties as in `risk.choose`, NaN last.
    """

    figures: Floats
    order: Ints


class Scales:
    """`tenbin_weigh` of the library with the prices [M] of a moment, the candidates' own caps [M] (infinite: none), the
    anchors, and the rank [M] of the names.
    """

    def __init__(self, rates: Rates, caps: Floats, anchors: Anchors, rank: Ints, library: Library) -> None:
        self._told = rates, caps, anchors, rank
        arrays = rates.short, rates.long, rates.long_above_tokens, rates.request_usd, caps, rank
        self._learnt = _Learnt(
            *(array.ctypes.data for array in arrays),
            *(TOKENS_PER_MTOK, anchors.c_ref_usd, anchors.t_ref_s, CREDIBLE_SD, 10.0**LOSS_DECIMALS, len(rank)),
        )
        taken = (*[POINTER] * 3, NUMBER, POINTER, POINTER)
        self._held_call = library.function("tenbin_weigh", *taken)
        self._free_call = library.function("tenbin_weigh", *taken, gives_up_lock=True)

    @classmethod
    def opened(cls, rates: Rates, caps: Floats, anchors: Anchors, rank: Ints) -> Scales | None:
        """The scales with the library of this installation; None where there is none."""
        library = open_library()
        return None if library is None else cls(rates, caps, anchors, rank, library)

    def __reduce__(self) -> tuple[Any, ...]:
        """Sent to another process they are told to the library of that one: addresses mean nothing there."""
        return Scales.opened, self._told

    def __call__(self, estimates: Estimates, dials: Sequence[Dials], cached: Floats | None) -> Laid:
        """Weigh n requests, each by its own dials; of the input so many tokens [n, M] are cached (None: none are)."""
        n, output, seconds = len(dials), estimates.output_tokens, estimates.latency_s
        quality = estimates.quality, estimates.quality_sd, estimates.gap_sd
        figures = np.array([*quality, estimates.input_tokens, output, output, seconds, seconds])
        require_fit(output.shape == (n, self._learnt.candidates) and (cached is None or cached.shape == output.shape))
        turned, order = np.array(dials, np.float64), np.empty(output.shape, np.int64)
        weigh = self._held_call if n <= FEW else self._free_call
        if weigh(
            *(ctypes.addressof(self._learnt), place(turned), None if cached is None else place(cached)),
            *(n, place(figures), place(order)),
        ):
            raise MemoryError
        return Laid(figures, order)


__all__ = ["Dials", "Laid", "Scales"]
