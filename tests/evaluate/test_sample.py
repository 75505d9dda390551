"""Only unseen test rows are evaluated, and everything left out is counted or named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tenbin.errors import EvaluationError
from tenbin.evaluate.sample import align_models, draw_sample, price_notes, realised_cost
from tenbin.report.catalogue import load_catalogue
from tenbin.report.notes import told_note
from tenbin.types import Floats, Panel, Query
from tests.evaluate.simulated import two_skills

MODELS = ("cheap", "dear", "poor")


def panel_of(n: int) -> Panel:
    return two_skills().panel(n, seed=0)


def draw(panel: Panel, seen: tuple[str, ...] = (), models: tuple[str, ...] = MODELS):
    return draw_sample(panel, models, seen, lambda query: query.prompt.strip(), None)


def test_only_split_test_is_used() -> None:
    panel = replace(panel_of(6), split=("train", "test", "calibration", "test", "test", "train"))
    sample = draw(panel)
    assert [q.query_id for q in sample.panel.queries] == ["1", "3", "4"]
    assert (sample.n_rows, sample.n_other_split) == (6, 3)


def test_all_rows_without_a_split() -> None:
    assert len(draw(replace(panel_of(6), split=None)).panel) == 6


def test_seen_prompts_are_dropped_and_counted() -> None:
    sample = draw(panel_of(6), seen=("question 2", "question 5", "never asked"))
    assert sample.n_seen_dropped == 2
    assert [q.query_id for q in sample.panel.queries] == ["0", "1", "3", "4"]


def test_nothing_left_is_an_error() -> None:
    with pytest.raises(EvaluationError, match="all 2 queries were seen in training"):
        draw(panel_of(2), seen=("question 0", "question 1"))
    with pytest.raises(EvaluationError, match="none of the 2 queries has split = test"):
        draw(replace(panel_of(2), split=("train", "train")))
    panel = panel_of(2)
    with pytest.raises(EvaluationError, match="has a quality and a cost for each of"):
        draw(replace(panel, cost_usd=np.full_like(panel.cost_usd, np.nan)))


def test_columns_follow_the_router_and_strangers_are_named() -> None:
    panel = panel_of(5)
    panel = replace(panel, label_noise_sd=np.arange(15.0).reshape(5, 3))
    sample = draw(panel, models=("dear", "cheap"))
    assert sample.panel.models == ("dear", "cheap")
    assert np.array_equal(sample.panel.quality, panel.quality[:, [1, 0]])
    assert np.array_equal(sample.panel.label_propensity, panel.label_propensity[:, [1, 0]])
    assert np.array_equal(sample.panel.label_noise_sd, [[1.0, 0.0], [4.0, 3.0], [7.0, 6.0], [10.0, 9.0], [13.0, 12.0]])
    assert any("poor" in note for note in sample.notes)


def test_a_missing_model_is_an_error() -> None:
    with pytest.raises(EvaluationError, match="no outcomes of fifth"):
        align_models(panel_of(5), ("cheap", "fifth"))
    panel = panel_of(5)
    panel.quality[:, 2] = np.nan
    panel.quality[:, 1] = np.nan
    with pytest.raises(EvaluationError, match=f"not one quality of {MODELS[1]}, poor .* tenbin router retire-model"):
        align_models(panel, MODELS)


def test_incomplete_rows_stay_out_of_curves_but_are_counted() -> None:
    panel = panel_of(5)
    panel.quality[1, 2] = np.nan
    sample = draw(panel)
    assert (sample.n_incomplete, len(sample.panel)) == (1, 5)
    assert sample.complete.tolist() == [True, False, True, True, True]
    assert any(note.startswith("1 query lacks") and "poor, 1 of 5" in note for note in sample.notes)
    panel.quality[2, 0] = panel.cost_usd[3, 0] = np.nan
    (note,) = draw(panel).notes
    assert note.startswith("3 queries lack")
    assert "most often cheap, 2 of 5" in note


def test_copies_share_a_cluster() -> None:
    panel = panel_of(3)
    copies = (Query("0", "same"), Query("1", "other"), Query("2", " same "))
    cluster = draw(replace(panel, queries=copies)).cluster
    assert cluster[0] == cluster[2] != cluster[1]


def test_tokens_are_priced_and_recorded_dollars_are_taken_where_there_are_none() -> None:
    panel = panel_of(2)
    assert realised_cost(panel, None) == (panel.cost_usd, "observed")
    tokens = np.full_like(panel.cost_usd, 10.0)
    panel = replace(panel, input_tokens=tokens.copy(), output_tokens=tokens.copy())

    def price(panel: Panel) -> Floats:
        return panel.input_tokens + panel.output_tokens

    cost, source = realised_cost(panel, price)
    assert (cost.tolist(), source) == ((2 * tokens).tolist(), "tokens")
    panel.input_tokens[0, 0] = panel.output_tokens[1, 1] = np.nan
    cost, source = realised_cost(panel, price)
    assert (cost[0, 0], cost[1, 1], source) == (panel.cost_usd[0, 0], panel.cost_usd[1, 1], "mixed")
    assert cost[0, 1] == 20.0
    panel.cost_usd[:] = np.nan
    assert realised_cost(panel, price)[1] == "tokens"
    panel.input_tokens[:] = np.nan
    cost, source = realised_cost(panel, price)
    assert (np.isnan(cost).all(), source) == (True, "observed")


def test_recorded_dollars_are_counted_at_the_prices_of_the_day() -> None:
    panel = panel_of(4)
    panel.cost_usd[:, 2] = 0.0
    panel.cost_usd[0, 0] = np.nan
    factor = np.array([2.0, 1.0005, 3.0])
    with np.errstate(all="raise"):
        sample = draw_sample(panel, MODELS, (), lambda query: query.prompt, None, lambda dollars: dollars * factor)
    np.testing.assert_array_equal(sample.cost_usd, panel.cost_usd * factor)
    assert sample.panel.cost_usd is sample.cost_usd
    assert sample.notes[0] == "recorded dollars are counted at the router's prices (times): cheap 2.00"
    same = draw_sample(panel_of(4), MODELS, (), lambda query: query.prompt, None, lambda dollars: dollars)
    assert same.notes == ()


def test_a_row_is_as_rare_as_its_rarest_label() -> None:
    panel = replace(panel_of(2), label_propensity=np.array([[1.0, 0.25, 0.5], [np.nan, 1.0, 1.0]]))
    assert draw(panel).weight.tolist() == [4.0, 1.0]


def test_recorded_dollars_at_other_prices_are_noted() -> None:
    panel = panel_of(4)
    assert price_notes(panel, None) == []
    assert price_notes(panel, lambda p: p.cost_usd * 1.05) == []
    (note,) = price_notes(panel, lambda p: p.cost_usd * np.array([10.0, 1.0, 1.0]))
    assert "記録された金額と異なります" in str(told_note(note, load_catalogue("ja")))
    assert "cheap 10.00" in note
    assert "dear" not in note
    panel.cost_usd[:2] = np.nan  # what is not known on both sides is left out of both
    (note,) = price_notes(panel, lambda p: np.where(np.isnan(p.cost_usd), 0.02, p.cost_usd * [10.0, 1.0, 1.0]))
    assert note.endswith("(times): cheap 10.00")
