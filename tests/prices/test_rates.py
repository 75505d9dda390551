"""The bill: hand-checked examples, and the properties that every bill keeps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.prices import PriceBook
from tenbin.types import Price, Usage

PLAIN = Price(2.5, 10.0)
CACHING = Price(3.0, 15.0, cached_input_usd_per_mtok=0.3, cache_write_usd_per_mtok=3.75)
THINKING = Price(2.0, 8.0, reasoning_usd_per_mtok=3.0, request_usd=0.005)
LONG = Price(
    1.25,
    10.0,
    cached_input_usd_per_mtok=0.125,
    long_context_tokens=200_000,
    long_input_usd_per_mtok=2.5,
    long_output_usd_per_mtok=15.0,
)
dollars = st.floats(0.0, 1e4)
tokens = st.integers(0, 1_000_000).map(float)


def bill(price: Price, input_tokens: float, output_tokens: float, **parts: float) -> float:
    rates = PriceBook({"m": [price]}).rates(["m"])
    cost = rates.cost_usd(
        np.array([[input_tokens]]), np.array([[output_tokens]]), **{k: np.array([[v]]) for k, v in parts.items()}
    )
    assert cost.shape == (1, 1)
    return float(cost[0, 0])


@pytest.mark.parametrize(
    ("price", "usage", "expected_usd"),
    [
        # 1,000 x 2.5 + 500 x 10 = 7,500 millionths
        (PLAIN, {"input_tokens": 1000, "output_tokens": 500}, 0.0075),
        # reasoning without a rate of its own is output like any other
        (PLAIN, {"input_tokens": 1000, "output_tokens": 500, "reasoning_tokens": 400}, 0.0075),
        # cached tokens without a rate of their own are plain input
        (PLAIN, {"input_tokens": 1000, "output_tokens": 500, "cached_input_tokens": 900}, 0.0075),
        # 10,000 in, of which 6,000 read from and 1,000 written to the cache: 3,000 x 3 + 6,000 x .3 + 1,000 x 3.75
        (
            CACHING,
            {"input_tokens": 10_000, "output_tokens": 0, "cached_input_tokens": 6000, "cache_write_tokens": 1000},
            (9000 + 1800 + 3750) / 1e6,
        ),
        # 200 answer x 8 + 800 reasoning x 3 + 100 x 2, and half a cent for the call
        (THINKING, {"input_tokens": 100, "output_tokens": 1000, "reasoning_tokens": 800}, 0.0042 + 0.005),
        # exactly at the threshold the short rates hold
        (LONG, {"input_tokens": 200_000, "output_tokens": 1000}, 0.25 + 0.01),
        # one token more, and the whole call is billed at the long rates, the output too
        (LONG, {"input_tokens": 200_001, "output_tokens": 1000}, 200_001 * 2.5 / 1e6 + 0.015),
        # cached input gets dearer by the same factor: .125 x 2
        (LONG, {"input_tokens": 300_000, "output_tokens": 0, "cached_input_tokens": 300_000}, 0.075),
        # and so does reasoning without a rate of its own: it is output, long like the rest
        (LONG, {"input_tokens": 300_000, "output_tokens": 4000, "reasoning_tokens": 3000}, 0.75 + 0.06),
        # parts larger than the whole never become a credit
        (CACHING, {"input_tokens": 100, "output_tokens": 0, "cached_input_tokens": 1000}, 0.0003),
    ],
)
def test_bills_worked_out_by_hand(price: Price, usage: dict[str, float], expected_usd: float) -> None:
    assert bill(price, **usage) == pytest.approx(expected_usd, rel=1e-12)


def test_each_candidate_has_its_own_rates_and_nan_stays_in_its_cell() -> None:
    rates = PriceBook({"a": [PLAIN], "b": [LONG], "c": [THINKING]}).rates(["b", "a", "c"])
    sent = np.array([[1000.0, 1000.0, 1000.0], [300_000.0, np.nan, 300_000.0]])
    got = np.array([[100.0, 100.0, 100.0], [100.0, 100.0, 100.0]])
    expected = [
        [(1250 + 1000) / 1e6, (2500 + 1000) / 1e6, (2000 + 800) / 1e6 + 0.005],
        [(750_000 + 1500) / 1e6, np.nan, (600_000 + 800) / 1e6 + 0.005],
    ]
    np.testing.assert_allclose(rates.cost_usd(sent, got), expected, rtol=1e-12)
    assert rates.models == ("b", "a", "c")


def test_one_row_of_input_stretches_over_the_candidates() -> None:
    rates = PriceBook({"a": [PLAIN], "b": [CACHING]}).rates(["a", "b"])
    cost = rates.cost_usd(np.array([[1000.0], [2000.0]]), np.zeros((2, 2)))
    np.testing.assert_allclose(cost, [[0.0025, 0.003], [0.005, 0.006]])


def test_parts_that_no_call_has_change_no_bit() -> None:
    """Left out they cost nothing, and exactly what arrays of zeros cost."""
    rates = PriceBook({"a": [CACHING], "b": [LONG], "c": [THINKING]}).rates(["a", "b", "c"])
    rng = np.random.default_rng(0)
    sent, got = rng.uniform(0.0, 400_000.0, (50, 3)), rng.uniform(0.0, 5000.0, (50, 3))
    sent[0, 0], none = np.nan, np.zeros((50, 3))
    spelt_out = rates.cost_usd(sent, got, cached_input_tokens=none, cache_write_tokens=none, reasoning_tokens=none)
    assert np.array_equal(rates.cost_usd(sent, got), spelt_out, equal_nan=True)


def test_one_number_of_a_part_counts_for_every_call() -> None:
    rates = PriceBook({"a": [CACHING], "b": [THINKING]}).rates(["a", "b"])
    sent, got, parts = np.full((3, 2), 1000.0), np.full((3, 2), 500.0), {"cached_input_tokens": 700.0}
    parts |= {"cache_write_tokens": 100.0, "reasoning_tokens": 400.0}
    spelt_out = rates.cost_usd(sent, got, **{kind: np.full((3, 2), part) for kind, part in parts.items()})
    np.testing.assert_array_equal(rates.cost_usd(sent, got, **parts), spelt_out)


def test_an_explicit_long_rate_wins_over_the_factor() -> None:
    price = Price(
        1.0,
        2.0,
        cached_input_usd_per_mtok=0.1,
        cache_write_usd_per_mtok=1.25,
        long_context_tokens=1000,
        long_input_usd_per_mtok=2.0,
        long_cached_input_usd_per_mtok=0.1,
    )
    assert bill(price, 2000, 0, cached_input_tokens=2000) == pytest.approx(0.0002)
    assert bill(price, 2000, 0, cache_write_tokens=2000) == pytest.approx(2000 * 2.5 / 1e6)
    assert bill(price, 2000, 100) == pytest.approx((4000 + 200) / 1e6)


@settings(max_examples=100)
@given(dollars, dollars, tokens, tokens, tokens, tokens, st.integers(1, 50))
def test_the_bill_is_linear_in_the_tokens(
    rate_in: float, rate_out: float, in_a: float, in_b: float, out_a: float, out_b: float, times: int
) -> None:
    price = Price(rate_in, rate_out)
    both = bill(price, in_a, out_a) + bill(price, in_b, out_b)
    assert bill(price, in_a + in_b, out_a + out_b) == pytest.approx(both, rel=1e-9, abs=1e-15)
    assert bill(price, times * in_a, times * out_a) == pytest.approx(times * bill(price, in_a, out_a), rel=1e-9)


@settings(max_examples=100)
@given(st.sampled_from([PLAIN, CACHING, THINKING, LONG]), tokens, tokens, tokens, st.floats(0.01, 100.0))
def test_dollars_scale_with_the_book(price: Price, sent: float, got: float, cached: float, factor: float) -> None:
    book = PriceBook({"m": [price], "other": [price]})
    arrays = (np.array([[sent, sent]]), np.array([[got, got]]))
    parts = {"cached_input_tokens": np.array([[cached, cached]]), "reasoning_tokens": arrays[1] / 2.0}
    before = book.rates(["m", "other"]).cost_usd(*arrays, **parts)
    after = book.scaled("m", factor).rates(["m", "other"]).cost_usd(*arrays, **parts)
    assert after[0, 0] == pytest.approx(factor * before[0, 0], rel=1e-9)
    assert after[0, 1] == before[0, 1]


@settings(max_examples=100)
@given(st.sampled_from([PLAIN, CACHING, THINKING, LONG]), tokens, tokens, st.integers(0, 1000).map(float))
def test_more_tokens_never_cost_less(price: Price, sent: float, got: float, more: float) -> None:
    assert bill(price, sent + more, got) >= bill(price, sent, got)
    assert bill(price, sent, got + more) >= bill(price, sent, got)


@settings(max_examples=100)
@given(
    st.sampled_from([PLAIN, CACHING, THINKING, LONG]),
    *[st.integers(0, 1_000_000) for _ in range(5)],
)
def test_one_call_and_a_table_of_calls_are_billed_alike(
    price: Price, sent: int, got: int, cached: int, written: int, reasoned: int
) -> None:
    one = PriceBook({"m": [price]}).rates(["m"]).bill_usd(0, Usage(sent, got, cached, written, reasoned))
    table = bill(
        price,
        float(sent),
        float(got),
        cached_input_tokens=float(cached),
        cache_write_tokens=float(written),
        reasoning_tokens=float(reasoned),
    )
    assert one == pytest.approx(table, rel=1e-12, abs=0.0)


def test_writes_that_are_kept_for_an_hour_and_audio_have_rates_of_their_own() -> None:
    """All were billed as writes of five minutes, and audio as text: at Anthropic 5/8 of the bill."""
    long = {"long_context_tokens": 1000, "long_input_usd_per_mtok": 6.0}
    price = Price(3.0, 15.0, cache_write_usd_per_mtok=3.75, audio_input_usd_per_mtok=30.0, **long)
    rates = PriceBook({"m": [price], "named": [Price(3.0, 15.0, cache_write_1h_usd_per_mtok=5.0)]}).rates(
        ["m", "named"]
    )
    of_an_hour = Usage(900, 50, 100, 400, 0, cache_write_1h_tokens=300)
    assert rates.bill_usd(0, of_an_hour) == pytest.approx((500 * 3 + 100 * 3.75 + 300 * 6 + 50 * 15) / 1e6)
    assert rates.bill_usd(1, of_an_hour) == pytest.approx((500 * 3 + 100 * 3 + 300 * 5 + 50 * 15) / 1e6)
    assert rates.bill_usd(0, Usage(2000, 0, 0, 1000, 0, 1000)) == pytest.approx((1000 * 6 + 1000 * 12) / 1e6)
    more_than_written = Usage(900, 0, 0, 100, 0, 300)  # a provider that counts them apart is given no credit
    assert rates.bill_usd(0, more_than_written) == pytest.approx((800 * 3 + 300 * 6) / 1e6)
    assert rates.bill_usd(0, Usage(900, 50, audio_input_tokens=300)) == pytest.approx(
        (600 * 3 + 300 * 30 + 50 * 15) / 1e6
    )
    heard = Usage(900, 50, 100, 0, 20, audio_input_tokens=300, audio_output_tokens=10)
    assert rates.bill_usd(0, heard) == pytest.approx((500 * 3 + 100 * 3 + 300 * 30 + 50 * 15) / 1e6)
    spoken = PriceBook({"m": [Price(3.0, 15.0, audio_output_usd_per_mtok=80.0)]}).rates(["m"])
    assert spoken.bill_usd(0, heard) == pytest.approx((900 * 3 + 40 * 15 + 10 * 80) / 1e6)


def test_what_is_free_up_to_a_threshold_has_no_factor_above_it() -> None:
    price = Price(
        0.0,
        0.0,
        cached_input_usd_per_mtok=1.0,
        cache_write_1h_usd_per_mtok=5.0,
        reasoning_usd_per_mtok=2.0,
        long_context_tokens=10,
        long_input_usd_per_mtok=0.0,
    )
    usage = Usage(20, 10, 5, 5, 10, cache_write_1h_tokens=5)
    assert PriceBook({"m": [price]}).rates(["m"]).bill_usd(0, usage) == pytest.approx((5 * 1 + 5 * 5 + 10 * 2) / 1e6)
    cheap = replace(
        price,
        input_usd_per_mtok=0.1,
        output_usd_per_mtok=0.4,
        long_input_usd_per_mtok=0.2,
        long_output_usd_per_mtok=0.8,
    )
    dollars = (10 * 0.2 + 5 * 2 + 5 * 10 + 10 * 4) / 1e6  # all twice as dear, though below a dollar
    assert PriceBook({"m": [cheap]}).rates(["m"]).bill_usd(0, usage) == pytest.approx(dollars)


def test_a_tier_of_the_provider_multiplies_what_tokens_cost() -> None:
    price = Price(3.0, 15.0, request_usd=0.01, priority_factor=2.0, flex_factor=0.5)
    rates = PriceBook({"m": [price], "silent": [Price(3.0, 15.0)]}).rates(["m", "silent"])
    tokens = (900 * 3 + 50 * 15) / 1e6
    for tier, factor, unstated in ((None, 1, 1), ("priority", 2, 2.5), ("flex", 0.5, 1), ("scale", 1, 1)):
        assert rates.bill_usd(0, Usage(900, 50, tier=tier)) == pytest.approx(factor * tokens + 0.01)
        assert rates.bill_usd(1, Usage(900, 50, tier=tier)) == pytest.approx(unstated * tokens)
    halved = PriceBook({"m": [price]}).scaled("m", 0.5).rates(["m"])
    assert halved.bill_usd(0, Usage(900, 50, tier="priority")) == pytest.approx(tokens + 0.005)


def test_no_call_of_at_most_so_many_tokens_costs_more_than_the_ceiling() -> None:
    dear = Price(1.0, 2.0, cache_write_usd_per_mtok=3.0, reasoning_usd_per_mtok=5.0, request_usd=0.01)
    rates = PriceBook({"dear": [dear], "long": [LONG]}).rates(["dear", "long"])
    assert rates.ceiling_usd(0, 10, 100) == pytest.approx(rates.bill_usd(0, Usage(10, 100, 0, 10, 100)))
    upside_down = Price(4.0, 1.0, audio_input_usd_per_mtok=40.0, audio_output_usd_per_mtok=80.0)
    of_text = PriceBook({"m": [upside_down]}).rates(["m"]).ceiling_usd(0, 10, 100)
    assert of_text == pytest.approx((10 * 4 + 100 * 1) / 1e6)
    for sent in (10, 200_000, 300_000):
        assert rates.ceiling_usd(1, sent, 100) == pytest.approx(rates.bill_usd(1, Usage(sent, 100)))
    discount = Price(4.0, 8.0, long_context_tokens=100, long_input_usd_per_mtok=1.0, long_output_usd_per_mtok=2.0)
    cheaper_when_long = PriceBook({"m": [discount]}).rates(["m"])
    assert cheaper_when_long.ceiling_usd(0, 120, 10) >= cheaper_when_long.bill_usd(0, Usage(100, 10))
