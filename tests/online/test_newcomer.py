from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.online.abilities import Abilities
from tenbin.online.newcomer import Newcomer, prior
from tenbin.types import Floats
from tests.online.test_abilities import planted


def company() -> tuple[Abilities, Floats, Floats]:
    observed, expected, _ = planted()
    abilities = Abilities.learn(observed, expected, np.ones_like(observed))
    factors, doubt = abilities.seen(observed, abilities.foreseen(expected))
    return abilities, factors, doubt


ABILITIES, FACTORS, DOUBT = company()


def labels(rows: Floats, mean: float, loading: float, seed: int) -> Floats:
    noise = 0.25 * np.random.default_rng(100 + seed).standard_normal(len(rows))
    return mean + loading * FACTORS[rows, 0] + noise


def learnt(rows: Floats, quality: Floats, weight: Floats | None = None) -> Newcomer:
    return Newcomer.learn(
        ABILITIES, FACTORS[rows], DOUBT[rows], quality, np.ones(len(rows)) if weight is None else weight
    )


def test_what_a_newcomer_is_taken_for_worked_by_hand() -> None:
    """Two known ones: each apart from their mean by (.1, .1), and four more as far apart as candidates usually are."""
    two = Abilities(np.array([0.4, 0.6]), np.array([[0.1], [0.3]]), np.ones(2), np.ones((1, 2)), np.eye(1))
    expected, spread = prior(two)
    assert expected == pytest.approx([0.5, 0.2])
    usual = np.diag([0.15**2, 0.5**2 * (0.1**2 + 0.3**2) / 2])
    assert spread == pytest.approx((np.full((2, 2), 0.02) + 4.0 * usual) / (1 + 4) * 1.5)


def test_what_labels_teach_is_what_conditioning_a_normal_says_twice_with_the_noise_that_it_leaves() -> None:
    two = Abilities(np.array([0.4, 0.6]), np.array([[0.1], [0.3]]), np.array([0.1, 0.06]), np.ones((1, 2)), np.eye(1))
    expected, spread = prior(two)
    factors, doubt, quality = np.array([[-1.0], [0.5], [2.0]]), np.array([0.1, 0.5, 0.9]), np.array([0.1, 0.9, 0.7])
    found = Newcomer.learn(two, factors, doubt[:, None, None], quality, np.array([2.0, 2.0, 60.0]))
    relative = np.array([1.0, 1.0, 10.0]) / 4.0  # the third stands for thirty, and counts like ten
    x, blurred, noise = np.column_stack([np.ones(3), factors]), 0.2**2 * doubt, 0.08

    def told(rows: list[int], noise: float) -> tuple[Floats, Floats]:
        of = x[rows]
        gain = spread @ of.T @ np.linalg.inv(of @ spread @ of.T + np.diag((noise + blurred) / relative)[rows][:, rows])
        return expected + gain @ (quality[rows] - of @ expected), spread - gain @ of @ spread

    first, _ = told([0, 1, 2], noise)
    left = float(relative @ np.maximum((quality - x @ first) ** 2 - blurred, 0.0))
    noise = (15.0 * 0.08 + left) / 18.0
    centre, covariance = told([0, 1, 2], noise)
    assert found.centre == pytest.approx(centre)
    assert found.covariance == pytest.approx(covariance)
    others = [[1, 2], [0, 2], [0, 1]]
    assert found.left_out == pytest.approx([x[i] @ told(rows, noise)[0] for i, rows in enumerate(others)])
    assert found.freedom == 18.0


def test_many_labels_say_what_it_is() -> None:
    rows = np.arange(1_200)
    found = learnt(rows, labels(rows, 0.8, 0.15, 0))
    assert found.centre[:2] == pytest.approx([0.8, 0.15], abs=0.03)
    assert np.sqrt(found.covariance[0, 0]) < 0.02


