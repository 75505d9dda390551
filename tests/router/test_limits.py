"""Whom a query bars: those whom the policy bars, whether it has to be asked or not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tenbin.policy import bars
from tenbin.router.limits import Limits
from tenbin.types import Candidate, Query

NOTHING, TOOLS = frozenset[str](), frozenset({"tools"})
CANDIDATES = [
    Candidate("any", context_window_tokens=window, capabilities=abilities, max_output_tokens=most)
    for window, abilities, most in itertools.product([None, 100, 1000], [None, NOTHING, TOOLS], [None, 5])
]
QUERIES = [
    Query("q", "text", requirements=required, max_output_tokens=most, input_tokens=counted)
    for required, most, counted in itertools.product([NOTHING, TOOLS], [None, 1, 95], [None, 90.0])
]
TOKENS = [*itertools.product([np.nan, 10.0, 90.0, 900.0], repeat=2)]


@pytest.mark.parametrize("first", CANDIDATES)
def test_a_query_bars_whom_the_policy_bars(first: Candidate) -> None:
    asked = [*itertools.product(QUERIES, TOKENS)]
    queries, tokens = [query for query, _ in asked], np.array([row for _, row in asked])
    for second in CANDIDATES:
        both = first, second
        expected = [bars(both, query, row) for query, row in zip(queries, tokens, strict=True)]
        assert Limits(both).bars(queries, tokens) == expected
