"""The answer is the reference, however it is typed."""

from __future__ import annotations

from tenbin.quality.identity import identity
from tenbin.quality.normal import normal

READING = 3
"""Counts up with every change of a verdict (`identity`)."""


class Normalised:
    """1 where answer and reference have the same normal form (case, width, space, punctuation aside)."""

    def __init__(self) -> None:
        self.name = identity("normalised", {}, READING)

    def score(self, query: str, answer: str, reference: str | None) -> float | None:  # noqa: ARG002 (the door)
        """0 or 1; None without a reference."""
        return None if reference is None else float(normal(answer) == normal(reference))
