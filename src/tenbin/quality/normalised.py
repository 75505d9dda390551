"""The answer is the reference, however it is typed."""

from __future__ import annotations

from tenbin.quality.identity import identity
from tenbin.quality.normal import normal
from tenbin.quality.plain import plain

READING = 5
"""Counts up with every change of a verdict (`identity`)."""


class Normalised:
    """1 where answer and reference have the same normal form (case, width, space, punctuation aside).

    Of a reference of signs alone ("∞", an emoji) the normal form leaves nothing: there the signs have to be the same.
    """

    def __init__(self) -> None:
        self.name = identity("normalised", {}, READING)

    def score(self, query: str, answer: str, reference: str | None) -> float | None:  # noqa: ARG002 (the door)
        """0 or 1; None without a reference."""
        if reference is None:
            return None
        wanted = normal(reference)
        return float(normal(answer) == wanted if wanted else plain(answer).strip() == plain(reference).strip())
