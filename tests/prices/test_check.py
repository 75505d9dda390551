"""What `tenbin prices check` points at."""

from __future__ import annotations

from datetime import date

import pytest

from tenbin.prices import PriceBook, PriceFinding
from tenbin.types import Price

TODAY = date(2026, 6, 1)


def test_a_book_in_order_has_no_findings() -> None:
    assert PriceBook({"m": [Price(1, 4, since=date(2026, 1, 1))]}).check(["m"], TODAY) == []
    usual = {"cached_input_usd_per_mtok": 0.5, "long_context_tokens": 1000, "long_input_usd_per_mtok": 2}
    as_plain = {"cached_input_usd_per_mtok": 1, "long_context_tokens": 1000, "long_input_usd_per_mtok": 1}
    for tiers in (
        {**usual, "priority_factor": 2, "flex_factor": 0.5},
        {**as_plain, "priority_factor": 1, "flex_factor": 1},
    ):
        assert PriceBook({"m": [Price(1, 4, **tiers)]}).check(["m"], TODAY) == []


def test_models_without_a_price_are_errors_and_unused_ones_a_note() -> None:
    book = PriceBook({"mistralai/large": [Price(1, 4)], "later": [Price(1, 4, since=date(2027, 1, 1))]})
    assert book.check(["large", "later"], TODAY) == [
        PriceFinding("large", 'has no price; did you mean "mistralai/large"?', is_error=True),
        PriceFinding("mistralai/large", "is priced but not in use"),
        PriceFinding("later", "has no price yet on 2026-06-01", is_error=True),
    ]


@pytest.mark.parametrize(
    ("price", "word"),
    [
        (Price(0, 0), "all prices at zero: free"),
        (Price(0, 4), "a price of zero (input 0, output 4): not filled in"),
        (Price(4, 1), "output (1) cheaper than input (4)"),
        (Price(2500, 10_000), "meant per thousand"),
        (Price(0.0025, 0.00999), "costs $0.00999 per million tokens: is that the price of a thousand, or of one?"),
        (Price(2.5e-06, 1e-05), "costs $1e-05 per million tokens"),
        (Price(1, 4, cached_input_usd_per_mtok=2), "cached input (2) dearer"),
        (Price(1, 4, long_context_tokens=1000, long_input_usd_per_mtok=0.5), "long-context input (0.5) cheaper"),
        (Price(1, 4, priority_factor=0.5), "priority cheaper than standard"),
        (Price(1, 4, flex_factor=2), "flex dearer than standard"),
        (Price(1, 4, since=date(2024, 5, 13)), "749 days old"),
    ],
)
def test_what_is_seldom_meant(price: Price, word: str) -> None:
    findings = PriceBook({"m": [price]}).check(at=TODAY)
    assert any(word in finding.what for finding in findings), findings
    assert not any(finding.is_error for finding in findings)


def test_a_thousand_dollars_is_a_wrong_unit_and_just_below_is_not() -> None:
    said = [PriceBook({"m": [Price(1, dear)]}).check(at=TODAY) for dear in (999.99, 1000)]
    assert [len(findings) for findings in said] == [0, 1]


def test_a_price_per_million_that_was_listed_is_none_of_a_thousand() -> None:
    assert PriceBook({"m": [Price(0.005, 0.01)]}).check(at=TODAY) == []
    assert PriceBook({"embed": [Price(0.005, 0.0)]}).check(at=TODAY, unanswering={"embed"}) == []


def test_a_price_is_old_after_a_year() -> None:
    said = [PriceBook({"m": [Price(1, 4, since=date(2025, 6, day))]}).check(at=date(2026, 6, 2)) for day in (2, 1)]
    assert [len(findings) for findings in said] == [0, 1]


def test_of_a_model_that_gives_no_answers_the_output_is_no_oddity() -> None:
    assert PriceBook({"embed": [Price(0.02, 0.0)]}).check(at=TODAY, unanswering={"embed"}) == []


def test_a_model_with_a_price_per_call_is_not_free() -> None:
    assert PriceBook({"m": [Price(0, 0, request_usd=0.0048)]}).check(at=TODAY) == []


def test_an_entry_that_loses_a_rate_of_the_one_before_is_named() -> None:
    """Cached tokens were billed as plain ones from that day on, ten times too dear, and nothing looked odd."""
    old = Price(2.5, 10, cached_input_usd_per_mtok=0.25)
    new = Price(2, 8, since=date(2026, 1, 1))
    (finding,) = PriceBook({"m": [old, new]}).check(at=TODAY)
    assert finding.what == (
        "has no cached_input_usd_per_mtok from 2026-01-01 on, which the entry before has: every entry stands alone"
    )
    assert PriceBook({"m": [old, Price(2, 8, date(2026, 1, 1), 0.2)]}).check(at=TODAY) == []
    assert PriceBook({"m": [Price(2.5, 10), new]}).check(at=TODAY) == []


def test_a_jump_by_ten_is_a_slip_of_the_unit_and_a_halving_is_not() -> None:
    book = PriceBook(
        {
            "slip": [Price(10, 50), Price(1, 5, since=date(2026, 1, 1))],
            "slip of cents": [Price(0.02, 0.05), Price(0.2, 0.5, since=date(2026, 1, 1))],
            "cut": [Price(5, 15), Price(2.5, 10, since=date(2026, 1, 1))],
            "no longer free": [Price(0, 0), Price(0.5, 0.5, since=date(2026, 1, 1))],
            "sent for nothing": [Price(0.5, 0.5), Price(0, 0, request_usd=0.1, since=date(2026, 1, 1))],
        }
    )
    assert {finding.model for finding in book.check(at=TODAY)} == {"slip", "slip of cents"}