def test_one_label_moves_it_a_little_from_what_the_others_are() -> None:
    expected, spread = prior(ABILITIES)
    up, down = (learnt(np.array([3]), np.array([q])) for q in (1.0, 0.0))
    assert expected[0] - 0.2 < down.centre[0] < up.centre[0] < expected[0] + 0.2
    assert up.covariance[0, 0] < spread[0, 0]


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_equal_labels_do_not_make_it_certain(level: float) -> None:
    rows = np.arange(32)
    found = learnt(rows, np.full(32, level))
    assert abs(found.centre[0] - level) > 0.005
    assert np.sqrt(found.covariance[0, 0]) > 0.02


def test_a_few_right_answers_are_no_proof_where_everybody_is_always_right() -> None:
    """Nothing told of the noise there, and a newcomer with 16 right answers was told at 1.000 +- 0.000."""
    right = np.ones((200, 3))
    abilities = Abilities.learn(right, right, np.ones_like(right))
    factors, doubt = abilities.seen(right[:16], abilities.foreseen(right[:16]))
    found = Newcomer.learn(abilities, factors, doubt, np.ones(16), np.ones(16))
    assert found.centre[0] == pytest.approx(1.0)
    assert 0.02 < np.sqrt(found.covariance[0, 0]) < 0.05


def test_the_posterior_holds_the_truth_as_often_as_it_says() -> None:
    draw = np.random.default_rng(7)
    expected, spread = prior(ABILITIES)
    inside = []
    for seed in range(300):
        mean, loading = expected[:2] + np.sqrt(np.diag(spread)[:2]) * draw.standard_normal(2)
        rows = draw.permutation(len(FACTORS))[:32]
        found = learnt(rows, labels(rows, mean, loading, seed))
        inside.append(abs(found.centre[0] - mean) <= 1.645 * np.sqrt(found.covariance[0, 0]))
    assert 0.85 <= np.mean(inside) <= 0.95


def test_labels_of_equal_chance_weigh_alike_whatever_the_chance() -> None:
    rows = np.arange(40)
    quality = labels(rows, 0.6, 0.2, 1)
    first, second = learnt(rows, quality), learnt(rows, quality, np.full(40, 25.0))
    assert np.array_equal(first.centre, second.centre)


def test_a_label_that_stands_for_many_counts_more_but_not_without_bound() -> None:
    rows, quality = np.arange(40), np.full(40, 0.5)
    quality[0] = 1.0
    found = [learnt(rows, quality, np.where(rows == 0, weight, 1.0)).centre[0] for weight in (1.0, 5.0, 1e6, 1e9)]
    assert found[0] < found[1] < found[2]
    assert found[3] == pytest.approx(found[2])


@given(st.permutations(range(12)))
def test_the_order_of_labels_is_no_matter(order: list[int]) -> None:
    rows = np.arange(12)
    quality = labels(rows, 0.6, 0.2, 2)
    first, second = learnt(rows, quality), learnt(rows[order], quality[order])
    assert second.centre == pytest.approx(first.centre, abs=1e-9)
    assert second.left_out == pytest.approx(first.left_out[order], abs=1e-9)


def test_what_is_left_out_does_not_know_its_own_label() -> None:
    rows = np.arange(30)
    quality = labels(rows, 0.6, 0.2, 3)
    other = quality.copy()
    other[4] += 0.5
    # The noise is learnt from all labels, so a trace is left; the label itself would move it by .5 x leverage.
    assert learnt(rows, other).left_out[4] == pytest.approx(learnt(rows, quality).left_out[4], abs=0.01)


def test_draws_are_those_of_the_posterior() -> None:
    rows = np.arange(32)
    found = learnt(rows, labels(rows, 0.6, 0.2, 4))
    found = replace(found, freedom=6.0)  # few, so that their tails are far from the normal distribution's
    draws = found.draws(20_000, np.random.default_rng(0))
    assert draws.mean(axis=0) == pytest.approx(found.centre, abs=0.005)
    wider = found.freedom / (found.freedom - 2.0)
    assert np.cov(draws.T) == pytest.approx(wider * found.covariance, abs=5e-4)
