"""What was observed at a setting has an interval that knows what few prompts may hide."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tenbin.certify.observed import observed_quality, observed_saving
from tenbin.certify.pairs import Pairs
from tenbin.types import Floats

N = 200
SHARE = 0.98


def pairs_of(own: Floats, dollars: Floats) -> Pairs:
    """All labelled; the reference answers everything right at a dollar."""
    usual = np.ones_like(own)
    return Pairs(own - SHARE * usual, usual, dollars, usual, usual, ("",) * len(own), 1.0)


def three_steps() -> Pairs:
    """Step 1 sends three prompts to a candidate of half the price that answers them right, step 2 twenty more."""
    gone = np.stack([np.arange(N) < k for k in (0, 3, 23)], axis=1)
    own = np.where(gone & (np.arange(N) >= 19)[:, None], 0.0, 1.0)  # four of the twenty come out wrong
    dollars = np.where(gone, np.where(np.arange(N) < 3, 0.5, 0.1)[:, None], 1.0)
    return pairs_of(own, dollars)


def test_of_few_that_went_it_allows_for_what_those_next_in_line_would_bring() -> None:
    quality, saving = observed_quality(three_steps(), 1, SHARE), observed_saving(three_steps(), 1)
    assert quality.value == pytest.approx(1.0)
    stayed = (N - 3) / N
    assert quality.low == pytest.approx(1.0 - (1.96 * math.sqrt(2.0 * stayed) + stayed) / N, abs=1e-6)
    assert quality.high == pytest.approx(1.0 + 1.96 * math.sqrt(2.0 * stayed) / N, abs=1e-6)
    assert saving.value == pytest.approx(1.5 / N)
    own = (3 * 0.25 - 1.5**2 / N) * N / (N - 1)
    square, mean = (3 * 0.25 + 20 * 0.81) / 23, (1.5 + 18.0) / 23
    half = 1.96 * math.sqrt(own + 2.0 * stayed * square)
    assert saving.high == pytest.approx((1.5 + half + stayed * mean) / N, abs=1e-5)
    assert saving.low == pytest.approx((1.5 - half) / N, abs=1e-5)


def test_where_those_next_in_line_are_dearer_the_other_end_is_farther() -> None:
    pairs = three_steps()
    dearer = replace(pairs, dollars=2.0 - pairs.dollars)
    saving, cheaper = observed_saving(dearer, 1), observed_saving(pairs, 1)
    assert (-saving.value, -saving.high, -saving.low) == pytest.approx((cheaper.value, cheaper.low, cheaper.high))


@pytest.mark.parametrize(("step", "farther"), [(1, 4), (2, 4), (4, 6), (5, 7), (6, 6)])
def test_next_in_line_are_as_many_again_ten_at_least_or_all_there_are(step: int, farther: int) -> None:
    gone = np.arange(N)[:, None] < np.array([0, 3, 4, 12, 14, 20, 28, 28])[: farther + 1 if step == 6 else None]
    pairs = pairs_of(np.where(gone, 0.5, 1.0), np.where(gone, 0.1 * np.arange(gone.shape[1]), 1.0))
    kept = [0, step, farther]
    own, dollars, usual = pairs.values[:, kept] + SHARE, pairs.dollars[:, kept], pairs.usual_dollars[:, kept]
    assert observed_saving(pairs, step) == observed_saving(pairs_of(own * usual, dollars), 1)


def test_pairs_that_are_not_labelled_say_nothing_and_weights_are_shares() -> None:
    pairs = three_steps()
    bare = Pairs(*(0.25 * each for each in cells(pairs)), pairs.groups, 1.0)
    nothing = [np.full((5, 3), fill) for fill in (np.nan, 0.0, 0.0, 0.0, 0.0)]
    more = Pairs(*(np.vstack(both) for both in zip(cells(bare), nothing, strict=True)), ("",) * (N + 5), 1.0)
    for step in range(3):
        for told, scaled in (
            (observed_quality(pairs, step, SHARE), observed_quality(bare, step, SHARE)),
            (observed_saving(pairs, step), observed_saving(bare, step)),
        ):
            assert (scaled.value, scaled.low, scaled.high) == pytest.approx((told.value, told.low, told.high))
        assert observed_quality(more, step, SHARE).value == pytest.approx(observed_quality(bare, step, SHARE).value)


def cells(pairs: Pairs) -> tuple[Floats, ...]:
    return pairs.values, pairs.usual_quality, pairs.dollars, pairs.usual_dollars, pairs.weight


def test_the_reference_itself_is_known_for_certain() -> None:
    assert observed_quality(three_steps(), 0, SHARE).low == pytest.approx(1.0)
    saving = observed_saving(three_steps(), 0)
    assert (saving.low, saving.high) == pytest.approx((0.0, 0.0))


def test_no_more_is_saved_than_is_spent() -> None:
    cheap = np.stack([np.ones(N), np.where(np.arange(N) < 2, 1.0, 0.001)], axis=1)
    saving = observed_saving(pairs_of(np.ones((N, 2)), cheap), 1)
    assert 0.98 < saving.value < saving.high == 1.0


def test_where_nothing_stayed_nothing_is_imagined_gone() -> None:
    """All but nothing of a saving's doubt is then the spread of its own prompts."""
    dollars = np.stack([np.ones(N), np.where(np.arange(N) < 20, 0.8, 0.01)], axis=1)
    saving = observed_saving(pairs_of(np.ones((N, 2)), dollars), 1)
    assert saving.high - saving.value == pytest.approx(1.96 * np.std(dollars[:, 1], ddof=1) / math.sqrt(N), abs=1e-5)


def test_where_no_pair_differs_a_whole_answer_may_be_lost() -> None:
    alike = pairs_of(np.ones((N, 2)), np.stack([np.ones(N), np.where(np.arange(N) < 5, 0.5, 1.0)], axis=1))
    assert observed_quality(alike, 1, SHARE).low == pytest.approx(1.0 - 1.96 * math.sqrt(2.0 * 0.975) / N, abs=1e-6)


def test_nothing_under_the_ratio_gives_none_and_one_prompt_no_interval() -> None:
    assert math.isnan(observed_saving(pairs_of(np.ones((3, 2)), np.ones((3, 2))).take(np.zeros(3, bool)), 1).value)
    one = observed_saving(three_steps().take(np.arange(N) == 0), 1)
    assert (one.value, math.isnan(one.low)) == (0.5, True)
    alike = pairs_of(np.ones((3, 2)), np.ones((3, 2)))
    two = observed_saving(alike.take(np.arange(3) < 2), 1)
    assert (two.low, two.high) == pytest.approx((-0.98 * math.sqrt(2.0), 1.0), abs=1e-4)
