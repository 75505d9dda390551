"""The number of an answer: how it may be written, which one counts, and how near is near enough."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.quality.numeric import Numeric, result_of


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234.5", 1234.5),
        ("１，２３４．５", 1234.5),
        ("1 234 567", 1234567),
        ("1\u202f234", 1234),
        ("1{,}234", 1234),
        ("−7", -7),
        ("-$5", -5),
        ("3-5", 5),
        ("営業損失は▲1,200百万円", -1.2e9),
        ("△３．５％", -3.5),
        ("▲ 7 apples", 7),
        ("△ABC is 60", 60),
        ("3/4", 0.75),
        ("1½", 1.5),
        ("1 1/2", 1.5),
        (r"\frac{3}{4}", 0.75),
        ("1.2e-3", 0.0012),
        (r"1.2 \times 10^{-3}", 0.0012),
        ("5×10^6", 5e6),
        ("3.0 × 10⁸ m/s", 3e8),
        ("10⁻⁶", 1e-6),
        ("10^6", 1e6),
        ("-2^{10}", -1024),
        (r"\frac{-3}{4}", -0.75),
        (r"\frac12", 0.5),
        (r"-\dfrac 34", -0.75),
        (r"\frac1{20}", 0.05),
        (r"\frac{1}2", 0.5),
        ("- 5", -5),
        ("x = - 5", -5),
        ("x=- 5", -5),
        (r"so \boxed{- 5}", -5),
        ("the answer is − 0.5 m", -0.5),
        ("- $5", -5),
        ("7 - 5", 5),
        ("(3) - 5", 5),
        ("3 km - 5", 5),
        ("the answer — 5", 5),
        ("Answer:\n\n- 5", 5),
        ("- 7 apples\n- 5 pears", 5),
        ("2.5 million people", 2.5e6),
        ("3 hundred", 300),
        ("2 thousand", 2000),
        ("1.5 billion", 1.5e9),
        ("4-trillion", 4e12),
        ("2千人", 2000),
        ("3百", 300),
        ("1兆2億", 1_000_200_000_000),
        ("3万5千円", 35_000),
        ("1億2000万", 120_000_000),
        (".5", 0.5),
        ("12.", 12),
        ("٤٢", 42),
        ("1.234,56", 1234.56),
        ("1 234,56 €", 1234.56),
        ("1.200.000", 1_200_000),
        ("-3,5", -3.5),
        ("0,125", 0.125),
        ("3,14159.", 3.14159),
        ("2,5 million", 2.5e6),
        ("12,50 %", 12.5),
        ("1,234", 1234),
        ("1.234", 1.234),
        ("1,2,3", 3),
        ("the interval [0,1]", 1),
    ],
)
def test_how_a_number_may_be_written(text: str, number: float) -> None:
    found = result_of(text)
    assert found is not None
    assert math.isclose(found.number, number)


@pytest.mark.parametrize("text", ["", "none", "H2O", "1/0", "1e999", "x_1", "gpt4"])
def test_what_is_no_number(text: str) -> None:
    assert result_of(text) is None
    assert Numeric().score("", text, "1") == 0.0
    assert Numeric().score("", "1", text) is None


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ("First 12, then 30. So we get 42.", 42),
        ("The answer is 42, because 6 times 7.", 42),
        ("The answer is 3 + 4 = 7 for 2 people.", 7),
        ("**Final answer:** 42\n\n(checked 3 times)", 42),
        ("Answer:\n42", 42),
        ("## Final Answer\n\n**42**\n\nWe used 3 facts.", 42),
        (r"Thus \boxed{42}. It took 3 steps.", 42),
        ("step 1 … #### 42", 42),
        ("答えは４２個です。ヒントは3つありました。", 42),
        ("The answer is 1. No: the answer is 42.", 42),
        ("To answer this: 3 apples and 39 pears are 42", 42),
    ],
)
def test_which_number_counts(answer: str, number: float) -> None:
    assert Numeric().score("", answer, str(number)) == 1.0


@pytest.mark.parametrize(
    ("answer", "reference", "score"),
    [
        ("1500 m", "1.5 km", 1.0),
        ("1500 g", "1.5 km", 0.0),
        ("1500", "1.5 km", 0.0),
        ("5", "5 kg", 1.0),
        ("90分", "1.5 hours", 1.0),
        ("35%", "0.35", 1.0),
        ("0.35", "35 %", 1.0),
        ("35", "35 %", 1.0),
        ("5 apples", "5 pears", 1.0),
    ],
)
def test_units(answer: str, reference: str, score: float) -> None:
    assert Numeric().score("", answer, reference) == score


def test_tolerance_is_a_share_of_the_reference_and_the_absolute_one_is_not() -> None:
    assert Numeric(tolerance=0.01).score("", "101", "100") == 1.0
    assert Numeric(tolerance=0.01).score("", "102", "100") == 0.0
    assert Numeric(tolerance=0.01).score("", "-101", "-100") == 1.0
    assert Numeric(tolerance=0.01).score("", "-102", "-100") == 0.0
    assert [Numeric().score("", said, "2000000") for said in ("2000001.9", "2000002.1")] == [1.0, 0.0]
    assert Numeric(absolute_tolerance=0.5).score("", "0.4", "0") == 1.0
    assert Numeric().score("", "100.001", "100") == 0.0
    assert Numeric(tolerance=0.01).name != Numeric().name == "numeric.5"


@given(st.decimals(-(10**12), 10**12, places=3, allow_nan=False))
def test_any_number_is_read_back_however_it_is_printed(value: object) -> None:
    expected = float(str(value))
    for form in (f"{value}", f"So it is {value:,}.", f"the answer is {expected!r}", f"{value:.5e}" if value else "0"):
        found = result_of(form)
        assert found is not None
        assert math.isclose(found.number, expected, rel_tol=1e-4 if form == f"{value:.5e}" else 1e-9)


@given(st.text(st.sampled_from("0123456789,.+-/ e×^{}\\frac %kmg万億千a\n="), max_size=80))
def test_any_text_is_read_without_raising(text: str) -> None:
    assert Numeric().score("", text, "1") in (0.0, 1.0)


@pytest.mark.parametrize(
    "same",
    [
        "1 km = 1000 m = 100000 cm = 1000000 mm",
        "1 mile = 1609.344 m = 5280 ft = 63360 inches",
        "1 tonne = 1000 kg = 1000000 g = 1000000000 mg",
        "1 lb = 0.45359237 kg",
        "1 week = 7 days = 168 hours = 10080 minutes = 604800 s = 604800000 ms",
        "1 l = 1000 ml",
        "50 % = 50 percent = 0.5",
    ],
)
def test_one_quantity_in_all_its_units(same: str) -> None:
    for left in same.split(" = "):
        for right in same.split(" = "):
            assert Numeric().score("", left, right) == 1.0, (left, right)
    first, other, *_ = same.split(" = ")
    assert Numeric().score("", first.replace("1 ", "1.001 ").replace("50", "51"), other) == 0.0
