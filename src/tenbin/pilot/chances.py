"""With which chance a pilot would have bought the pairs that it did not buy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from tenbin.pilot.pair import Pair


@dataclass(frozen=True, slots=True)
class Chances:
    """What a plan says of the candidates that the lot has passed over, by prompt; `answering` are those that answer."""

    passed_over: Mapping[str, Mapping[str, float]]
    answering: frozenset[str]

    @classmethod
    def of(cls, plan: Iterable[Pair], answering: Collection[str]) -> Self:
        """The chances of a plan, of candidates with at least one answer: who gives none would have given none here."""
        told = {pair.query_id: pair.passed_over for pair in plan if pair.passed_over is not None}
        return cls(told, frozenset(answering))

    def of_unbought(self, query_id: str, model: str) -> float | None:
        """The chance of a pair that was not bought; None where the plan is older than the writing down of chances.

        A pair that was drawn and brought no answer had none: that it failed says nothing of what it would be worth.
        """
        told = self.passed_over.get(query_id)
        if told is None:
            return None
        return told.get(model, 0.0) if model in self.answering else 0.0
