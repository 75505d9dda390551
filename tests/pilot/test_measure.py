"""Savings against the reference: paired, floored at the reference itself, honest about small samples."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenbin.evaluate.curve import constant
from tenbin.evaluate.result import Figure
from tenbin.pilot.field import Field, columns, field_of
from tenbin.pilot.measure import measure, savings_of, singles_of, widened
from tenbin.pilot.results import results_of
from tenbin.types import Panel
from tests.pilot.made import every_pair, made_prompts, made_records


def made_panel(n: int, models: tuple[str, ...] = ("big", "mid", "small")) -> Panel:
    prompts = made_prompts(n)
    return results_of(prompts, made_records(prompts, every_pair(prompts, models))).panel()


def made_field(n: int) -> Field:
    field = field_of(made_panel(n), "big")
    assert field is not None
    return field


def test_only_complete_prompts_count_and_the_seldom_labelled_are_set_aside() -> None:
    panel = made_panel(20)
    panel.quality[3, panel.models.index("mid")] = np.nan
    panel.quality[5:, panel.models.index("small")] = np.nan
    field = field_of(panel, "big")
    assert field is not None
    assert field.panel.models == ("big", "mid")
    assert field.aside == ("small",)
    assert [query.query_id for query in field.panel.queries] == [f"q{i:04}" for i in range(20) if i != 3]
    assert len(columns(panel, ("small",))) == 5


def test_without_an_answer_of_the_reference_there_is_no_field() -> None:
    panel = made_panel(5)
    panel.quality[:, panel.models.index("big")] = np.nan
    assert field_of(panel, "big") is None
    assert field_of(panel, "nobody") is None


def test_asking_the_reference_every_time_saves_nothing_and_is_never_out_of_reach() -> None:
    field = made_field(60)
    reference = np.array([field.reference])
    always = constant("router", "", reference, field.panel.models, len(field), deployable=True)
    measured = measure([always], field, resamples=50, seed=0)
    full = savings_of(measured, len(field))[0]
    assert full.ratio == 1.0
    assert full.saving.value == pytest.approx(0.0, abs=1e-12)
    assert np.isfinite(measured.cost_share[0][1.0]).all()


def test_a_router_that_knows_the_answers_saves_more_than_blind_mixtures() -> None:
    field = made_field(200)
    cheapest_right = np.argmax(field.panel.quality - field.cost_usd, axis=1)[None, :]
    always = constant("router", "", np.array([0]), field.panel.models, len(field), deployable=True)
    object.__setattr__(always, "choices", cheapest_right.astype(np.int64))
    saving = savings_of(measure([always], field, resamples=200, seed=0), len(field))[2]
    assert saving.beyond.low > 0.2
    assert saving.saving.value == pytest.approx(saving.blind_saving.value + saving.beyond.value)
    mean = field.cost_usd[:, field.reference].mean()
    assert saving.saved_usd.value == pytest.approx(saving.saving.value * mean)


def test_singles_are_held_against_the_reference_on_the_same_prompts() -> None:
    field = made_field(100)
    singles = {single.model: single for single in singles_of(measure((), field, resamples=100, seed=0), field)}
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
