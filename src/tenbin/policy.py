"""Which candidates may answer a query at all: lists, capabilities, context windows, and the safe default.

Pure rules; the risk then chooses among those that are left.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from tenbin.errors import DecisionError, UsageError, did_you_mean
from tenbin.reasons import Reason
from tenbin.types import Bools, Candidate, Floats, Query

CONTEXT_MARGIN = 1.15
"""Estimated input tokens are raised by this before they are held against a context window: counting is conservative."""


def listed(names: Sequence[str], allow: Collection[str] | None, deny: Collection[str] | None) -> Bools:
    """The candidates [M] that the lists leave; an empty or missing `allow` means all.

    Raises UsageError for a name that is no candidate, DecisionError where nothing is left.
    """
    for name in [*(allow or ()), *(deny or ())]:
        if name not in names:
            fix = did_you_mean(name, names) or f"candidates: {', '.join(names)}"
            raise UsageError(f'"{name}" is no candidate of this router', fix=fix)
    left = np.array([(not allow or n in allow) and n not in (deny or ()) for n in names], dtype=np.bool_)
    if not left.any():
        raise DecisionError("the allow and deny lists leave no candidate", fix="allow at least one that is not denied")
    return left


def bars(candidates: Sequence[Candidate], query: Query, input_tokens: Floats) -> list[str | None]:
    """Why each candidate [M] cannot answer the query, None where it can.

    `input_tokens` [M] are the expected ones per candidate; the context window must hold them with a margin, plus the
    answer's cap where the query names one (the candidate's own where that is smaller, for that is what is sent).
    """
    return [_bar(c, query, float(n)) for c, n in zip(candidates, input_tokens, strict=True)]


def output_caps(candidates: Sequence[Candidate], queries: Sequence[Query]) -> Floats | None:
    """The longest answer in tokens [n, M] that each query allows each candidate, infinite where none is named; None
    where nobody names one.
    """
    own = [c.max_output_tokens for c in candidates]
    asked = [query.max_output_tokens for query in queries]
    if not any(own) and not any(asked):
        return None
    caps: Floats = np.minimum(np.array([[cap or np.inf] for cap in asked]), np.array([cap or np.inf for cap in own]))
    return caps


def _bar(candidate: Candidate, query: Query, input_tokens: float) -> str | None:
    if candidate.capabilities is not None and (lacking := query.requirements - candidate.capabilities):
        return Reason("lacks", capabilities=", ".join(sorted(lacking)))
    window = candidate.context_window_tokens
    if window is not None:
        needed = input_tokens if query.input_tokens is not None else input_tokens * CONTEXT_MARGIN
        if query.max_output_tokens is not None:
            needed += min(query.max_output_tokens, candidate.max_output_tokens or np.inf)
        if needed > window:  # of unknown (NaN) tokens nothing is
            return Reason("context_too_small", needed=f"{needed:,.0f}", window=f"{window:,}")
    return None


def safe_default(names: Sequence[str], reference: str, eligible: Bools) -> int:
    """The index of the answer when deciding fails: the reference, or the first eligible candidate by name.

    Raises DecisionError where nobody is eligible.
    """
    index = names.index(reference)
    if eligible[index]:
        return index
    left = np.flatnonzero(eligible).tolist()
    if not left:
        raise DecisionError("no candidate can answer this query", fix="allow more candidates or ask for less")
    return int(min(left, key=lambda m: names[m]))
