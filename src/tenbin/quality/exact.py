"""The answer is the reference, to the letter."""

from __future__ import annotations


class Exact:
    """1 where the answer is the reference, white space at both ends aside; None without a reference."""

    name = "exact"

    def score(self, query: str, answer: str, reference: str | None) -> float | None:  # noqa: ARG002 (the door)
        """0 or 1."""
        return None if reference is None else float(answer.strip() == reference.strip())
