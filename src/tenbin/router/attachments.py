"""What is attached to queries, in tokens of each candidate: it stands beside what their texts count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tenbin.features.attached import NOTHING, Attached, attached_to
from tenbin.types import Candidate, Estimates, Query


def attached_to_each(queries: Sequence[Query]) -> list[Attached]:
    """What is attached to the messages of n queries; nothing where the input tokens are counted already."""
    return [
        NOTHING if query.messages is None or query.input_tokens is not None else attached_to(query.messages)
        for query in queries
    ]


def with_attached(estimates: Estimates, candidates: Sequence[Candidate], attached: Sequence[Attached]) -> Estimates:
    """The estimates of n queries with the input tokens of what is `attached` to each, as each candidate counts it."""
    if not any(each.size for each in attached):
        return estimates
    names = [candidate.model or candidate.name for candidate in candidates]
    tokens = np.array([[each.tokens(name) for name in names] for each in attached])
    return replace(estimates, input_tokens=estimates.input_tokens + tokens)
