"""The bootstrap covers a known truth, pairs what belongs together, and never drops what was not reached."""

from __future__ import annotations

import math
import warnings
from statistics import NormalDist

import numpy as np
import pytest

from tenbin.evaluate.intervals import (
    LEVEL,
    LONGER_ARM,
    Columns,
    Means,
    amount_interval,
    either_way,
    interval,
    mean_interval,
    quality_interval,
    resample,
    standard_error,
)
from tenbin.types import NORMAL_95, Figure, Floats, Ints


def means_of(values: Floats, weight: Floats | None = None, cluster: Ints | None = None, resamples: int = 400) -> Means:
    n = len(values)
    columns = Columns(n)
    columns.add("x", values)
    return resample(
        columns,
        np.ones(n) if weight is None else weight,
        np.arange(n) if cluster is None else cluster,
        resamples=resamples,
        seed=3,
        tick=lambda _done: None,
    )


def test_the_interval_of_a_mean_covers_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(200):
        figure = mean_interval(means_of((rng.random(150) < 0.7).astype(float)).of("x")[:, 0])
        covered += figure.low <= 0.7 <= figure.high
    assert 180 <= covered <= 198


def test_the_standard_error_is_that_of_the_mean() -> None:
    values = np.random.default_rng(0).normal(size=2000)
    error = standard_error(means_of(values, resamples=1000).of("x")[:, 0])
    assert error == pytest.approx(values.std() / math.sqrt(2000), rel=0.1)


def test_paired_columns_share_their_noise() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(size=500)
    rows = means_of(np.stack([noise, noise + 0.01], axis=1)).of("x")
    gap = interval(rows[:, 1] - rows[:, 0])
    assert (gap.low, gap.high) == (pytest.approx(0.01), pytest.approx(0.01))


def test_copies_are_drawn_together() -> None:
    values = np.random.default_rng(2).normal(size=200)
    alone = standard_error(means_of(values).of("x")[:, 0])
    copied = standard_error(means_of(np.repeat(values, 9), cluster=np.repeat(np.arange(200), 9)).of("x")[:, 0])
    taken_apart = standard_error(means_of(np.repeat(values, 9)).of("x")[:, 0])
    assert copied == pytest.approx(alone, rel=0.15)
    assert taken_apart < 0.5 * copied


def test_weights_undo_selective_labelling() -> None:
    rng = np.random.default_rng(4)
    hard = rng.random(4000) < 0.5
    propensity = np.where(hard, 0.9, 0.2)
    kept = rng.random(4000) < propensity
    figure = mean_interval(means_of(np.where(hard, 0.2, 0.8)[kept], weight=1.0 / propensity[kept]).of("x")[:, 0])
    assert figure.low < 0.5 < figure.high
    assert np.where(hard, 0.2, 0.8)[kept].mean() < 0.4


def test_gaps_are_left_out_of_a_mean() -> None:
    columns = Columns(4)
    columns.add_gappy("s", np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan], [np.nan, np.nan]]))
    means = resample(columns, np.ones(4), np.arange(4), resamples=5, seed=0, tick=lambda _done: None)
    assert means.gappy("s")[0, 0] == 2.0
    assert np.isnan(means.gappy("s")[:, 1]).all()


def test_the_same_seed_gives_the_same_rows_and_the_order_of_columns_does_not_matter() -> None:
    values = np.random.default_rng(5).random((60, 2))
    assert np.array_equal(means_of(values).of("x"), means_of(values).of("x"))
    assert np.allclose(means_of(values[:, ::-1]).of("x")[:, ::-1], means_of(values).of("x"), rtol=1e-13)


