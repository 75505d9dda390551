"""The path is settled without any label, saves ever more, and stands in the middle of settings that decide alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenbin.certify.path import MOST_ROWS, SPACING, decide, draw_path
from tenbin.prices import PriceBook
from tenbin.risk import mu_grid
from tenbin.router.crossfit import DIAL_POINTS
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router
from tenbin.types import TradeOff
from tests.router.made import PRICES, make_panel

EVERYONE = np.ones(3, dtype=np.bool_)


@pytest.fixture(scope="module")
def router() -> Router:
    settings = FitSettings(embedder="base", predictor="group", learning_curve=False)
    return fit(make_panel(120), PriceBook.loads(PRICES), settings)


def alike(prices: str) -> Router:
    """All prompts are alike in what they are expected to cost and to get: each setting sends them to one candidate."""
    panel = make_panel(40)
    tokens = np.full((40, 3), 50.0)
    settings = FitSettings(embedder="base", predictor="constant", learning_curve=False)
    return fit(replace(panel, input_tokens=tokens, output_tokens=tokens), PriceBook.loads(prices), settings)


def test_each_setting_saves_more_than_the_one_before(router: Router) -> None:
    path = draw_path(router, router.crossfit, TradeOff(0.0, caution=0.5), EVERYONE)
    assert len(path) >= 2
    assert all(a.mu < b.mu for a, b in zip(path.trade_offs, path.trade_offs[1:], strict=False))
    assert (np.diff(np.concatenate([[0.0], path.saving])) >= SPACING * (1.0 - 1e-6)).all()
    assert {each.caution for each in path.trade_offs} == {0.5}


def test_each_setting_is_the_middle_of_the_first_that_save_another_share(router: Router) -> None:
    mus, at, cost = mu_grid(DIAL_POINTS), TradeOff(0.0, caution=0.5), router.cost_usd(router.crossfit.estimates)
    chosen = decide(router, router.crossfit, at, EVERYONE, mus)
    spent = np.take_along_axis(cost, chosen.T, axis=1).mean(axis=0)
    saving = 1.0 - spent / cost[:, router.models.index(router.manifest.reference)].mean()
    path, reached = draw_path(router, router.crossfit, at, EVERYONE), 0.0
    for each, share in zip(path.trade_offs, path.saving.tolist(), strict=True):
        reached = saving[saving >= reached + SPACING - 1e-9][0]
        alike = np.flatnonzero(np.isclose(saving, reached, rtol=0.0, atol=1e-12))
        assert share == pytest.approx(reached)
        assert each.mu == mus[(alike[0] + alike[-1]) // 2]
    assert saving.max() < reached + SPACING


def test_of_many_training_rows_some_thousands_are_looked_at(router: Router) -> None:
    n = len(router.crossfit.observed.quality)
    rows = np.arange(5000) % n
    path = draw_path(router, router.crossfit.take(rows), TradeOff(0.0), EVERYONE)
    assert len(path.ground.observed.quality) == path.chosen.shape[1] == MOST_ROWS
    looked_at = path.ground.estimates.quality
    np.testing.assert_array_equal(looked_at[[0, -1]], router.crossfit.estimates.quality[rows[[0, -1]]])
    assert draw_path(router, router.crossfit, TradeOff(0.0), EVERYONE).ground is router.crossfit


def test_no_label_moves_it(router: Router) -> None:
    ground = router.crossfit
    other = replace(ground, observed=replace(ground.observed, quality=1.0 - ground.observed.quality))
    one, two = (draw_path(router, each, TradeOff(0.0), EVERYONE) for each in (ground, other))
    assert one.trade_offs == two.trade_offs


def test_settings_that_decide_alike_are_met_in_their_middle(router: Router) -> None:
    """A little more or less mu decides the same: two groups leave only a few decisions, each for a stretch of mu."""
    path = draw_path(router, router.crossfit, TradeOff(0.0), EVERYONE)
    mus = np.array([each.mu for each in path.trade_offs])
    for shift in (0.99, 1.01):
        moved = decide(router, path.ground, TradeOff(0.0), EVERYONE, np.minimum(mus * shift, 1.0))
        assert (moved == path.chosen).mean() > 0.95


def test_nothing_to_save_is_no_path(router: Router) -> None:
    assert len(draw_path(router, router.crossfit, TradeOff(0.0), np.array([True, False, False]))) == 0


def test_the_last_setting_is_the_middle_of_those_to_the_end_of_the_dial() -> None:
    router, mus = alike(PRICES), mu_grid(DIAL_POINTS)
    either = np.array([True, False, True])
    path = draw_path(router, router.crossfit, TradeOff(0.0), either)
    cheapest = (decide(router, router.crossfit, TradeOff(0.0), either, mus) == 2).all(axis=1)
    assert path.trade_offs[-1].mu == mus[(np.flatnonzero(cheapest)[0] + DIAL_POINTS - 1) // 2]


def test_where_the_reference_costs_nothing_there_is_no_path() -> None:
    free = alike(PRICES.replace("= 10.0", "= 0.0").replace("= 30.0", "= 0.0"))
    assert free.manifest.reference == "large"
    assert free.cost_usd(free.crossfit.estimates)[:, 0].max() == 0.0
    assert len(draw_path(free, free.crossfit, TradeOff(0.0), EVERYONE)) == 0
