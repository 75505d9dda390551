from __future__ import annotations

import numpy as np
import pytest

from tenbin.online.abilities import Abilities, _covariance, _factors
from tenbin.types import Floats


def planted(n: int = 1_500, m: int = 9, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """Observed and expected qualities of m candidates, and the one factor that all share; text tells half of it."""
    draw = np.random.default_rng(seed)
    told, untold = draw.standard_normal((2, n)) * np.sqrt(0.5)
    loading = np.linspace(0.1, 0.3, m)
    expected = np.linspace(0.3, 0.7, m) + told[:, None] * loading
    observed = expected + untold[:, None] * loading + 0.25 * draw.standard_normal((n, m))
    return observed, expected, told + untold


def test_what_all_share_is_found_and_more_of_it_once_outcomes_are_seen() -> None:
    observed, expected, factor = planted()
    abilities = Abilities.learn(observed, expected, np.ones_like(observed))
    foreseen = abilities.foreseen(expected)
    seen, doubt = abilities.seen(observed, foreseen)
    assert np.corrcoef(foreseen[:, 0], factor)[0, 1] == pytest.approx(np.sqrt(0.5), abs=0.05)
    assert np.corrcoef(seen[:, 0], factor)[0, 1] > 0.93
    assert abilities.loadings[:, 0] == pytest.approx(np.linspace(0.1, 0.3, 9), abs=0.04)
    assert (np.linalg.eigvalsh(doubt) > 0.0).all()
    relative = abilities.loadings / abilities.noise[:, None]  # least squares, each candidate by how sure it is
    exact = np.linalg.solve(abilities.loadings.T @ relative, relative.T)
    assert abilities.projection == pytest.approx(exact, rel=1e-6)


def test_what_answers_show_worked_by_hand() -> None:
    """A normal prior and one or two answers, each of which tells of the factor by its loading and its noise."""
    means, loadings, noise = np.array([0.5, 0.6]), np.array([0.2, 0.4]), np.array([0.1, 0.2])
    two = Abilities(means, loadings[:, None], noise, np.ones((1, 2)), np.array([[0.5]]))
    factors, doubt = two.seen(np.array([[1.0, 0.0], [1.0, np.nan]]), np.array([[0.3], [-1.0]]))
    both, one = 1.0 / (2.0 + 0.04 / 0.1 + 0.16 / 0.2), 1.0 / (2.0 + 0.04 / 0.1)
    assert doubt[:, 0, 0] == pytest.approx([both, one])
    told = 0.2 / 0.1 * (0.5 - 0.06) + 0.4 / 0.2 * (-0.6 - 0.12)
    assert factors[:, 0] == pytest.approx([0.3 + both * told, -1.0 + one * 0.2 / 0.1 * (0.5 + 0.2)])


def test_unseen_outcomes_leave_what_was_foreseen_and_doubt_about_it() -> None:
    observed, expected, factor = planted()
    gaps = np.where(np.random.default_rng(1).random(observed.shape) < 0.6, np.nan, observed)
    gaps[:10] = np.nan
    abilities = Abilities.learn(gaps, expected, np.ones_like(observed))
    foreseen = abilities.foreseen(expected)
    seen, doubt = abilities.seen(gaps, foreseen)
    assert np.array_equal(seen[:10], foreseen[:10])
    assert doubt[:10] == pytest.approx(np.broadcast_to(abilities.spread, doubt[:10].shape))
    assert np.corrcoef(seen[10:, 0], factor[10:])[0, 1] > 0.85


def test_labels_bought_by_plan_bias_no_mean() -> None:
    observed, expected, _ = planted(6_000)
    chance = np.where(expected > 0.5, 0.9, 0.2)
    bought = np.where(np.random.default_rng(2).random(observed.shape) < chance, observed, np.nan)
    abilities = Abilities.learn(bought, expected, 1.0 / chance)
    assert abilities.means == pytest.approx(observed.mean(axis=0), abs=0.03)
    assert np.abs(np.nanmean(bought, axis=0) - observed.mean(axis=0)).max() > 0.03


def test_what_is_planted_in_a_covariance_is_found_exactly() -> None:
    """Factors that stand at right angles once each candidate is divided by its noise, the strongest first."""
    noise = np.array([0.02, 0.2, 0.05, 0.1, 0.03])
    one = np.array([0.3, 0.2, 0.1, 0.25, 0.28])
    loadings, found = _factors(np.outer(one, one) + np.diag(noise))
    assert loadings[:, 0] == pytest.approx(one, abs=1e-4)
    assert found == pytest.approx(noise, abs=1e-4)
    two = np.array([[0.3, 0.0], [0.25, 0.05], [0.2, 0.1], [0.2, -0.2], [0.1, -0.25], [0.15, 0.2]])
    noise = np.array([0.02, 0.05, 0.1, 0.03, 0.06, 0.02])
    loadings, found = _factors(two @ two.T + np.diag(noise))
    assert loadings @ loadings.T + np.diag(found) == pytest.approx(two @ two.T + np.diag(noise), abs=1e-5)
    (first, across), (_, second) = loadings.T @ (loadings / found[:, None])
    assert first > second > abs(across) * 1e6
    assert (loadings.sum(axis=0) > 0.0).all()
    loadings, found = _factors(np.outer(one, one)[:3, :3] + 0.05 * np.eye(3))
    assert (loadings[:, 0], found) == (pytest.approx(one[:3], abs=1e-3), pytest.approx([0.05] * 3, abs=1e-3))
    assert _factors(np.eye(18))[0].shape == (18, 4)
    alike = np.outer(one, one)  # where all is shared, a twentieth is still each one's own
    assert (_factors(alike)[1] >= 0.05 * np.diag(alike)).all()


def test_two_candidates_are_taken_to_share_half_and_those_never_seen_together_what_is_expected() -> None:
    loadings, noise = _factors(np.array([[0.04, 0.03], [0.03, 0.16]]))
    assert (loadings[:, 0], noise) == (pytest.approx(np.sqrt([0.02, 0.08])), pytest.approx([0.02, 0.08]))
    known, expected = np.eye(2), np.array([[9.0, 0.005], [0.005, 9.0]])
    apart = _covariance(np.diag([0.2, 0.1]), known, expected)
    assert apart == pytest.approx(np.array([[0.04, 0.005], [0.005, 0.01]]))
    weighted = _covariance(np.array([[1.0, 2.0], [3.0, 1.0]]), np.array([[1.0, 1.0], [4.0, 9.0]]), expected)
    assert weighted == pytest.approx(np.array([[37.0 / 5.0, 20.0 / 7.0], [20.0 / 7.0, 13.0 / 10.0]]))


@pytest.mark.parametrize("m", [1, 2, 3])
def test_few_candidates_have_one_factor(m: int) -> None:
    observed, expected, _ = planted(m=m)
    abilities = Abilities.learn(observed, expected, np.ones_like(observed))
    assert abilities.loadings.shape == (m, 1)
    assert (abilities.noise > 0.0).all()
    assert np.isfinite(abilities.seen(observed, abilities.foreseen(expected))[0]).all()


def test_candidates_that_always_answer_alike_are_no_trouble() -> None:
    ones, expected = np.ones((50, 4)), np.full((50, 4), 0.98)
    abilities = Abilities.learn(ones, expected, ones)
    assert np.isfinite(abilities.seen(ones, abilities.foreseen(expected))[0]).all()
