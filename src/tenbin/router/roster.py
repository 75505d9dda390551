"""The candidates that a router serves, where they are not those of its fit: some retired, some added later.

A fit predicts its own columns for ever; the roster turns them into the candidates of today. A retired one is left
out, an added one leans on those of the fit. No prediction of the fit changes, so a change of candidates needs no
training, and what an added one leans on stays there when it retires.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.router.gap import gap_sd
from tenbin.router.leanings import Leanings
from tenbin.types import Estimates, Floats, Ints

TOKENS_AND_SECONDS = ("input_tokens", "output_tokens", "latency_s")


@dataclass(frozen=True, slots=True, eq=False)
class Roster:
    """Which of the `width` columns of the fit are served (`kept`, in order), and the candidates added behind them.

    `gap_correlation` [candidates] is that of each one's errors with the reference's, `reference` its index.
    """

    width: int
    kept: Ints
    added: Leanings
    gap_correlation: Floats
    reference: int

    def serve(self, of_fit: Estimates, counted_tokens: Floats) -> Estimates:
        """The estimates of today's candidates; `counted_tokens` [n] of input are taken as they are (NaN: unknown)."""
        quality, recorded = of_fit.quality, of_fit.recorded_cost_usd
        sd = self._columns(of_fit.quality_sd, self.added.quality_sd(quality, of_fit.quality_sd))
        amounts = np.stack([getattr(of_fit, name) for name in TOKENS_AND_SECONDS])
        own = self.added.amounts(TOKENS_AND_SECONDS, amounts)
        tokens, output_tokens, latency_s = (
            self._columns(cells, added) for cells, added in zip(amounts, own, strict=True)
        )
        counted = ~np.isnan(counted_tokens)
        if counted.any():
            tokens[counted] = counted_tokens[counted, None]
        if recorded is not None:
            recorded = self._columns(recorded, self.added.amounts(("recorded_cost_usd",), recorded[None])[0])
        return Estimates(
            quality=self._columns(quality, self.added.qualities(quality)),
            quality_sd=sd,
            gap_sd=gap_sd(sd, self.gap_correlation, self.reference),
            input_tokens=tokens,
            output_tokens=output_tokens,
            latency_s=latency_s,
            recorded_cost_usd=recorded,
            likeness=of_fit.likeness,
            novelty=of_fit.novelty,
        )

    def _columns(self, of_fit: Floats, added: Floats) -> Floats:
        kept = of_fit if len(self.kept) == self.width else of_fit[:, self.kept]
        return np.concatenate([kept, added], axis=1)

    def save(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        own = {name: getattr(self, name) for name in ("kept", "gap_correlation")}
        numbers = {name: np.array(getattr(self, name)) for name in ("width", "reference")}
        return own | numbers | {f"added_{name}": getattr(self.added, name) for name in Leanings.__slots__}

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[Any]]) -> Roster:
        """The roster of saved arrays."""
        added = Leanings(*(np.asarray(arrays[f"added_{name}"], dtype=np.float64) for name in Leanings.__slots__))
        kept = np.asarray(arrays["kept"], dtype=np.int64)
        return cls(int(arrays["width"]), kept, added, np.asarray(arrays["gap_correlation"]), int(arrays["reference"]))
