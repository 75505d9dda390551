"""Savings against the reference: paired, floored at the reference itself, honest about small samples."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tenbin.evaluate.curve import constant
from tenbin.pilot.field import Field, Worth, columns, field_of, learn, unseen_estimates, worth_of
from tenbin.pilot.measure import measure, savings_of, singles_of, widened
from tenbin.pilot.results import results_of
from tenbin.router.crossfit import doubly_robust
from tenbin.types import Figure, Panel
from tests.pilot.made import EASY, every_pair, made_prompts, made_records


def made_panel(n: int, models: tuple[str, ...] = ("big", "mid", "small")) -> Panel:
    prompts = made_prompts(n)
    return results_of(prompts, made_records(prompts, every_pair(prompts, models))).panel()


def made_field(n: int) -> Field:
    field = field_of(made_panel(n), "big")
    assert field is not None
    return field


def observed(field: Field) -> Worth:
    return Worth(field.panel.quality, field.panel.cost_usd)


def test_the_seldom_labelled_are_set_aside_and_what_is_half_bought_does_not_count() -> None:
    panel = made_panel(20)
    panel.quality[3, panel.models.index("mid")] = np.nan
    panel.quality[5:, panel.models.index("small")] = np.nan
    field = field_of(panel, "big", {"q0007"})
    assert field is not None
    assert field.panel.models == ("big", "mid")
    assert field.aside == ("small",)
    assert [query.query_id for query in field.panel.queries] == [f"q{i:04}" for i in range(20) if i != 7]
    assert len(columns(panel, ("small",))) == 5


def test_without_an_answer_of_the_reference_there_is_no_field() -> None:
    panel = made_panel(5)
    panel.quality[:, panel.models.index("big")] = np.nan
    assert field_of(panel, "big") is None
    assert field_of(panel, "nobody") is None


def test_it_does_not_matter_from_what_propensities_count() -> None:
    panel = made_panel(20)
    panel.label_propensity[:, 1] = 0.5
    few = replace(panel, label_propensity=panel.label_propensity * 0.1)
    one, other = field_of(panel, "big"), field_of(few, "big")
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(one.cell_weight, other.cell_weight)
    np.testing.assert_allclose(one.weight * 10.0, other.weight)


def test_labels_bought_where_the_router_was_unsure_bias_no_mean() -> None:
    panel = made_panel(1500)
    truth = panel.quality.mean(axis=0)
    mid = panel.models.index("mid")
    hard = np.array([not query.prompt.startswith(EASY) for query in panel.queries])
    panel.label_propensity[:, mid] = np.where(hard, 1.0, 0.3)
    missing = np.random.default_rng(1).random(len(panel)) >= panel.label_propensity[:, mid]
    for cells in (panel.quality, panel.cost_usd, panel.output_tokens):
        cells[missing, mid] = np.nan
    field = field_of(panel, "big")
    assert field is not None
    router = learn(panel, field, None, 0)
    worth = worth_of(field, router, unseen_estimates(router, columns(panel, field.panel.models), field))
    assert abs(float(np.nanmean(panel.quality[:, mid])) - truth[mid]) > 0.04
    assert float(worth.quality[:, mid].mean()) == pytest.approx(truth[mid], abs=0.02)
    np.testing.assert_array_equal(worth.quality[:, 0], panel.quality[:, 0])


def test_who_was_set_aside_is_told_by_the_answers_it_gave() -> None:
    """A candidate with 50 answers, all wrong, was told at 8 % [6 %, 9 %]: what the router guesses of other prompts."""
    panel = made_panel(100)
    small = panel.models.index("small")
    panel.quality[:, small] = np.where(np.arange(100) < 60, 0.0, np.nan)
    field = field_of(panel, "big")
    assert field is not None
    guessed = np.full(panel.quality.shape, 0.3)
    worth = doubly_robust(guessed, panel.quality, field.cell_weight)
    assert worth.mean(axis=0)[small] == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_array_equal(field.cell_weight[:, 0], 1.0)


def test_asking_the_reference_every_time_saves_nothing_and_is_never_out_of_reach() -> None:
    field = made_field(60)
    reference = np.array([field.reference])
    always = constant("router", "", reference, field.panel.models, len(field), deployable=True)
    measured = measure([always], field, observed(field), resamples=50, seed=0)
    full = savings_of(measured, len(field))[0]
    assert full.ratio == 1.0
    assert full.saving.value == pytest.approx(0.0, abs=1e-12)
    assert np.isfinite(measured.cost_share[0][1.0]).all()


def test_a_router_that_knows_the_answers_saves_more_than_blind_mixtures() -> None:
    field = made_field(200)
    cost = field.panel.cost_usd
    cheapest_right = np.argmax(field.panel.quality - cost, axis=1)[None, :].astype(np.int64)
    always = constant("router", "", np.array([0]), field.panel.models, len(field), deployable=True)
    knowing = replace(always, choices=cheapest_right)
    saving = savings_of(measure([knowing], field, observed(field), resamples=200, seed=0), len(field))[2]
    assert saving.beyond.low > 0.2
    assert saving.saving.value == pytest.approx(saving.blind_saving.value + saving.beyond.value)
    assert saving.saved_usd.value == pytest.approx(saving.saving.value * cost[:, field.reference].mean())


def test_singles_are_held_against_the_reference_on_the_same_prompts() -> None:
    field = made_field(100)
    measured = measure((), field, observed(field), resamples=100, seed=0)
    singles = {single.model: single for single in singles_of(measured, field)}
    assert singles["big"].quality_ratio == Figure(1.0, 1.0, 1.0)
    mid = field.panel.models.index("mid")
    assert singles["mid"].quality.value == pytest.approx(field.panel.quality[:, mid].mean())
    assert singles["mid"].saving.value == pytest.approx(0.6, abs=0.02)


def test_intervals_of_few_prompts_are_drawn_out_and_of_many_are_not() -> None:
    figure = Figure(0.5, 0.4, 0.6)
    few, many = widened(figure, 5), widened(figure, 100_000)
    assert few.high - 0.5 == pytest.approx(0.1 * math.sqrt(5 / 4) * 2.776 / 1.960, rel=2e-3)
    assert many.high == pytest.approx(0.6, abs=1e-4)
    assert widened(figure, 3, least=0.3, most=0.7) == Figure(0.5, 0.3, 0.7)
    assert math.isnan(widened(figure, 2).low)


def test_fifty_right_answers_of_fifty_are_no_proof_of_all() -> None:
    """Where every answer came out alike no resample differs, and the interval was 100 % [100 %, 100 %]."""
    field = made_field(50)
    alike = Worth(
        np.where(np.array(field.panel.models) == "small", 0.0, 1.0) + 0.0 * field.panel.quality, field.panel.cost_usd
    )
    singles = {it.model: it for it in singles_of(measure((), field, alike, resamples=50, seed=0), field)}
    assert 0.93 < singles["big"].quality.low < 0.96
    assert (singles["big"].quality.high, singles["big"].quality_ratio.low) == (1.0, 1.0)
    assert 0.93 < singles["mid"].quality_ratio.low < 0.96
    assert (singles["small"].quality.low, singles["small"].quality_ratio.low) == (0.0, 0.0)
    assert 0.04 < singles["small"].quality.high < 0.07
    ties = Worth(0.5 * np.ones_like(alike.quality), alike.cost_usd)  # of the reference against itself, by definition
    assert singles_of(measure((), field, ties, resamples=9, seed=0), field)[0].quality == Figure(0.5, 0.5, 0.5)