def test_what_is_not_reached_counts_as_infinite() -> None:
    rows = np.concatenate([[0.5], np.linspace(0.4, 0.6, 90), np.full(10, np.nan)])
    figure = interval(rows)
    assert figure.value == 0.5
    assert figure.low == pytest.approx(0.38, abs=0.01)  # they lean upwards by .01
    assert math.isnan(figure.high)
    mostly = interval(np.concatenate([[0.5], np.linspace(0.4, 0.6, 40), np.full(60, np.nan)]))
    assert mostly.low == pytest.approx(0.4 + 2.0 * 0.2 / 39)  # the third of a hundred; no middle, no lean
    assert math.isnan(mostly.high)


def test_what_is_reached_by_neither_of_two_is_told_without_a_warning_of_numpy() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = interval(np.array([0.1, -np.inf, -np.inf, np.inf, np.inf]))
    assert (found.value, math.isnan(found.low), math.isnan(found.high)) == (0.1, True, True)


def test_of_few_resamples_the_interval_holds_all_and_of_none_there_is_none() -> None:
    ten = interval(np.array([0.0, *np.linspace(-1.0, 1.0, 10)]))
    assert (ten.low, ten.high) == (-1.0, 1.0)
    none = mean_interval(np.array([0.5]))
    assert (none.value, math.isnan(none.low), math.isnan(none.high)) == (0.5, True, True)
    assert standard_error(np.array([9.0, 1.0, 3.0])) == pytest.approx(math.sqrt(2.0))
    assert math.isnan(standard_error(np.array([9.0, 1.0])))


def test_an_interval_is_drawn_out_by_both_leans_on_the_side_away_from_them() -> None:
    rows = np.concatenate([[0.0], np.linspace(-1.0, 3.0, 401)])
    leaning = interval(rows)
    assert (leaning.low, leaning.high) == (pytest.approx(-0.9 - 2.0), pytest.approx(2.9))
    other_way = interval(-rows)
    assert (other_way.low, other_way.high) == (pytest.approx(-2.9), pytest.approx(0.9 + 2.0))


def test_the_reach_is_that_of_the_level() -> None:
    assert pytest.approx(NormalDist().inv_cdf(0.5 + LEVEL / 2.0)) == NORMAL_95


def test_the_longer_arm_of_a_skewed_mean_is_drawn_out_and_only_that_one() -> None:
    rows = np.concatenate([[0.0], np.linspace(-1.0, 0.0, 201), np.linspace(0.0, 3.0, 201)])
    plain, drawn = interval(rows), mean_interval(rows)
    assert drawn.low == pytest.approx(plain.low)
    assert drawn.high == pytest.approx(plain.high + LONGER_ARM * (plain.high + plain.low), rel=1e-2)


def test_no_interval_of_a_mean_quality_leaves_what_qualities_can_be() -> None:
    rows = np.array([2.0 / 3.0, *[1.0] * 50, *[2.0 / 3.0] * 30, *[1.0 / 3.0] * 20])
    assert mean_interval(rows).low < 0.0 <= quality_interval(rows).low
    assert mean_interval(1.0 - rows).high > 1.0 >= quality_interval(1.0 - rows).high
    assert math.isnan(quality_interval(np.array([0.5, math.nan, math.nan])).high)
    corrected = np.array([1.02, 1.0, 1.03, 1.05])  # a mean corrected for labels bought by plan may lie beyond
    assert quality_interval(corrected).high == 1.02


def test_queries_that_all_came_out_alike_do_not_make_the_quality_certain() -> None:
    right = means_of(np.ones(30)).of("x")[:, 0]
    least = quality_interval(right, variance_share=1.0 / 30.0).low
    assert least**30 == pytest.approx(0.025)  # a quality at which 30 of 30 are right one time in 40
    assert quality_interval(1.0 - right, variance_share=1.0 / 30.0) == Figure(0.0, 0.0, 1.0 - least)
    one_wrong = means_of(np.array([0.0] + [1.0] * 29)).of("x")[:, 0]
    assert quality_interval(one_wrong, variance_share=1.0 / 30.0) == quality_interval(one_wrong)
    half = means_of(np.full(30, 0.5)).of("x")[:, 0]  # of grades between, all alike, no such bound is known
    assert quality_interval(half, variance_share=1.0 / 30.0) == Figure(0.5, 0.5, 0.5)


