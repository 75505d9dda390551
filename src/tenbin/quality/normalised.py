"""The answer is the reference, however it is typed."""

from __future__ import annotations

from tenbin.quality.normal import normal


class Normalised:
    """1 where answer and reference have the same normal form (case, width, space, punctuation aside)."""

    name = "normalised"

    def score(self, query: str, answer: str, reference: str | None) -> float | None:  # noqa: ARG002 (the door)
        """0 or 1; None without a reference."""
        return None if reference is None else float(normal(answer) == normal(reference))
