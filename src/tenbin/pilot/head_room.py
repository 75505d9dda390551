"""How far above blind mixtures a perfect router would be, lucky answers taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tenbin.evaluate.result import Figure
from tenbin.pilot.results import Results

LEAST_REPEATS = 10
"""Fewer second answers than this tell luck from skill too badly to say anything."""


@dataclass(frozen=True, slots=True)
class HeadRoom:
    """Points of mean quality at the cost of blind mixtures; None, with the `reason`, where not identifiable.

    `n_repeats` answers were given twice.
    """

    value: Figure | None
    reason: Literal["no_repeats", "few"] | None
    n_repeats: int


def head_room_of(results: Results) -> HeadRoom:
    """The head room as far as second answers tell."""
    n = len(results.answered_twice())
    return HeadRoom(None, "few" if n else "no_repeats", n)
