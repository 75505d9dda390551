"""What a stage is said to cost and to last, and the lengths that this rests on, worked by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tenbin.config.candidates import Endpoint
from tenbin.pilot.plan.certainty import cheapest_keeping, expected_width
from tenbin.pilot.plan.draft import Draft
from tenbin.pilot.plan.forecast import dearest_factor, forecast
from tenbin.pilot.plan.lengths import Lengths, expect_lengths
from tenbin.pilot.plan.planner import History, _allowed
from tenbin.pilot.plan.stage import CandidateForecast
from tenbin.router.crossfit import DialCurve
from tenbin.types import NORMAL_95, Candidate
from tests.pilot.plan.made import made_world


def test_lengths_are_guessed_at_first_and_drawn_to_the_answers_as_they_come() -> None:
    world = made_world(2)
    nothing = world.panel(np.zeros((2, 4), dtype=np.bool_))
    candidates = [
        Candidate("dear", capabilities=frozenset({"reasoning"}), reasoning_effort="none"),
        Candidate("good", capabilities=frozenset({"reasoning"})),
        Candidate("cheap", max_output_tokens=250),
        Candidate("poor", reasoning_effort="low"),
    ]
    texts = np.array([100.0, 3_000.0])  # of which a thousand count
    found = expect_lengths(texts, candidates, nothing)
    assert found.input_tokens == pytest.approx(np.tile([[110.0], [3_010.0]], 4))
    assert found.output_tokens == pytest.approx(np.array([[250.0, 1_750, 250, 1_750], [700, 2_200, 250, 2_200]]))
    assert found.seconds == pytest.approx([1 + 475 / 60, 1 + 1_975 / 60, 1 + 250 / 60, 1 + 1_975 / 60])
    assert (found.input_log_sd.tolist(), found.output_log_sd.tolist()) == ([0.1] * 4, [0.6] * 4)
    # One answer of 300 tokens to the short prompt, in 2 s, after 40 tokens; the guess counts like half an answer.
    bought = world.panel(np.array([[True, False, False, False], [False] * 4]))
    told = expect_lengths(texts, candidates, bought)
    into, out = (40 / 110) ** (1 / 1.5), (300 / 250) ** (1 / 1.5)
    assert told.input_tokens[:, 0] == pytest.approx([110 * into, 3_010 * into])
    assert told.output_tokens[:, 0] == pytest.approx([250 * out, 700 * out])
    assert told.seconds[0] == pytest.approx((2 + 0.5 * (1 + 475 * out / 60)) / 1.5)
    assert told.seconds[1:].tolist() == found.seconds[1:].tolist()
    assert told.input_log_sd[0] == pytest.approx(0.1 * math.sqrt(0.5 / 1.5))
    assert told.output_log_sd[0] == pytest.approx(math.hypot(0.6 * 0.5 / 1.5, 0.8 / 1.5))
    assert told.answers.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert told.output_tokens[:, 1:] == pytest.approx(found.output_tokens[:, 1:])
    for plain in ({"reasoning_effort": "minimal"}, {"capabilities": frozenset({"tools"})}):
        others = [replace(candidates[0], **{"reasoning_effort": None, **plain}), *candidates[1:]]
        assert expect_lengths(texts, others, nothing).output_tokens[:, 0].tolist() == [250.0, 700.0]
    # Two answers of 300 tokens, where 250 and 700 had been guessed, and of 40 for 110 and 3,010.
    twice = expect_lengths(texts, candidates, world.panel(np.array([[True, False, False, False]] * 2)))
    assert twice.input_tokens[:, 0] == pytest.approx(np.array([110, 3_010]) * (80 / 3_120) ** (2 / 2.5))
    assert twice.output_tokens[:, 0] == pytest.approx(np.array([250, 700]) * (600 / 950) ** (2 / 2.5))
    empty = replace(world.panel(np.ones((2, 4), dtype=np.bool_)), output_tokens=np.zeros((2, 4)))
    silent = expect_lengths(texts, candidates, empty)
    assert silent.output_tokens[:, 0] == pytest.approx(np.array([250, 700]) * (2 * 0.5 / 950) ** (2 / 2.5))
    assert twice.output_log_sd[0] == pytest.approx(math.hypot(0.6 * 0.5 / 2.5, 0.8 / math.sqrt(2) * 2 / 2.5))


def test_a_forecast_worked_by_hand() -> None:
    world = made_world(6, held_out=True)  # the first prompt and the sixth are; two others were asked before
    bought = np.zeros((6, 4), dtype=np.bool_)
    bought[[1, 4]] = True
    ground = replace(world.ground(bought), grading_usd=np.full((6, 4), 0.001))
    cells = np.zeros((6, 4), dtype=np.bool_)
    cells[[0, 2, 3], :2] = True
    draft = Draft.of_cells("all", cells, np.full((6, 4), 0.5), np.random.default_rng(0), live=(1, 3))
    lengths = Lengths(
        input_tokens=np.arange(6.0)[:, None] * np.array([10.0, 1.0, 1.0, 1.0]),
        output_tokens=np.full((6, 4), 60.0),
        seconds=np.array([4.0, 8.0, 1.0, 1.0]),
        input_log_sd=np.array([0.1, 0.5, 0.1, 0.1]),
        output_log_sd=np.array([0.3, 0.2, 0.1, 0.6]),
        answers=np.array([1.0, 1.0, 1.0, 1.0]),
    )
    limits = {"dear": Endpoint(requests_per_minute=30, tokens_per_minute=500), "good": Endpoint(max_concurrency=2)}
    found = forecast(ground, draft, lengths, limits, 3, 7.0)
    factors = [math.exp(NORMAL_95 * math.hypot(sd, 0.8 / math.sqrt(3))) for sd in (0.3, 0.5)]
    assert dearest_factor(lengths) == pytest.approx(math.exp(NORMAL_95 * 0.6))
    tokens = 10 * (0 + 2 + 3) + 3 * 60
    dear, good = found.candidates
    assert dear == CandidateForecast(
        "dear", 3, 50 / 3, 60.0, 1, 1.5, pytest.approx(1.5 * factors[0]), 60 * tokens / 500
    )
    assert good == CandidateForecast("good", 3, 5 / 3, 60.0, 1, 1.5, pytest.approx(1.5 * factors[1]), 3 * 8 / 2)
    slow = forecast(ground, draft, lengths, {"dear": Endpoint(requests_per_minute=2)}, 3, 7.0).candidates
    assert [row.seconds for row in slow] == [60 * 3 / 2, 3 * 8 / 16]
    assert (found.low_usd, found.high_usd) == pytest.approx(
        (sum(1.5 / f for f in factors), sum(1.5 * f for f in factors))
    )
    assert (found.stage, found.kind, found.pairs, found.prompts, found.held_out) == (3, "all", 6, 2, 1)
    assert (found.expected_usd, found.grading_usd, found.seconds) == pytest.approx((3.0, 0.006, 60 * tokens / 500))
    assert (found.saving_prompts, found.saving_width, found.measured) == (4, 1.0, False)
    assert (found.set_aside, found.planned_at) == (("cheap",), 7.0)  # `dear` is asked, though nothing is to be learnt
    sure = forecast(ground, replace(draft, saving_sd=0.1), lengths, limits, 3, 7.0)
    assert (sure.saving_width, sure.measured) == (pytest.approx(2 * NORMAL_95 * 0.1 / math.sqrt(4)), True)
    free = forecast(ground, replace(draft, expected_usd=np.zeros(6)), lengths, limits, 3, 7.0)
    assert (free.low_usd, free.expected_usd, free.high_usd) == (0.0, 0.0, 0.0)


def test_a_stage_may_cost_what_is_left_at_its_dearest_and_later_ones_half_of_what_was_spent() -> None:
    none = np.zeros((1, 2))
    lengths = Lengths(none, none, none[0], np.array([0.1, 0.2]), np.array([0.3, 0.1]), none[0])
    factor, spent = math.exp(NORMAL_95 * 0.3), History(spent_usd=3.0)
    assert [_allowed(9.0, spent, lengths, stage) for stage in (0, 1)] == pytest.approx([9.0 / factor] * 2)
    assert [_allowed(left, spent, lengths, 2) for left in (9.0, 2.0)] == pytest.approx([1.5, 2.0 / factor])
    assert _allowed(9.0, History(), lengths, 2) == 0.01


def test_the_width_of_a_saving_and_the_place_that_keeps_a_promise() -> None:
    assert expected_width(3.0, 400) == pytest.approx(2 * 1.96 * 3 / 20, rel=1e-4)
    assert [expected_width(3.0, n) for n in (0, 1)] == [1.0, 1.0]
    curve = DialCurve(
        np.array([0.0, 0.3, 0.6, 1.0]), np.array([0.9, 0.8, 0.8, 0.4]), np.array([9.0, 5, 4, 1]), 0.8, 6.0
    )
    assert [cheapest_keeping(curve, share) for share in (2.0, 1.01, 1.0, 0.9, 0.5, 0.1)] == [0, 0, 2, 2, 3, 3]
