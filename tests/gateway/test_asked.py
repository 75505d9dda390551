"""What a request asks for: body and headers, every wrong type and range, nothing huge repeated."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.errors import RequestError
from tenbin.gateway.asked import NOTHING, Asked, asked_of

WHOLE = {"mu": 0.2, "max_cost_usd": 1, "allow": ["a", "b"], "deny": ["c"], "group": "g"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


def refusal(body: Any, headers: dict[str, str] | None = None) -> RequestError:
    with pytest.raises(RequestError) as caught:
        asked_of(body, headers or {})
    error = caught.value
    assert (error.status, error.code) == (400, "invalid_dial")
    assert error.param is not None
    assert len(str(error)) < 700
    assert "\n" not in str(error)
    return error


def test_a_body_that_asks_for_everything() -> None:
    assert asked_of(WHOLE, {}) == Asked(mu=0.2, max_cost_usd=1.0, allow=("a", "b"), deny=("c",), group="g")


def test_the_same_in_headers() -> None:
    headers = {
        "x-tenbin-mu": " .2 ",
        "x-tenbin-max-cost-usd": "1e0",
        "x-tenbin-allow": "a, b",
        "x-tenbin-deny": "c",
        "x-tenbin-group": "g",
    }
    asked = asked_of(None, headers)
    assert (asked.mu, asked.max_cost_usd, asked.allow, asked.deny, asked.group) == (0.2, 1.0, ("a", "b"), ("c",), "g")
    assert asked.param("mu") == "x-tenbin-mu"
    assert asked_of({"mu": 0.2}, {"x-tenbin-allow": "a"}).param("mu") == "tenbin.mu"
    assert asked_of(WHOLE, headers) == asked_of(WHOLE, {})


@pytest.mark.parametrize("body", [None, {}, {"mu": None, "allow": None}])
def test_nothing_asked(body: Any) -> None:
    asked = asked_of(body, {"x-tenbin-nonsense": "1", "x-request-id": "2"})
    assert asked is NOTHING
    assert asked.is_nothing


@pytest.mark.parametrize(
    ("body", "param", "sentence"),
    [
        ("mu", "tenbin", "tenbin is not an object"),
        ([], "tenbin", "tenbin is not an object"),
        (0, "tenbin", "tenbin is not an object"),
        ({"minquality": 1}, "tenbin.minquality", 'unknown member "minquality" in tenbin; did you mean "min_quality"?'),
        ({"zzz": 1}, "tenbin.zzz", "known: mu, min_quality, max_cost_usd, allow, deny, group"),
        ({"m" * 10_000: 1}, "tenbin." + "m" * 256, "unknown member"),
        ({"mu": 1.0001}, "tenbin.mu", "tenbin.mu = 1.0001 is not a number from 0 to 1"),
        ({"mu": -0.1}, "tenbin.mu", "not a number from 0 to 1"),
        ({"mu": "0.5"}, "tenbin.mu", 'tenbin.mu = "0.5" is not a number'),
        ({"mu": True}, "tenbin.mu", "tenbin.mu = true is not a number"),
        ({"mu": float("nan")}, "tenbin.mu", "tenbin.mu = nan is not a number"),
        ({"mu": 10**400}, "tenbin.mu", "is not a number from 0 to 1"),
        ({"mu": {"a": "b" * 10_000}}, "tenbin.mu", "tenbin.mu = an object is not a number"),
        ({"mu": "b" * 10_000}, "tenbin.mu", "is not a number"),
        ({"min_quality": 97}, "tenbin.min_quality", "not a share of the reference's quality"),
        ({"min_quality": 0}, "tenbin.min_quality", "not a share of the reference's quality"),
        ({"max_cost_usd": 0}, "tenbin.max_cost_usd", "not a number of dollars above 0"),
        ({"max_cost_usd": float("inf")}, "tenbin.max_cost_usd", "not a number of dollars above 0"),
        ({"allow": "a"}, "tenbin.allow", "tenbin.allow is not a list of 1 to 256 candidates"),
        ({"allow": []}, "tenbin.allow", "not a list of 1 to 256 candidates"),
        ({"deny": ["a", 1]}, "tenbin.deny", "not a list of 1 to 256 candidates"),
        ({"deny": ["a"] * 257}, "tenbin.deny", "not a list of 1 to 256 candidates"),
        ({"deny": ["a" * 257]}, "tenbin.deny", "not a list of 1 to 256 candidates"),
        ({"group": ""}, "tenbin.group", "tenbin.group is not a text of 1 to 256 characters"),
        ({"group": 3}, "tenbin.group", "tenbin.group is not a text"),
        ({"mu": 0.1, "min_quality": 0.9}, "tenbin.min_quality", "tenbin.mu and tenbin.min_quality are two dials"),
    ],
)
def test_a_wrong_body_is_refused(body: Any, param: str, sentence: str) -> None:
    error = refusal(body)
    assert error.param == param
    assert sentence in str(error)


@pytest.mark.parametrize(
    ("header", "value", "sentence"),
    [
        ("x-tenbin-mu", "half", 'x-tenbin-mu = "half" is not a number from 0 to 1'),
        ("x-tenbin-mu", "nan", "is not a number"),
        ("x-tenbin-mu", "0x1", "is not a number"),
        ("x-tenbin-mu", "1_0", "is not a number"),
        ("x-tenbin-mu", "", "is not a number"),
        ("x-tenbin-max-cost-usd", "1e999", "not a number of dollars"),
        ("x-tenbin-allow", "a,,b", "not a list of 1 to 256 candidates"),
        ("x-tenbin-allow", "", "not a list of 1 to 256 candidates"),
        ("x-tenbin-group", " ", "not a text"),
    ],
)
def test_a_wrong_header_is_refused(header: str, value: str, sentence: str) -> None:
    error = refusal(None, {header: value})
    assert error.param == header
    assert sentence in str(error)


def test_a_header_that_contradicts_the_body() -> None:
    error = refusal({"mu": 0.2}, {"x-tenbin-mu": "0.3"})
    assert (error.param, error.what) == ("x-tenbin-mu", "x-tenbin-mu and tenbin.mu of the body differ")
    error = refusal({"allow": ["a", "b"]}, {"x-tenbin-allow": "a"})
    assert (error.param, error.what) == ("x-tenbin-allow", "x-tenbin-allow and tenbin.allow of the body differ")
    assert asked_of({"allow": ["a", "b"]}, {"x-tenbin-allow": "b, a"}).allow == ("a", "b")  # says the same
    error = refusal({"mu": 0.2}, {"x-tenbin-min-quality": "0.3"})
    assert error.param == "x-tenbin-min-quality"


@given(JSON | st.dictionaries(st.sampled_from(["mu", "min_quality", "max_cost_usd", "allow", "deny", "group"]), JSON))
def test_any_json_is_read_or_refused(body: Any) -> None:
    with suppress(RequestError):
        asked = asked_of(body, {})
        assert asked.mu is None or 0.0 <= asked.mu <= 1.0
        assert asked.min_quality is None or 0.0 < asked.min_quality <= 2.0
        assert asked.max_cost_usd is None or 0.0 < asked.max_cost_usd < 1e15


@given(st.sampled_from(["mu", "min-quality", "max-cost-usd", "allow", "deny", "group"]), st.text(max_size=40))
def test_any_header_is_read_or_refused(name: str, value: str) -> None:
    with suppress(RequestError):
        asked_of(None, {f"x-tenbin-{name}": value})
