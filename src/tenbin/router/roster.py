"""The candidates that a router serves, where they are not those of its fit: some retired, some added later.

A fit predicts its own columns for ever; the roster turns them into the candidates of today. A retired one is left
out. An added one, known from a handful of answers, leans on those of the fit: its quality is an offset and a weighted
sum of theirs, its tokens, dollars and seconds a multiple of their geometric mean (a talkative prompt makes every model
talk). No prediction of the fit changes, so a change of candidates needs no training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.predictors.rowwise import product
from tenbin.router.gap import gap_sd
from tenbin.types import Estimates, Floats, Ints

AMOUNTS = ("input_tokens", "output_tokens", "recorded_cost_usd", "latency_s")
LEAST_AMOUNT = 1e-12


@dataclass(frozen=True, slots=True)
class Leaning:
    """How one added candidate leans on the M columns of the fit.

    `quality` [1 + M] holds the offset, then the weights; `doubt` [r, 1 + M] turns (1, qualities of the fit) into r
    independent errors of the mean, one standard deviation each. `shares` [M] are the weights of the geometric mean,
    and `multiples` [4] by how much the candidate's `AMOUNTS` exceed it (NaN: never measured).
    """

    quality: Floats
    doubt: Floats
    shares: Floats
    multiples: Floats

    def qualities(self, quality: Floats) -> Floats:
        """Its expected quality [n] where the fit's columns expect `quality` [n, M]; in [0, 1]."""
        expected: Floats = np.clip(self.quality[0] + product(quality, self.quality[1:, None])[:, 0], 0.0, 1.0)
        return expected

    def quality_sd(self, quality: Floats, sd: Floats) -> Floats:
        """Standard deviation [n] of that mean: its own, and what it takes over from the columns it leans on."""
        own = product(quality, np.ascontiguousarray(self.doubt[:, 1:].T)) + self.doubt[:, 0]
        variance = (own**2).sum(axis=1) + product(sd**2, self.quality[1:, None] ** 2)[:, 0]
        total: Floats = np.sqrt(variance)
        return total

    def amounts(self, name: str, of_fit: Floats) -> Floats:
        """Its expected tokens, dollars or seconds [n] where the fit's columns expect `of_fit` [n, M]."""
        return geometric_mean(of_fit, self.shares) * float(self.multiples[AMOUNTS.index(name)])


@dataclass(frozen=True, slots=True)
class Roster:
    """Which of the `width` columns of the fit are served (`kept`, in order), and the candidates added behind them.

    `gap_correlation` [candidates] is that of each one's errors with the reference's, `reference` its index.
    """

    width: int
    kept: Ints
    added: tuple[Leaning, ...]
    gap_correlation: Floats
    reference: int

    def serve(self, of_fit: Estimates, counted_tokens: Floats) -> Estimates:
        """The estimates of today's candidates; `counted_tokens` [n] of input are taken as they are (NaN: unknown)."""
        quality, recorded = of_fit.quality, of_fit.recorded_cost_usd
        sd = self._columns(of_fit.quality_sd, [a.quality_sd(quality, of_fit.quality_sd) for a in self.added])
        tokens = self._amounts("input_tokens", of_fit.input_tokens)
        if not np.isnan(counted_tokens).all():
            tokens = np.where(np.isnan(counted_tokens)[:, None], tokens, counted_tokens[:, None])
        return Estimates(
            quality=self._columns(quality, [a.qualities(quality) for a in self.added]),
            quality_sd=sd,
            gap_sd=gap_sd(sd, self.gap_correlation, self.reference),
            input_tokens=tokens,
            output_tokens=self._amounts("output_tokens", of_fit.output_tokens),
            latency_s=self._amounts("latency_s", of_fit.latency_s),
            recorded_cost_usd=None if recorded is None else self._amounts("recorded_cost_usd", recorded),
        )

    def _amounts(self, name: str, of_fit: Floats) -> Floats:
        return self._columns(of_fit, [a.amounts(name, of_fit) for a in self.added])

    def _columns(self, of_fit: Floats, added: list[Floats]) -> Floats:
        return np.column_stack([of_fit[:, self.kept], *added])

    def save(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, the added candidates stacked."""
        width = {name: [getattr(a, name) for a in self.added] for name in Leaning.__slots__}
        deepest = max((len(doubt) for doubt in width["doubt"]), default=0)
        width["doubt"] = [np.pad(doubt, ((0, deepest - len(doubt)), (0, 0))) for doubt in width["doubt"]]
        stacked = {f"added_{name}": np.array(arrays, dtype=np.float64) for name, arrays in width.items()}
        own = {
            "width": np.array(self.width),
            "kept": self.kept,
            "gap_correlation": self.gap_correlation,
            "reference": np.array(self.reference),
        }
        return stacked | own

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[Any]]) -> Roster:
        """The roster of saved arrays."""
        stacked = [np.asarray(arrays[f"added_{name}"], dtype=np.float64) for name in Leaning.__slots__]
        added = tuple(Leaning(*(array[a] for array in stacked)) for a in range(len(stacked[0])))
        kept = np.asarray(arrays["kept"], dtype=np.int64)
        return cls(int(arrays["width"]), kept, added, np.asarray(arrays["gap_correlation"]), int(arrays["reference"]))


def geometric_mean(amounts: Floats, shares: Floats) -> Floats:
    """The weighted geometric mean [n] of `amounts` [n, M] under `shares` [M]; columns of no share are not looked at."""
    inside = np.flatnonzero(shares)
    logs = np.log(np.maximum(amounts[:, inside], LEAST_AMOUNT))
    mean: Floats = np.exp(product(logs, shares[inside, None])[:, 0])
    return mean
