from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenbin.evaluate.hull import Hull
from tenbin.online.evidence import LEAST_GAIN, Ground, NewcomerEvidence, _from_nothing, evidence_of
from tenbin.online.newcomer import Newcomer
from tenbin.risk import Anchors


def ground(quality: float, cost_usd: float, n: int = 400) -> Ground:
    """A cheap and a dear candidate, and a newcomer that is expected to be of this quality at this price."""
    ones = np.ones(n)
    known = np.column_stack([0.5 * ones, 0.8 * ones])
    dollars = np.column_stack([0.001 * ones, 0.01 * ones])
    return Ground(
        models=("cheap", "dear", "new"),
        anchors=Anchors("dear", 0.01, np.nan),
        estimated=np.column_stack([known, quality * ones]),
        estimated_usd=np.column_stack([dollars, cost_usd * ones]),
        quality=known,
        cost_usd=dollars,
        quality_of_new=ones[:, None],
        cost_usd_of_new=cost_usd * ones,
    )


def newcomer(quality: float, sd: float) -> Newcomer:
    return Newcomer(np.array([quality]), np.array([[sd**2]]), 47.0, np.empty(0))


def test_as_good_as_the_dear_one_for_a_tenth_is_taken_in() -> None:
    found = evidence_of(ground(0.79, 0.001), newcomer(0.79, 0.02), 0)
    assert found.suffices
    assert found.certainty == 1.0
    assert 0.0 < found.low < found.gain < found.high
    assert found.share == 1.0


def test_the_gain_is_the_area_between_the_curves() -> None:
    found = evidence_of(ground(0.8, 0.001), newcomer(0.8, 1e-9), 0)
    # Without it the hull rises from .5 to .8 straight in dollars, and (x - a) / (b - a) has, over log dollars, the
    # mean 1 / ln(b / a) - a / (b - a).
    assert found.gain == pytest.approx(0.8 - (0.5 + 0.3 * (1.0 / np.log(10.0) - 1.0 / 9.0)), abs=1e-6)
    # A dearer and better one goes on from .8 to .95, over dollars to its own price.
    dearer = evidence_of(ground(0.95, 0.02), newcomer(0.95, 1e-9), 0)
    assert dearer.gain == pytest.approx(0.15 * (1.0 - np.log(2.0)) / np.log(20.0), abs=1e-6)


def test_the_interval_of_the_gain_is_that_of_nine_draws_in_ten() -> None:
    told, drawn = ground(0.7, 0.001), newcomer(0.7, 0.02)
    found = evidence_of(told, drawn, 5)
    levels = drawn.draws(400, np.random.default_rng(5))[:, 0]
    low, high = (evidence_of(told, newcomer(float(np.quantile(levels, p)), 0.0), 0).gain for p in (0.05, 0.95))
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)
    assert found.gain == pytest.approx(evidence_of(told, newcomer(float(levels.mean()), 0.0), 0).gain, abs=1e-6)


def test_of_many_rows_every_second_or_third_is_looked_at() -> None:
    assert [len(ground(0.7, 0.001, n).thinned().quality) for n in (8_000, 8_001, 16_001)] == [8_000, 4_001, 5_334]


def test_one_cheaper_than_all_is_worth_what_none_of_them_sells() -> None:
    found = evidence_of(ground(0.45, 0.0001), newcomer(0.45, 0.01), 0)
    assert found.suffices
    assert found.low > 0.1
    # Before, a cheaper answer was half a share of the cheap one's; now it is .45 and up, on half of the dollars' range.
    mean = (1.0 - 0.1) / np.log(10.0)  # of x / .001 over the logarithm of x from .0001 to .001
    exact = evidence_of(ground(0.45, 0.0001), newcomer(0.45, 1e-9), 0).gain
    assert exact == pytest.approx(0.5 * (0.45 + 0.05 * (mean - 0.1) / 0.9 - 0.5 * mean), abs=1e-6)
    free = Hull((0.0, 0.01), (0.5, 0.8))
    assert _from_nothing(free) is free


def test_worse_and_dearer_is_never_chosen_and_brings_nothing() -> None:
    found = evidence_of(ground(0.4, 0.02), newcomer(0.4, 0.1), 0)
    assert found == NewcomerEvidence(0.0, 0.0, 0.0, 0.0, 0.0)
    assert not found.suffices


def test_what_may_do_as_much_harm_as_good_is_not_taken_in() -> None:
    """The cheap one is known to fail half of the prompts; a newcomer for those may be good, or spoil what was good."""
    easy = np.arange(400) % 2 == 0
    known = np.column_stack([np.where(easy, 0.9, 0.1), np.full(400, 0.92)])
    told = replace(ground(0.919, 0.009), quality=known, estimated=np.column_stack([known, np.full(400, 0.919)]))
    sure, unsure = (evidence_of(told, newcomer(0.919, sd), 0) for sd in (0.001, 0.15))
    assert sure.gain > 0.0
    assert unsure.low < 0.0
    assert not unsure.suffices


def test_to_beat_the_best_for_less_it_must_be_all_but_certain() -> None:
    likely, certain = (evidence_of(ground(0.84, 0.001), newcomer(0.84, sd), 0) for sd in (0.04, 0.01))
    assert likely.claim == pytest.approx(0.84, abs=0.03)
    assert likely.gain > likely.least_gain
    assert not likely.suffices
    assert certain.claim == 1.0
    assert certain.suffices
    assert evidence_of(ground(0.84, 0.02), newcomer(0.84, 0.04), 0).claim is None


@pytest.mark.parametrize(
    ("gain", "low", "suffices"),
    [(0.01, -0.012, True), (0.01, -0.014, False), (LEAST_GAIN, 0.002, True), (0.9 * LEAST_GAIN, 0.0, False)],
)
def test_the_gain_must_outweigh_a_bad_draw_and_be_worth_it(gain: float, low: float, suffices: bool) -> None:
    assert NewcomerEvidence(gain, low, 0.1, 0.9, 0.5).suffices is suffices


def test_the_same_seed_says_the_same() -> None:
    one, two = (evidence_of(ground(0.7, 0.004), newcomer(0.7, 0.05), 3) for _ in range(2))
    assert one == two
