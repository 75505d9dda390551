"""Lists, capabilities, context windows and the safe default."""

import numpy as np
import pytest

from tenbin.errors import DecisionError, UsageError
from tenbin.policy import CONTEXT_MARGIN, bars, listed, output_caps, safe_default
from tenbin.types import Candidate, Query

NAMES = ("large", "mid", "small")


def test_lists_leave_what_is_allowed_and_not_denied():
    assert listed(NAMES, ["large", "small"], ["small"]).tolist() == [True, False, False]
    assert listed(NAMES, None, None).all()
    assert listed(NAMES, [], ()).all()


def test_a_name_that_is_no_candidate_is_named_with_its_neighbour():
    with pytest.raises(UsageError, match='did you mean "small"'):
        listed(NAMES, ["smal"], None)
    with pytest.raises(UsageError, match=r'"gpt" is no candidate .*: large, mid, small'):
        listed(NAMES, ["mid"], ["gpt"])


def test_lists_that_leave_nobody_are_refused():
    with pytest.raises(DecisionError):
        listed(NAMES, ["mid"], ["mid"])


def test_lacking_capabilities_are_named_and_unknown_ones_pass():
    needs = frozenset({"vision", "tools", "reasoning", "json_schema"})
    candidates = [
        Candidate("a", capabilities=needs - {"vision"}),
        Candidate("b"),
        Candidate("c", capabilities=frozenset()),
    ]
    query = Query("q", "x", requirements=needs)
    every = "lacks json_schema, reasoning, tools, vision"
    assert bars(candidates, query, np.full(3, 10.0)) == ["lacks vision", None, every]


def test_context_is_counted_conservatively_when_estimated_and_exactly_when_given():
    candidate = Candidate("a", context_window_tokens=1000)
    estimated = 1000 / CONTEXT_MARGIN + 1
    assert 1.0 < CONTEXT_MARGIN <= 1.2
    assert bars([candidate], Query("q", "x"), np.array([estimated]))[0] is not None
    assert bars([candidate], Query("q", "x"), np.array([estimated - 2])) == [None]
    assert bars([candidate], Query("q", "x", input_tokens=1000), np.array([1000.0])) == [None]
    assert bars([candidate], Query("q", "x", input_tokens=900, max_output_tokens=100), np.array([900.0])) == [None]
    assert bars([candidate], Query("q", "x", input_tokens=900, max_output_tokens=101), np.array([900.0]))[0] is not None
    own = Candidate("a", context_window_tokens=1000, max_output_tokens=100)
    assert bars([own], Query("q", "x", input_tokens=900, max_output_tokens=101), np.array([900.0])) == [None]
    assert bars([candidate], Query("q", "x"), np.array([np.nan])) == [None]  # unknown tokens bar nobody


def test_an_answer_is_as_long_as_query_and_candidate_both_allow():
    capped, free = Candidate("a", max_output_tokens=100), Candidate("b")
    queries = [Query("q", "x", max_output_tokens=cap) for cap in (None, 50, 200)]
    caps = output_caps([capped, free], queries)
    assert caps is not None
    assert caps.tolist() == [[100.0, np.inf], [50.0, 50.0], [100.0, 200.0]]
    assert output_caps([capped, free], queries[:1]) is not None
    assert output_caps([free], queries) is not None
    assert output_caps([free], queries[:1]) is None


def test_safe_default_is_the_reference_or_the_first_eligible_by_name():
    assert safe_default(NAMES, "mid", np.array([True, True, True])) == 1
    assert safe_default(NAMES, "mid", np.array([True, False, True])) == 0
    assert safe_default(("small", "mid", "large"), "mid", np.array([True, False, True])) == 2
    with pytest.raises(DecisionError):
        safe_default(NAMES, "mid", np.zeros(3, dtype=bool))
