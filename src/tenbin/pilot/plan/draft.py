"""The pairs that a stage would buy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np

from tenbin.types import Bools, Floats, Ints

Kind = Literal["all", "paired", "chosen", "held_out"]


@dataclass(frozen=True, slots=True)
class Draft:
    """The pairs of one stage, each [p]: prompt `row`, candidate `column`, `repeat`, the `propensity` of its draw.

    Pairs stand in the order of buying: prompt by prompt, in random order, so that a run that stops early has bought
    whole prompts of a uniform sample. `expected_usd` [p] is each pair's forecast, `live` the columns in play,
    `passed_over` [n, M] the chance of the pairs that might have been drawn and were not (else 0), `saving_sd` what one
    prompt adds to the uncertainty of the saving (see `certainty`), None before there are answers.
    """

    kind: Kind
    row: Ints
    column: Ints
    repeat: Ints
    propensity: Floats
    expected_usd: Floats
    live: tuple[int, ...]
    passed_over: Floats
    saving_sd: float | None = None

    @classmethod
    def of_cells(
        cls,
        kind: Kind,
        cells: Bools,
        expected_usd: Floats,
        rng: np.random.Generator,
        *,
        propensity: Floats | None = None,
        twice: Ints | None = None,
        live: tuple[int, ...],
        saving_sd: float | None = None,
    ) -> Self:
        """The draft that buys the true `cells` [n, M], and those of the rows `twice` a second time.

        `propensity` [n, M] is the chance of every cell; None: 1 of those that are bought, 0 of the others.
        """
        row, column = np.nonzero(cells)
        repeat = np.zeros(len(row), dtype=np.int64)
        if twice is not None and len(twice):
            again = np.isin(row, twice)
            row, column = np.concatenate([row, row[again]]), np.concatenate([column, column[again]])
            repeat = np.concatenate([repeat, np.ones(int(again.sum()), dtype=np.int64)])
        place = rng.permutation(len(cells))
        order = np.lexsort((column, repeat, place[row]))
        row, column, repeat = row[order], column[order], repeat[order]
        chance = cells.astype(np.float64) if propensity is None else propensity
        passed_over = np.where(cells, 0.0, chance)
        return cls(
            kind, row, column, repeat, chance[row, column], expected_usd[row, column], live, passed_over, saving_sd
        )

    def without_last_prompt(self) -> Self:
        """The draft without all pairs of the prompt that comes last."""
        kept = self.row != self.row[-1]
        cells = ("row", "column", "repeat", "propensity", "expected_usd")
        return replace(self, **{name: getattr(self, name)[kept] for name in cells})
