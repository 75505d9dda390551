"""The proof stops at the first failure, and groups share one level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenbin.certify.bets import plan_bets
from tenbin.certify.sequence import bets_like, steps_by_group, steps_proved
from tenbin.types import Bools, Floats


@dataclass(frozen=True)
class AtLevel:
    """Stands for stakes: setting k is proved where the level is at least `needs[k]`."""

    needs: tuple[float, ...] | tuple[tuple[float, ...], ...]

    def reach(self, _values: Floats, level: float) -> Bools:
        return np.array(self.needs) <= level + 1e-12


def test_nothing_is_proved_behind_a_failure() -> None:
    values = np.zeros((3, 4))
    assert steps_proved(values, AtLevel((0.01, 0.05, 0.2, 0.01)), 0.05) == 2
    assert steps_proved(values, AtLevel((0.2, 0.01, 0.01, 0.01)), 0.05) == 0
    several = AtLevel(((0.01, 0.05, 0.2, 0.01), (0.01, 0.01, 0.01, 0.01), (0.2, 0.01, 0.01, 0.01)))
    assert steps_proved(np.zeros((3, 3, 4)), several, 0.05).tolist() == [2, 4, 0]


def by_group(*needs: tuple[float, ...]) -> list[int]:
    names = [f"g{i}" for i in range(len(needs))]
    values = {name: np.zeros((3, len(needs[0]))) for name in names}
    bets = {name: AtLevel(own) for name, own in zip(names, needs, strict=True)}
    return list(steps_by_group(values, bets, 0.05).values())


def test_each_group_has_an_equal_part_of_the_level() -> None:
    assert by_group((0.025, 0.05), (0.026, 0.01)) == [1, 0]


def test_who_has_come_to_the_end_hands_its_part_on() -> None:
    assert by_group((0.01, 0.02), (0.025, 0.05)) == [2, 2]
    assert by_group((0.01,), (0.025,), (0.05,)) == [1, 1, 1]  # Holm
    assert by_group((0.01,), (0.026,), (0.026,)) == [1, 0, 0]


def test_what_a_small_part_of_the_level_proves_and_a_larger_one_does_not_is_not_proved() -> None:
    class Odd(AtLevel):
        def reach(self, _values: Floats, level: float) -> Bools:
            return np.array([level < 0.03, True])

    values = {"a": np.zeros((3, 2)), "b": np.zeros((3, 2))}
    found = steps_by_group(values, {"a": Odd((0.0, 0.0)), "b": AtLevel((0.05, 0.05))}, 0.05)
    assert found == {"a": 0, "b": 0}


def test_stakes_are_planned_for_what_training_showed_with_the_ends_once_more_in_two_and_what_is_missing_at_0() -> None:
    values = np.repeat([0.1, np.nan], [6, 4])[:, None]
    for seen in ([1, 2, 6, 1], [0, 0, 6, 0]):
        training = np.repeat([-0.9, 0.0, 0.1, 1.0, np.nan], [*seen, 3])[:, None]
        chance = 0.6 * np.add([seen], [0.5, 0.0, 0.0, 0.5]) / (sum(seen) + 1.0) + [[0.0, 0.4, 0.0, 0.0]]
        planned = plan_bets(np.array([-0.9, 0.0, 0.1, 1.0]), chance, 10, 0.9)
        np.testing.assert_array_equal(bets_like(training, values, 0.9).stakes, planned.stakes)


def test_many_values_count_for_the_nearest_of_sixteen_and_0() -> None:
    training = np.random.default_rng(2).uniform(-0.9, 1.0, (100, 1))
    support = np.union1d(np.linspace(-0.9, 1.0, 16), [0.0])
    counts = np.bincount(np.abs(training - support).argmin(axis=1), minlength=17).astype(float)
    counts[[0, -1]] += 0.5
    planned = plan_bets(support, counts[None] / counts.sum(), 10, 0.9)
    np.testing.assert_array_equal(bets_like(training, np.zeros((10, 1)), 0.9).stakes, planned.stakes)


def test_stakes_see_of_the_calibration_only_what_is_missing() -> None:
    draw = np.random.default_rng(0)
    training = draw.choice([-0.9, 0.0, 0.1, 1.0], size=(300, 2), p=[0.1, 0.2, 0.6, 0.1])
    values = draw.choice([-0.9, 0.0, 0.1, 1.0], size=(50, 2))
    values[::3] = np.nan
    other = np.where(np.isnan(values), np.nan, -values)
    assert np.array_equal(bets_like(training, values, 0.9).stakes, bets_like(training, other, 0.9).stakes)


def test_scores_of_many_values_are_binned() -> None:
    training = np.random.default_rng(0).uniform(-0.9, 1.0, (500, 1))
    bets = bets_like(training, np.zeros((100, 1)), 0.9)
    better = np.random.default_rng(1).uniform(-0.4, 1.0, (100, 1))
    assert bets.reach(better, 0.05).all()