def test_means_of_few_skewed_dollars_are_covered() -> None:
    rng = np.random.default_rng(12)
    covered = {interval: 0, mean_interval: 0}
    for _ in range(200):
        rows = means_of(rng.lognormal(0.0, 1.5, 60)).of("x")[:, 0]
        for made in covered:
            figure = made(rows)
            covered[made] += figure.low <= math.exp(1.5**2 / 2.0) <= figure.high
    assert covered[mean_interval] >= covered[interval] + 4
    assert covered[mean_interval] >= 172  # of 200; nothing that sees 60 of such dollars gets to 190


def test_a_share_of_few_outcomes_has_no_arm_below_that_of_its_standard_error() -> None:
    rows = 1.0 - means_of((np.arange(200) < 1).astype(float)).of("x")[:, 0]  # one of 200 came out worse, none better
    percentiles, figure = amount_interval(rows), either_way(rows)
    assert percentiles.high == 1.0
    assert figure.high == pytest.approx(figure.value + NORMAL_95 * standard_error(rows))
    assert figure.low == percentiles.low < figure.value - NORMAL_95 * standard_error(rows)
    assert either_way(rows, 0.01).low == pytest.approx(amount_interval(rows, 0.01).low)
    assert either_way(np.array([0.0, 0.0, 0.5])).low == 0.0
    assert math.isnan(either_way(np.array([1.0, math.nan, math.nan])).high)


def test_few_outcomes_weigh_beside_ten_that_are_expected() -> None:
    rows = 1.0 + means_of(np.where(np.arange(200) < 40, 1.0, 0.0) - (np.arange(200) % 5 == 4)).of("x")[:, 0]
    own = either_way(rows)
    below, above = own.value - own.low, own.high - own.value
    assert either_way(rows, expected_sd=9.0, seen=math.inf) == own  # many tell it alone
    none = either_way(rows, expected_sd=0.1, seen=0.0)  # none leave it to what is expected
    assert (none.low, none.high) == pytest.approx((rows[0] - 0.1 * NORMAL_95, rows[0] + 0.1 * NORMAL_95))
    half = either_way(rows, 0.05, expected_sd=0.1, seen=10.0)
    rest = NORMAL_95**2 * (0.5 * 0.1**2 + 0.05**2)
    assert half.low == pytest.approx(rows[0] - math.sqrt(0.5 * below**2 + rest))
    assert half.high == pytest.approx(rows[0] + math.sqrt(0.5 * above**2 + rest))


def test_a_tail_is_the_least_arm_of_one_end_after_all_else() -> None:
    rows = np.concatenate([[0.5], np.linspace(0.4, 0.6, 401)])
    plain, up, down = (amount_interval(rows, 0.1, tail=tail) for tail in (0.0, 0.4, -0.6))
    assert (up.low, up.high) == (plain.low, pytest.approx(0.9))
    assert (down.low, down.high) == (0.0, plain.high)  # no amount is below 0
    assert amount_interval(rows, 0.1, tail=0.2) == plain  # shorter than what is there


def test_what_is_lent_lengthens_both_arms() -> None:
    rows = np.concatenate([[0.5], np.linspace(0.4, 0.6, 401)])
    plain, lent = mean_interval(rows), mean_interval(rows, 0.1)
    assert lent.value - lent.low == pytest.approx(math.hypot(plain.value - plain.low, 0.1 * NORMAL_95))
    assert lent.high - lent.value == pytest.approx(math.hypot(plain.high - plain.value, 0.1 * NORMAL_95))
    assert mean_interval(np.ones(101), 0.1).low == pytest.approx(1.0 - 0.1 * NORMAL_95)
