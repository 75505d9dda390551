"""The number that an answer arrives at."""

from __future__ import annotations

import math

from tenbin.quality.final_answer import final_answer
from tenbin.quality.identity import identity
from tenbin.quality.plain import plain
from tenbin.quality.quantity import PERCENT, Quantity, quantities

TOLERANCE = 1e-6
READING = 5
"""Counts up with every change of a verdict (`identity`)."""


class Numeric:
    """1 where the answer's number is the reference's, within `tolerance` (a share of it) or `absolute_tolerance`.

    The number is the one that the answer marks as its result, else its last. Known units are converted and must be of
    one kind where both have one; where only one has, the numbers count alone.
    """

    def __init__(self, tolerance: float = TOLERANCE, absolute_tolerance: float = 0.0) -> None:
        settings = {"tolerance": tolerance, "absolute_tolerance": absolute_tolerance}
        usual = {"tolerance": TOLERANCE, "absolute_tolerance": 0.0}
        self.name = identity("numeric", {key: value for key, value in settings.items() if value != usual[key]}, READING)
        self.tolerance = tolerance
        self.absolute_tolerance = absolute_tolerance

    def score(self, query: str, answer: str, reference: str | None) -> float | None:  # noqa: ARG002 (the door)
        """0 or 1; 0 for an answer without a number, None where the reference has none."""
        wanted = None if reference is None else result_of(reference)
        if wanted is None:
            return None
        said = result_of(answer)
        return float(said is not None and self._are_equal(said, wanted))

    def _are_equal(self, said: Quantity, wanted: Quantity) -> bool:
        if said.dimension is not None and wanted.dimension is not None:
            if said.dimension != wanted.dimension:
                return False
            return self._is_near(said.number * said.factor / wanted.factor, wanted.number)
        if self._is_near(said.number, wanted.number):
            return True
        # 0.35 for 35 %, and the other way round
        is_share = PERCENT in (said.dimension, wanted.dimension)
        return is_share and self._is_near(said.number * said.factor / wanted.factor, wanted.number)

    def _is_near(self, said: float, wanted: float) -> bool:
        return math.isclose(said, wanted, rel_tol=0.0, abs_tol=self.absolute_tolerance + self.tolerance * abs(wanted))


def result_of(text: str) -> Quantity | None:
    """The number that a text arrives at: in what it marks as its result the first, or that behind its last `=`;
    else the last of all.

    >>> result_of("3 apples and 4 make 7.").number, result_of("The answer is 3 + 4 = 7, for 2 people").number
    (7.0, 7.0)
    """
    text = plain(text)
    marked = final_answer(text)
    if marked is not None:
        after = marked.rpartition("=")[2]
        for part in (after, marked):
            first = next(quantities(part), None)
            if first is not None:
                return first
    return max(quantities(text), key=lambda found: found.start, default=None)
