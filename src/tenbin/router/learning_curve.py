"""How the router's curve grows with training rows: the ground for "collect about n more prompts"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from tenbin.types import Floats, Ints

SHARES_OF_ROWS = (0.125, 0.25, 0.5)
LEAST_ROWS = 25
MOST_ROWS = 8_000
MOST_HELD_OUT = 4_000
POINTS = 61


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """The dial curve at several training sizes, measured on rows that the fit of that size did not see.

    `n_rows` [k] training rows; `mu` [p]; `quality` and `cost_usd` [k, p] means on the held-out rows; `single_quality`
    and `single_cost_usd` [k, M] each candidate's own means on the same rows. The last size is the whole, out of fold.
    """

    n_rows: Ints
    mu: Floats
    quality: Floats
    cost_usd: Floats
    single_quality: Floats
    single_cost_usd: Floats

    def save(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        return {name: getattr(self, name) for name in LearningCurve.__slots__}

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[Any]]) -> LearningCurve:
        """The learning curve of saved arrays."""
        return cls(**{name: arrays[name] for name in cls.__slots__})


def nested_sizes(n: int) -> list[int]:
    """The training sizes to refit at, smallest first: halvings of n, not too small to fit nor too dear."""
    sizes = {min(int(n * share), MOST_ROWS) for share in SHARES_OF_ROWS}
    return sorted(size for size in sizes if size >= LEAST_ROWS and n - size >= LEAST_ROWS)
