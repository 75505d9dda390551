"""The made world is as smooth and as well separated as it says, and the excess risk is measured against its truth."""

from __future__ import annotations

import numpy as np
import pytest

from runs.rates import FRESH, MUS, SETTINGS, Setting, World, excess, loss, margin, observed, routers, slope
from runs.rates_figure import drawn


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_waves_are_hoelder_of_their_order_and_no_smoother(setting: Setting) -> None:
    world = World.made(setting)
    rng = np.random.default_rng(0)
    x = rng.random((2_000, setting.dimension))
    along = rng.standard_normal(x.shape)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    steps = 2.0 ** -np.arange(3.0, 9.0)
    moved = [np.abs(world.waves(x + h * along) - world.waves(x)).mean() for h in steps]
    order = np.polyfit(np.log(steps), np.log(moved), 1)[0]
    assert order == pytest.approx(setting.beta, abs=0.2)


def test_what_is_observed_has_the_truth_as_its_mean() -> None:
    world = World.made(SETTINGS[1])
    x = np.tile([[0.3, 0.7]], (40_000, 1))
    right, cost = observed(world, x, np.random.default_rng(0))
    quality, dollars = world.truth(x[:1])
    assert right.mean(axis=0) == pytest.approx(quality[0], abs=0.01)
    assert cost.mean(axis=0) == pytest.approx(dollars[0], rel=0.02)


def test_the_margin_is_that_of_a_gap_with_a_density() -> None:
    assert margin(World.made(SETTINGS[1])) == pytest.approx(1.0, abs=0.2)


def test_nobody_beats_the_truth_and_more_prompts_bring_the_plug_in_nearer() -> None:
    world = World.made(SETTINGS[0])
    compared = {name: routers(world.setting)[name] for name in ("kNN, k by theory", "vote for the observed best")}
    few, many = ([excess(world, compared, n, seed) for seed in range(3)] for n in (100, 1_600))
    assert min(risk for run in (*few, *many) for risk in run.values()) >= 0.0
    assert np.mean([run["kNN, k by theory"] for run in many]) < 0.7 * np.mean([run["kNN, k by theory"] for run in few])


def test_a_power_law_has_its_power_as_slope() -> None:
    sizes = [100, 200, 400, 800]
    centre, error = slope(sizes, np.tile(np.array(sizes) ** -0.7, (4, 1)))
    assert centre == pytest.approx(-0.7)
    assert error == pytest.approx(0.0, abs=1e-9)


def test_the_loss_is_the_rule_with_a_scale_of_one() -> None:
    assert loss(np.array([[0.8]]), np.array([[0.5]]), 0.25)[0, 0] == pytest.approx(0.75 * 0.2 + 0.25 * 0.5)
    assert all(0.0 < mu < 1.0 for mu in MUS)
    assert FRESH > 0


def test_the_picture_draws_every_setting_and_router() -> None:
    risks = {"risk": [0.02, 0.01], "standard_error": [0.0, 0.0], "slope": -1.0, "slope_standard_error": 0.1}
    found = {
        "setting": "beta 1, d 2",
        "alpha": 1.0,
        "minimax_slope": -0.5,
        "sizes": [100, 200],
        "routers": dict.fromkeys(routers(SETTINGS[0]), risks),
    }
    picture = drawn([found] * 3)
    assert picture.count("beta 1, d 2") == 3
    assert picture.count("<path") == 3 * 6 + picture.count('class="grid"') + 6
