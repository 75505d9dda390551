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


def test_what_was_never_measured_is_not_known() -> None:
    observed, expected = pool()
    assert np.isnan(multiple_of(np.full(3, np.nan), np.arange(3), expected[:3], observed, expected, SHARES))


def test_empty_answers_are_short_not_impossible() -> None:
    observed, expected = pool()
    found = multiple_of(np.zeros(16), np.arange(16), expected[:16], observed, expected, SHARES)
    assert 0.0 < found < 0.1
