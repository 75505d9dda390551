from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.router.leanings import Leanings, geometric_means
from tenbin.router.roster import Roster
from tenbin.types import Estimates, Floats

LEANING = Leanings(
    quality=np.array([[0.1, 0.5, 0.0, 0.4]]),
    doubt=np.array([[[0.05, 0.0, 0.0, 0.0], [0.0, 0.1, 0.0, -0.1]]]),
    shares=np.array([[0.5, 0.0, 0.5]]),
    multiples=np.array([[1.0, 2.0, np.nan, 0.5]]),
)
ROSTER = Roster(3, np.array([0, 2]), LEANING, np.array([1.0, 0.3, 0.0]), 0)


def estimates(n: int = 4, seed: int = 0) -> Estimates:
    draw = np.random.default_rng(seed)
    columns = draw.uniform(0.1, 0.9, (6, n, 3))
    return Estimates(columns[0], columns[1], columns[2], 100 * columns[3], 300 * columns[4], columns[5])


def test_a_retired_column_is_left_out_and_an_added_one_stands_behind() -> None:
    of_fit = estimates()
    served = ROSTER.serve(of_fit, np.full(4, np.nan))
    assert np.array_equal(served.quality[:, :2], of_fit.quality[:, [0, 2]])
    assert np.array_equal(served.output_tokens[:, :2], of_fit.output_tokens[:, [0, 2]])
    expected = 0.1 + 0.5 * of_fit.quality[:, 0] + 0.4 * of_fit.quality[:, 2]
    assert served.quality[:, 2] == pytest.approx(np.clip(expected, 0.0, 1.0))
    both = np.sqrt(of_fit.output_tokens[:, 0] * of_fit.output_tokens[:, 2])
    assert served.output_tokens[:, 2] == pytest.approx(2.0 * both)
    assert served.latency_s[:, 2] == pytest.approx(0.5 * np.sqrt(of_fit.latency_s[:, 0] * of_fit.latency_s[:, 2]))
    assert served.recorded_cost_usd is None


def test_the_doubt_of_an_added_one_is_its_own_and_that_of_what_it_leans_on() -> None:
    of_fit = estimates()
    sd = ROSTER.serve(of_fit, np.full(4, np.nan)).quality_sd[:, 2]
    own = 0.05**2 + (0.1 * of_fit.quality[:, 0] - 0.1 * of_fit.quality[:, 2]) ** 2
    leant_on = 0.5**2 * of_fit.quality_sd[:, 0] ** 2 + 0.4**2 * of_fit.quality_sd[:, 2] ** 2
    assert sd == pytest.approx(np.sqrt(own + leant_on))


def test_nothing_separates_the_reference_from_itself() -> None:
    served = ROSTER.serve(estimates(), np.full(4, np.nan))
    assert np.array_equal(served.gap_sd[:, 0], np.zeros(4))
    assert served.gap_sd[:, 2] == pytest.approx(np.hypot(served.quality_sd[:, 2], served.quality_sd[:, 0]))


def test_counted_tokens_are_taken_as_they_are() -> None:
    counted = np.array([np.nan, 77.0, np.nan, 5.0])
    served = ROSTER.serve(estimates(), counted)
    assert (served.input_tokens[[1, 3]] == counted[[1, 3], None]).all()
    free = ROSTER.serve(estimates(), np.full(4, np.nan))
    assert np.array_equal(served.input_tokens[[0, 2]], free.input_tokens[[0, 2]])


@given(st.integers(1, 40), st.integers(0, 5))
def test_a_row_never_depends_on_the_others(n: int, seed: int) -> None:
    of_fit = estimates(n, seed)
    whole = ROSTER.serve(of_fit, np.full(n, np.nan))
    columns = {name: cells[-1:] for name in Estimates.__slots__ if (cells := getattr(of_fit, name)) is not None}
    assert len(columns) == 6
    alone = ROSTER.serve(Estimates(**columns), np.full(1, np.nan))
    for name in columns:
        assert np.array_equal(getattr(whole, name)[-1], getattr(alone, name)[0]), name


@pytest.mark.parametrize("added", [Leanings.none(3), LEANING, LEANING.joined(LEANING)])
def test_a_roster_comes_back_from_its_arrays(added: Leanings) -> None:
    roster = Roster(3, np.array([1]), added, np.arange(1.0 + len(added)), 0)
    again = Roster.load(roster.save())
    assert (again.width, again.reference, len(again.added)) == (3, 0, len(added))
    before, after = (r.serve(estimates(), np.full(4, np.nan)) for r in (roster, again))
    assert before.quality_sd.shape == (4, 1 + len(added))
    assert np.array_equal(before.quality_sd, after.quality_sd)
    assert np.array_equal(before.output_tokens, after.output_tokens)


def test_those_behind_do_not_change_those_before() -> None:
    deeper = Leanings(LEANING.quality / 2, np.ones((1, 4, 4)) / 9, LEANING.shares, LEANING.multiples)
    both = LEANING.joined(deeper)
    quality, sd = estimates().quality, estimates().quality_sd
    assert both.qualities(quality)[:, 0] == pytest.approx(LEANING.qualities(quality)[:, 0])
    assert both.quality_sd(quality, sd)[:, 0] == pytest.approx(LEANING.quality_sd(quality, sd)[:, 0])
    assert both.take([1]).quality_sd(quality, sd) == pytest.approx(deeper.quality_sd(quality, sd))


def test_on_more_columns_it_looks_at_its_own_alone() -> None:
    wide = LEANING.spread([0, 1, 3], 5)
    of_fit = np.random.default_rng(1).uniform(0.1, 0.9, (6, 5))
    own = of_fit[:, [0, 1, 3]]
    assert wide.qualities(of_fit) == pytest.approx(LEANING.qualities(own))
    assert wide.quality_sd(of_fit, of_fit) == pytest.approx(LEANING.quality_sd(own, own))
    names = ("output_tokens", "latency_s")
    assert wide.amounts(names, np.stack([of_fit] * 2)) == pytest.approx(LEANING.amounts(names, np.stack([own] * 2)))


def test_amounts_may_be_nothing() -> None:
    amounts: Floats = np.array([[2.0, 3.0, 8.0], [0.0, 1.0, 1.0]])
    mean = geometric_means(amounts, np.array([[0.5, 0.0, 0.5]]))[:, 0]
    assert mean[0] == pytest.approx(4.0)
    assert 0.0 < mean[1] < 1e-5
