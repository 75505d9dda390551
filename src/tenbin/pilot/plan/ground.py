"""What the next stage is chosen on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenbin.prices import PriceBook
from tenbin.types import Bools, Floats, Ints, Panel


@dataclass(frozen=True, slots=True)
class Ground:
    """All prompts of a pilot, what was bought of them, and what one more answer would cost.

    `panel` has a row for every prompt (`panel.split` says which are held out) and a column for every candidate, NaN
    where nothing was bought. `planned` [n, M] are the pairs of earlier stages, bought or not; `cluster` [n] as
    `cluster_prompts` says; `answer_usd` and `grading_usd` [n, M] are forecasts of one more answer and of grading it.
    `reference` is the column that savings are held against, `promise` the share of its quality that is promised.
    """

    panel: Panel
    planned: Bools
    cluster: Ints
    answer_usd: Floats
    grading_usd: Floats
    reference: int
    prices: PriceBook
    promise: float

    @property
    def expected_usd(self) -> Floats:
        """What one more label costs, [n, M]."""
        return self.answer_usd + self.grading_usd

    @property
    def train(self) -> Bools:
        """The rows [n] that the planner may choose."""
        return self._split("train")

    @property
    def fresh(self) -> Bools:
        """The training rows [n] of which nothing was planned yet."""
        fresh: Bools = self.train & ~self.planned.any(axis=1)
        return fresh

    def fresh_held_out(self, split: str) -> Bools:
        """The rows [n] of a held-out split of which nothing was planned yet."""
        fresh: Bools = self._split(split) & ~self.planned.any(axis=1)
        return fresh

    def _split(self, wanted: str) -> Bools:
        split = self.panel.split or ("train",) * len(self.panel)
        return np.array([name == wanted for name in split], dtype=np.bool_)
