from __future__ import annotations

import numpy as np
import pytest

from tenbin.online.multiples import multiple_of

SHARES = np.full(3, 1.0 / 3.0)


def pool(n: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """What three candidates used, around a level that every prompt sets; and what was expected of them."""
    draw = np.random.default_rng(seed)
    level = np.exp(5.0 + 0.5 * draw.standard_normal((n, 1)))
    expected = level * np.array([0.8, 1.0, 1.25])
    return expected * np.exp(0.3 * draw.standard_normal((n, 3))), expected


def multiple(times: float, labels: int, *, known: bool = True, seed: int = 1) -> float:
    observed, expected = pool()
    rows = np.arange(labels)
    draw = np.random.default_rng(seed)
    own = times * expected[rows].prod(axis=1) ** (1 / 3) * np.exp(0.3 * draw.standard_normal(labels))
    return multiple_of(own, rows if known else np.full(labels, -1), expected[rows], observed, expected, SHARES)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("times", [0.4, 1.0, 2.5])
def test_it_is_found_from_a_few_answers(times: float, known: bool) -> None:
    mean_of_answers = times * np.exp(0.3**2 / 2)
    found = np.mean([multiple(times, 48, known=known, seed=seed) for seed in range(20)])
    assert found == pytest.approx(mean_of_answers, rel=0.06)


def test_one_answer_is_believed_only_so_far() -> None:
    assert 1.0 < multiple(6.0, 1) < 5.0


def test_a_multiple_worked_by_hand() -> None:
    """Two known ones that use half and twice their common level; estimates say half of what they use."""
    observed = np.array([[1.0, 4.0], [2.0, 8.0], [np.nan, 8.0]])
    estimated, halves = np.array([[0.5, 2.0], [1.0, 4.0], [3.0, 3.0]]), np.array([0.5, 0.5])
    apart = (2.0 * 0.7**2 + 2.0 * np.log(2.0) ** 2) / 4.0
    # A label on the first training row, one on the third, which is not known whole, one elsewhere; one not measured.
    own, rows = np.array([6.0, 6.0, 12.0, np.nan]), np.array([0, 2, -1, 1])
    foreseen = np.array([[3.0, 3.0], [1.0, 1.0], [2.0, 2.0], [1.0, 4.0]])
    level = np.array([2.0, 2.0, 4.0])
    ratio = np.log(24.0 / level.sum())
    noise = 10.0 * 0.6**2 / (10.0 + 3 - 1) / 3
    expected = 2.0 * np.exp(ratio * apart / (apart + noise))
    assert multiple_of(own, rows, foreseen, observed, estimated, halves) == pytest.approx(expected)
    # Apart from each other by a factor of four, and an empty one that counts as a thousandth of the level.
    own = np.array([0.0, 2.0, 2.0, np.nan])
    used = np.array([0.002, 2.0, 2.0])
    logs = np.log(used / level)
    noise = (10.0 * 0.6**2 + ((logs - logs.mean()) ** 2).sum()) / (10.0 + 3 - 1) / 3
    expected = 2.0 * np.exp(np.log(used.sum() / level.sum()) * apart / (apart + noise))
    assert multiple_of(own, rows, foreseen, observed, estimated, halves) == pytest.approx(expected)
    # No row that is known whole: estimates are believed, and candidates taken to lie as far apart as they usually do.
    alone = multiple_of(np.array([8.0]), np.array([0]), foreseen[1:2], observed[2:], estimated[2:], halves)
    assert alone == pytest.approx(np.exp(np.log(8.0) * 0.49 / (0.49 + 0.36)))


def test_what_was_never_measured_is_not_known() -> None:
    observed, expected = pool()
    assert np.isnan(multiple_of(np.full(3, np.nan), np.arange(3), expected[:3], observed, expected, SHARES))


def test_empty_answers_are_short_not_impossible() -> None:
    observed, expected = pool()
    found = multiple_of(np.zeros(16), np.arange(16), expected[:16], observed, expected, SHARES)
    assert 0.0 < found < 0.1
