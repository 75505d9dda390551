"""The corrected mean is right if the people are, whatever the judge says, and a good judge is worth labels."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tenbin.quality.correction import Corrected, Correction, correct
from tenbin.quality.interval import t_interval
from tenbin.types import Figure, Floats

TRUTH = np.array([0.45, 0.6])


def people(rng: np.random.Generator, n: int = 150) -> Floats:
    """What people would say of every answer, of mean TRUTH; answers to one query go along with each other."""
    return TRUTH + rng.normal(0.0, 0.12, (n, 1)) + rng.normal(0.0, 0.1, (n, 2))


def few(rng: np.random.Generator, human: Floats, each: int) -> Floats:
    """The labels of `each` answers of every candidate, drawn at random."""
    shown = np.full_like(human, np.nan)
    for m in range(human.shape[1]):
        rows = rng.permutation(len(human))[:each]
        shown[rows, m] = human[rows, m]
    return shown


def biased(rng: np.random.Generator, human: Floats) -> Floats:
    """A judge that is good at telling answers apart, and fonder of the second candidate, its own family."""
    return np.clip(human + np.array([0.05, 0.2]) + rng.normal(0.0, 0.08, human.shape), 0.0, 1.0)


def repeated(each: int, useless: bool, times: int = 150) -> list[Correction]:
    rng = np.random.default_rng(11)
    found = []
    for _ in range(times):
        human = people(rng)
        judged = rng.random(human.shape) if useless else biased(rng, human)
        found.append(correct(judged, few(rng, human, each)))
    return found


def _covers(interval: Figure, truth: float) -> bool:
    return bool(interval.low <= truth <= interval.high)


@pytest.mark.parametrize("each", [10, 30])
def test_the_truth_is_covered_and_the_interval_is_narrower_than_peoples(each: int) -> None:
    runs = repeated(each, useless=False)
    hits = np.array(
        [[a.corrected.low <= t <= a.corrected.high for a, t in zip(r.arms, TRUTH, strict=True)] for r in runs]
    )
    assert 0.91 <= hits.mean() <= 0.99
    gaps = [r.difference(1, 0) for r in runs]
    assert 0.9 <= np.mean([_covers(gap, TRUTH[1] - TRUTH[0]) for gap in gaps]) <= 0.995
    widths = np.array([[a.corrected.width / a.labelled.width for a in r.arms] for r in runs])
    assert widths.mean() < 0.75
    judged = np.array([[a.judged for a in r.arms] for r in runs]).mean(axis=0)
    corrected = np.array([[a.corrected.value for a in r.arms] for r in runs]).mean(axis=0)
    assert judged[1] - TRUTH[1] > 0.15
    assert np.abs(corrected - TRUTH).max() < 0.01


def test_a_worthless_judge_costs_next_to_nothing() -> None:
    runs = repeated(12, useless=True)
    corrected = np.mean([[a.corrected.width for a in r.arms] for r in runs])
    alone = np.mean([[a.labelled.width for a in r.arms] for r in runs])
    assert corrected / alone < 1.03
    assert np.mean([[a.slope for a in r.arms] for r in runs]) < 0.15


def test_where_all_is_labelled_the_judge_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    human = people(rng, 40)
    for judged in (biased(rng, human), rng.random(human.shape)):
        for m, arm in enumerate(correct(judged, human).arms):
            assert arm.corrected.value == pytest.approx(human[:, m].mean(), abs=0.02)
            assert arm.corrected.width == pytest.approx(arm.labelled.width, rel=0.1)


def test_answers_bought_or_shown_with_less_chance_count_for_more() -> None:
    rng = np.random.default_rng(4)
    human = np.where(np.arange(4000)[:, None] % 2 == 0, 0.8, 0.2) + rng.normal(0.0, 0.05, (4000, 1))
    judged = human + 0.1
    bought = rng.random(4000) < np.where(np.arange(4000) % 2 == 0, 1.0, 0.25)
    shown = rng.random(4000) < np.where(np.arange(4000) % 2 == 0, 0.02, 0.1)
    seen = np.where(bought[:, None], judged, np.nan)
    labels = np.where((bought & shown)[:, None], human, np.nan)
    propensity = np.where(np.arange(4000) % 2 == 0, 1.0, 0.25)[:, None]
    chosen = np.where(np.arange(4000) % 2 == 0, 0.02, 0.1)[:, None]
    arm = correct(seen, labels, propensity, chosen).arms[0]
    assert arm.labelled.low <= 0.5 <= arm.labelled.high
    assert arm.corrected.value == pytest.approx(0.5, abs=0.02)
    assert correct(seen, labels).arms[0].corrected.value > 0.6


def test_labels_that_all_agree_prove_no_certainty() -> None:
    judged = np.tile(np.linspace(0.2, 1.0, 100)[:, None], 1)
    labels = np.full((100, 1), np.nan)
    labels[:10] = 1.0
    arm = correct(judged, labels).arms[0]
    plus_four = t_interval(1.0, 12 / 14 * (2 / 14) / 14, 9.0)
    assert arm.labelled.low == pytest.approx(plus_four.low)
    assert arm.corrected.low < 0.85


def test_too_few_labels_have_no_interval_of_their_own() -> None:
    judged, labels = np.full((20, 3), 0.5), np.full((20, 3), np.nan)
    judged[:, 0] = np.linspace(0.0, 1.0, 20)
    labels[:8, 0] = np.linspace(0.1, 0.4, 8)
    labels[0, 1] = 0.7
    first, second, third = correct(judged, labels).arms
    assert math.isfinite(first.corrected.low)
    assert second.corrected.value == pytest.approx(0.7)  # one label, and others' spread
    assert math.isfinite(second.corrected.low)
    assert math.isnan(third.corrected.value)
    assert third.judged == pytest.approx(0.5)
    # A lone label has no spread: that of "plus four", or the others', which lend four degrees of freedom.
    assert second.labelled.low == pytest.approx(t_interval(0.7, 3 / 5 * 2 / 5 / 5, 4.0).low)
    labels[:8, 0] = [0.25, 0.75] * 4
    lent, expected = correct(judged, labels, level=0.5).arms[1].labelled, t_interval(0.7, 0.0625 * 8 / 7, 4.0, 0.5)
    assert (lent.low, lent.high) == pytest.approx((expected.low, expected.high))
    once = judged.copy()
    once[1:, 1] = np.nan
    with np.errstate(all="raise"):
        graded_once = correct(once, labels).arms[1]
    assert (graded_once.corrected.value, graded_once.n_graded) == (pytest.approx(0.7), 1)
    assert math.isfinite(graded_once.corrected.low)
    lonely = correct(judged[:, 1:2], labels[:, 1:2]).arms[0]
    assert math.isnan(lonely.corrected.low)


def test_what_is_believed_is_drawn_to_the_common_bias_and_given_to_who_has_no_label() -> None:
    rng = np.random.default_rng(2)
    human = np.clip(rng.normal(0.5, 0.2, (200, 3)), 0.0, 1.0)
    judged = human + 0.1
    labels = few(rng, human, 8)
    labels[:, 2] = np.nan
    found = correct(judged, labels)
    assert found.believed() == pytest.approx(human.mean(axis=0), abs=0.05)
    nothing = correct(judged, np.full_like(judged, np.nan))
    assert nothing.believed() == pytest.approx(judged.mean(axis=0))


def arm(judged: float, value: float) -> Corrected:
    interval = Figure(value, value, value)
    return Corrected(judged, interval, interval, 1.0, 9, 9)


def test_beliefs_worked_by_hand() -> None:
    """Errors of the judge no farther apart than luck count as one; such as luck cannot explain stay nearly apart."""
    alike = Correction((arm(0.5, 0.4), arm(0.6, 0.55), arm(0.7, math.nan)), np.diag([0.01, 0.02, math.nan]), np.ones(3))
    np.testing.assert_allclose(alike.believed(), np.array([0.5, 0.6, 0.7]) - 12.5 / 150)
    apart = replace(alike, arms=(arm(0.5, 0.2), arm(0.6, 0.7), arm(0.7, math.nan)), covariance=np.eye(3) / 100)
    np.testing.assert_allclose(apart.believed(), [0.5 - 0.275, 0.6 + 0.075, 0.6])
    unequal = replace(apart, covariance=np.diag([0.01, 0.04, 1.0]))
    between = (100 * 0.08**2 + 25 * 0.32**2 - 1) / (125 - (100**2 + 25**2) / 125)
    near, far = 1 / (between + 0.01), 1 / (between + 0.04)
    common = (0.1 * far - 0.3 * near) / (near + far)
    expected = [0.5 + common + between * near * (-0.3 - common), 0.6 + common + between * far * (0.1 - common)]
    np.testing.assert_allclose(unequal.believed(), [*expected, 0.7 + common])
    lonely = Correction((arm(0.5, 0.4), arm(0.3, math.nan)), np.eye(2) / 100, np.ones(2))
    np.testing.assert_allclose(lonely.believed(), [0.4, 0.2])


def test_a_difference_worked_by_hand() -> None:
    covariance, freedom = np.array([[0.01, 0.004], [0.004, 0.02]]), np.array([10.0, 20.0])
    found = Correction((arm(0.5, 0.4), arm(0.6, 0.55)), covariance, freedom)
    expected = t_interval(0.15, 0.03 - 0.008, 0.03**2 / (0.01**2 / 10 + 0.02**2 / 20), 0.9)
    difference = found.difference(1, 0, 0.9)
    assert (difference.value, difference.low, difference.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
    unsure = replace(found, covariance=np.eye(2)).difference(1, 0)
    assert (unsure.low, unsure.high) == (-1.0, 1.0)


def test_labels_alone_are_a_sample_and_borrow_the_spread_of_others() -> None:
    labels = np.array([[0.4, 0.7], [0.5, 0.5], [0.6, 0.6], [0.55, np.nan], [np.nan, 0.3]])
    judged = np.full((5, 2), 0.5)
    one = correct(judged[:, :1], labels[:, :1]).arms[0].labelled
    values = labels[:4, 0]
    alone = t_interval(values.mean(), values.var(ddof=1) / 4, 3.0)
    assert (one.value, one.low, one.high) == pytest.approx((alone.value, alone.low, alone.high))
    squares = [4 * values.var(), 4 * labels[[0, 1, 2, 4], 1].var()]
    both = correct(judged, labels).arms
    for m, own in enumerate(squares):
        # Three degrees of freedom of its own, and three that the other lends (at most four).
        expected = t_interval(np.nanmean(labels[:, m]), (own + squares[1 - m]) / 6 / 4, 6.0)
        found = both[m].labelled
        assert (found.value, found.low, found.high) == pytest.approx((expected.value, expected.low, expected.high))
    thrice = correct(judged[:, :1], labels[:, :1], human_propensity=np.array([[1.0], [0.5], [1.0], [1.0], [1.0]]))
    share = np.array([0.2, 0.4, 0.2, 0.2])
    mean = share @ values
    spread = 4 * share @ (values - mean) ** 2 / 3
    weighed = t_interval(mean, spread * (share @ share), 1 / (share @ share) - 1)
    found = thrice.arms[0].labelled
    assert (found.value, found.low, found.high) == pytest.approx((weighed.value, weighed.low, weighed.high))


@pytest.mark.parametrize(("seed", "luck"), [(5, 0.02), (2514, 0.1)])
def test_one_candidate_is_corrected_as_worked_by_hand(seed: int, luck: float) -> None:
    """Each label by a slope that was fitted without it; what it leaves, and the judge's own sample, as variance.

    In the second sample what the two have in common would make the judge's part negative: it is none.
    """
    rng, n = np.random.default_rng(seed), 8
    judged = rng.uniform(0.3, 0.7, 12)
    human = 0.8 * judged + rng.normal(0.0, luck, 12)
    x, y, slopes = judged[:n], human[:n], np.empty(n)
    for i in range(n):
        a, b = (np.delete(values, i) - np.delete(values, i).mean() for values in (x, y))
        explained = (a @ b) ** 2 / (a @ a)
        noise = (b @ b - explained) / (n - 3)
        slopes[i] = (1.0 - noise / explained) * (a @ b) / (a @ a)
    adjusted = y - slopes * (x - judged.mean())
    residual, graded = adjusted - adjusted.mean(), (judged - judged.mean()) / 12 * slopes.mean()
    of_labels = residual @ residual / (n - 1) / n
    of_grades = graded @ graded + 2.0 * graded[:n] @ residual / n
    assert (of_grades < 0.0) == (seed == 2514)
    of_grades = max(of_grades, 0.0)
    variance = of_labels + of_grades
    freedom = variance**2 / (of_labels**2 / (n - 1) + of_grades**2 / 11)
    found = correct(judged[:, None], np.where(np.arange(12) < n, human, np.nan)[:, None]).arms[0]
    expected = t_interval(adjusted.mean(), variance, freedom)
    assert (found.slope, found.n_graded, found.n_labelled) == (pytest.approx(slopes.mean()), 12, n)
    assert (found.corrected.value, found.corrected.low, found.corrected.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
    # A lone label of another candidate tells nothing of the slope; three of one tell none, four on a line all of it.
    labels = np.where(np.arange(12)[:, None] < [n, 1], human[:, None], np.nan)
    beside = correct(np.column_stack([judged, judged[::-1]]), labels)
    assert beside.arms[0].slope == pytest.approx(found.slope)
    few = [correct(judged[:, None], np.where(np.arange(12) < k, 0.8 * judged, np.nan)[:, None]) for k in (3, 4)]
    assert [it.arms[0].slope for it in few] == pytest.approx([0.0, 0.8])


@given(
    arrays.arrays(np.float64, (12, 2), elements=st.floats(0.0, 1.0)),
    arrays.arrays(np.float64, (12, 2), elements=st.floats(0.0, 1.0)),
    arrays.arrays(np.bool_, (12, 2)),
)
@settings(max_examples=80)
def test_whatever_is_given_means_are_possible_and_the_order_of_rows_plays_no_part(
    judged: Floats, human: Floats, shown: np.ndarray[tuple[int, int], np.dtype[np.bool_]]
) -> None:
    labels = np.where(shown, human, np.nan)
    found, turned = correct(judged, labels), correct(judged[::-1], labels[::-1])
    for arm, other in zip(found.arms, turned.arms, strict=True):
        ends = [end for it in (arm.corrected, arm.labelled) for end in (it.low, it.value, it.high)]
        assert all(math.isnan(end) or 0.0 <= end <= 1.0 for end in ends)
        assert arm.corrected.value == pytest.approx(other.corrected.value, abs=1e-9, nan_ok=True)
        assert not arm.corrected.low > arm.corrected.value
        assert not arm.corrected.high < arm.corrected.value
    assert np.all((found.believed() >= 0.0) & (found.believed() <= 1.0))
