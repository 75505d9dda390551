"""Dollars to decide by: differences between candidates count as far as the training rows bear them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenbin.errors import DataError
from tenbin.predictors.shares import share_borne
from tenbin.prices import PriceBook
from tenbin.router.crossfit import Observed
from tenbin.router.pricing import (
    DOLLARS,
    ROWS_PER_DIFFERENCE,
    TOKENS,
    Pricing,
    TypicalCall,
    call_of_dollars,
    cost_basis,
    labelled_rows,
    recorded_book,
    recorded_price,
    typical_call,
)
from tenbin.types import Estimates, Floats, Price
from tests.router.made import make_panel

MODELS = ("a", "b", "c", "d")
TOKEN = {"a": 1.0, "b": 2.0, "c": 10.0, "d": 0.0}
NAN = np.full((2, 4), np.nan)


def book(**dearer: float) -> PriceBook:
    return PriceBook({m: (Price(rate * dearer.get(m, 1.0), rate * dearer.get(m, 1.0)),) for m, rate in TOKEN.items()})


def pricing(rows: float, prices: PriceBook | None = None, fitted: int = 4) -> Pricing:
    size = np.array([100.0, 200.0, 100.0, 100.0])
    typical = TypicalCall(size, size, book().rates(MODELS).cost_usd(size[None], size[None])[0])
    return Pricing(TOKENS, (prices or book()).rates(MODELS), typical, rows, fitted)


def estimates(tokens: Floats) -> Estimates:
    return Estimates(NAN, NAN, NAN, tokens, tokens, NAN)


TOKENS_HERE = np.array([[50.0, 400.0, 150.0, 70.0], [300.0, 500.0, np.nan, 10.0]])
"""In units of the typical call: a half, two and one and a half of the priced ones; then three, two and a half."""


def test_with_plenty_of_rows_dollars_are_those_of_the_tokens() -> None:
    plenty = pricing(1_000.0)
    np.testing.assert_array_equal(
        plenty.expected_cost_usd(estimates(TOKENS_HERE)), plenty.cost_usd(estimates(TOKENS_HERE))
    )


def test_with_few_rows_a_call_is_nearly_as_many_times_the_typical_one_for_all() -> None:
    few = pricing(1.0)
    times = few.expected_cost_usd(estimates(TOKENS_HERE))[:, :3] / few.typical.cost_usd[:3]
    np.testing.assert_allclose(times[0], (0.5 * 2.0 * 1.5) ** (1 / 3), rtol=0.01)
    np.testing.assert_allclose(times[1, :2], (3.0 * 2.5) ** 0.5, rtol=0.01)


def test_what_others_are_said_to_cost_never_lifts_a_call_above_its_longest_answer() -> None:
    caps = np.array([[10.0, 10.0, np.inf, 10.0], [10.0, np.inf, 10.0, 10.0]])
    free, few = pricing(1.0).expected_cost_usd(estimates(TOKENS_HERE)), pricing(1.0)
    capped = few.expected_cost_usd(estimates(TOKENS_HERE), output_caps=caps)
    longest = (TOKENS_HERE + caps) * np.array([1.0, 2.0, 10.0, 0.0]) / 1e6
    np.testing.assert_array_equal(capped, np.where(caps == 10.0, np.minimum(free, longest), free))
    assert (capped < free).sum() >= 3


def test_free_and_unknown_calls_stay_so() -> None:
    dollars = pricing(20.0).expected_cost_usd(estimates(TOKENS_HERE))
    assert np.isnan(dollars[1, 2])
    assert np.isfinite(np.delete(dollars.ravel(), 6)).all()
    np.testing.assert_array_equal(dollars[:, 3], 0.0)
    only_added = estimates(np.array([[np.nan, np.nan, 150.0, 70.0]]))
    assert pricing(20.0, fitted=2).expected_cost_usd(only_added)[0, 2] == pytest.approx(0.003)


def test_between_them_logarithms_are_drawn_by_the_share_that_the_rows_bear() -> None:
    rows = 48.0
    share = share_borne(rows, 3, ROWS_PER_DIFFERENCE)
    assert 0.2 < share < 0.8
    some = pricing(rows)
    logs = np.log(np.array([0.5, 2.0, 1.5]))
    drawn = np.log(some.expected_cost_usd(estimates(TOKENS_HERE))[0, :3] / some.typical.cost_usd[:3])
    np.testing.assert_allclose(drawn, logs.mean() + share * (logs - logs.mean()))


def test_a_price_is_felt_in_full_however_few_the_rows() -> None:
    before = pricing(20.0).expected_cost_usd(estimates(TOKENS_HERE))
    after = pricing(20.0, book(b=10.0)).expected_cost_usd(estimates(TOKENS_HERE))
    np.testing.assert_allclose(
        after / np.where(before > 0.0, before, np.nan), [[1, 10, 1, np.nan], [1, 10, np.nan, np.nan]]
    )


def test_a_prompt_cache_saves_the_same_share_however_few_the_rows() -> None:
    cheap = PriceBook({m: (Price(rate, rate, cached_input_usd_per_mtok=0.1 * rate),) for m, rate in TOKEN.items()})
    cached = np.array([[40.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    few, whole = pricing(20.0, cheap), estimates(TOKENS_HERE)
    saved = few.expected_cost_usd(whole, cached)[0, :3] / few.expected_cost_usd(whole)[0, :3]
    assert saved[0] == pytest.approx(few.cost_usd(whole, cached)[0, 0] / few.cost_usd(whole)[0, 0])
    np.testing.assert_allclose(saved[1:], 1.0)


def test_recorded_dollars_are_drawn_alike() -> None:
    typical = TypicalCall(np.ones(2), np.ones(2), np.array([0.01, 0.1]))
    prices = PriceBook({"a": (Price(0.0, 0.0, request_usd=0.01),), "b": (Price(0.0, 0.0, request_usd=0.1),)})
    recorded = np.array([[0.02, 0.05]])
    few = Pricing(DOLLARS, prices.rates(("a", "b")), typical, rows=0.01, fitted=2)
    blank = np.full((1, 2), np.nan)
    found = few.expected_cost_usd(Estimates(blank, blank, blank, blank, blank, blank, recorded))
    np.testing.assert_allclose(found, [[0.01, 0.1]], rtol=0.01)


def test_an_output_cap_bounds_the_dollars_and_never_raises_them() -> None:
    plenty, caps = pricing(1_000.0), np.array([[10.0, 1e6, np.inf, 10.0], [np.inf, 100.0, 10.0, 10.0]])
    whole, capped = (plenty.expected_cost_usd(estimates(TOKENS_HERE), 0.0, c) for c in (None, caps))
    expected = whole.copy()
    expected[0, 0], expected[1, 1] = (50 + 10) * 1e-6, (500 + 100) * 2e-6
    np.testing.assert_allclose(capped, expected)


def test_what_is_predicted_follows_from_what_every_candidate_has() -> None:
    panel, nothing = make_panel(4), np.full((4, 3), np.nan)
    some = np.where(np.arange(4)[:, None] == 1, 5.0, nothing)
    lacking = some * [1.0, np.nan, 1.0]
    tokens = replace(panel, input_tokens=some, output_tokens=some, cost_usd=nothing)
    dollars = replace(panel, input_tokens=nothing, output_tokens=nothing, cost_usd=some)
    assert cost_basis(replace(tokens, cost_usd=some), book()) == TOKENS
    assert cost_basis(dollars, book()) == cost_basis(dollars, None) == DOLLARS
    assert cost_basis(replace(tokens, cost_usd=some), None) == DOLLARS
    assert cost_basis(replace(tokens, output_tokens=lacking, cost_usd=some), book()) == DOLLARS
    with pytest.raises(DataError, match=r'"large".*give --prices FILE'):
        cost_basis(tokens, None)
    dear = replace(dollars, cost_usd=lacking)
    for halves in (dear, replace(dear, input_tokens=some), replace(dear, input_tokens=lacking, output_tokens=some)):
        with pytest.raises(DataError, match=r'no cost is known for "mid".*give input_tokens, .*add --map OURS=THEIRS'):
            cost_basis(halves, book())
    with pytest.raises(DataError, match=r'no cost is known for "mid";'):  # of large, the first, tokens are known
        cost_basis(replace(tokens, output_tokens=lacking), book())
    with pytest.raises(DataError, match=r'no cost is known for "large" and 2 more models;'):
        cost_basis(replace(tokens, output_tokens=nothing), book())
    assert labelled_rows(np.array([[1.0, np.nan], [0.0, 1.0], [np.nan, np.nan]])) == 1.5


def test_recorded_dollars_buy_the_output_beside_the_text_and_scale_with_the_price() -> None:
    rates = book().rates(MODELS)
    bought = call_of_dollars(100.0, np.array([0.0005, 0.0001, 0.002, 0.003]), rates)
    np.testing.assert_allclose(bought.input_tokens, 100.0)
    # At 1, 2 and 10 dollars per million: 100 in cost .0001, .0002 and .001, the rest is output; the last is free.
    np.testing.assert_allclose(bought.output_tokens, [400.0, 0.0, 100.0, 0.0])
    np.testing.assert_allclose(bought.cost_usd, [0.0005, 0.0002, 0.002, 0.0])
    blank, recorded = np.full((1, 4), np.nan), np.array([[1.0, 2.0, 3.0, 4.0]])
    observed = Observed(blank, np.full((1, 4), 7.0), np.full((1, 4), 5.0), recorded, blank, blank)
    dearer = book(a=3.0).rates(MODELS)
    by_dollars = Pricing(DOLLARS, dearer, bought, 1.0, 4).observed_cost_usd(observed)
    np.testing.assert_allclose(by_dollars, [[3.0, 2.0, 3.0, 4.0]])
    again = TypicalCall.load(bought.save())
    predicted = Estimates(blank, blank, blank, blank, blank, blank, recorded)
    np.testing.assert_allclose(Pricing(DOLLARS, dearer, again, 1.0, 4).cost_usd(predicted), [[3.0, 2.0, 3.0, 4.0]])
    by_tokens = Pricing(TOKENS, dearer, bought, 1.0, 4).observed_cost_usd(observed)
    np.testing.assert_allclose(by_tokens, [[36e-6, 24e-6, 120e-6, 0.0]])


@pytest.mark.parametrize("basis", [TOKENS, DOLLARS])
def test_a_typical_call_is_of_mean_size(basis: str) -> None:
    cells = np.array([[100.0, 200.0, 300.0], [300.0, np.nan, 500.0]])
    panel = replace(make_panel(2), input_tokens=cells, output_tokens=2.0 * cells, cost_usd=1e-6 * cells)
    weight = np.array([[3.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    rates = recorded_book(panel, weight).rates(panel.models)
    np.testing.assert_allclose(rates.request_usd, [150e-6, 200e-6, 400e-6])
    typical = typical_call(panel, np.array([50.0, 70.0]), weight, basis, rates)
    expected = [150.0, 200.0, 400.0] if basis == TOKENS else [60.0] * 3
    np.testing.assert_allclose(typical.input_tokens, expected)
    np.testing.assert_allclose(typical.output_tokens, 2.0 * np.array(expected) if basis == TOKENS else 0.0)
    np.testing.assert_allclose(typical.cost_usd, [150e-6, 200e-6, 400e-6])
    assert recorded_price(0.0123456789).request_usd == 0.0123457
