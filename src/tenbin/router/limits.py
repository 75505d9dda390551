"""What candidates can do at most, and hence which of them a query bars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tenbin.policy import CONTEXT_MARGIN, bars
from tenbin.types import Candidate, Floats, Query


class Limits:
    """The capabilities and context windows of candidates [M] as they are called today."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = candidates
        windows = [c.context_window_tokens for c in candidates if c.context_window_tokens is not None]
        self._least_window = min(windows, default=np.inf)
        self._are_unknown = all(c.capabilities is None and c.context_window_tokens is None for c in candidates)

    def bars(self, queries: Sequence[Query], input_tokens: Floats) -> list[list[str | None]]:
        """Why each candidate [n][M] cannot answer a query of so many expected tokens [n, M], None where it can."""
        if self._are_unknown:
            return [[None] * len(self.candidates)] * len(queries)
        # Where a candidate's tokens are unknown (NaN), `max` may say so or pass over it: both is right.
        most = [max(tokens, default=0.0) for tokens in input_tokens.tolist()]
        return [
            [None] * len(self.candidates)
            if self._surely_fits(query, tokens)
            else bars(self.candidates, query, input_tokens[i])
            for i, (query, tokens) in enumerate(zip(queries, most, strict=True))
        ]

    def _surely_fits(self, query: Query, most_tokens: float) -> bool:
        """Whether nothing special is required and even the smallest window holds it; most requests are like that."""
        tokens = most_tokens * CONTEXT_MARGIN + (query.max_output_tokens or 0.0)
        return not query.requirements and tokens <= self._least_window


__all__ = ["Limits"]
