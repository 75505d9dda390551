"""What training prompts lend to an evaluation that drew none of a rare, dear kind: an arm on that side, and no more."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tenbin.evaluate.curve import PLAIN
from tenbin.evaluate.evaluation import evaluate
from tenbin.evaluate.intervals import amount_interval
from tenbin.evaluate.result import ROUTER, CurvePoint
from tenbin.evaluate.training import Training, tail_arm
from tenbin.evaluate.trial import Ground
from tenbin.risk import Anchors
from tenbin.router.crossfit import Crossfit
from tenbin.router.sweep import Sweep
from tenbin.types import NORMAL_95, Estimates, Floats
from tests.evaluate.simulated import SimulatedRouter, World

MU = 0.5
RARE = World(  # one kind in 60 is right nowhere but at the dear model
    models=("cheap", "dear"),
    quality=np.array([[0.8, 0.81]] * 59 + [[0.0, 1.0]]),
    cost_usd=np.array([[0.001, 0.02]] * 60),
)


def training_of(quality: Floats, expected: Floats, paid: Floats, weight: Floats | None = None) -> Training:
    unknown = np.full_like(quality, np.nan)
    estimates = Estimates(quality, np.zeros_like(quality), np.zeros_like(quality), unknown, unknown, unknown)
    everyone = np.ones(quality.shape[1], dtype=np.bool_)
    sweep = Sweep.of(estimates, expected, ("cheap", "dear"), Anchors("dear", 1.0, math.nan), PLAIN, everyone)
    return Training(sweep, paid, np.ones(len(paid)) if weight is None else weight, 1)


def test_the_arm_is_that_of_the_rows_spread_and_skewness_on_the_side_of_the_tail() -> None:
    apart, share = np.array([0.5, -0.5] * 50), np.full(100, 0.01)
    assert tail_arm(apart, share, 1.0 / 400) == pytest.approx(NORMAL_95 * 0.5 / 20.0)
    rare = (np.arange(100) < 2) - 0.02  # variance .0196, skewness .96 / .14
    arm = math.sqrt(0.0196 / 400) * (NORMAL_95 - 0.96 / 0.14 / 20.0 / 6.0 * (NORMAL_95**2 - 1.0))
    assert tail_arm(rare, share, 1.0 / 400) == pytest.approx(arm)
    assert tail_arm(-rare, share, 1.0 / 400) == pytest.approx(-arm)
    assert tail_arm(rare[[0, 50]], np.array([0.02, 0.98]), 1.0 / 400) == pytest.approx(arm)  # weights are rows
    assert tail_arm(apart * 0.0, share, 1.0 / 400) == 0.0
    assert tail_arm((np.arange(10_000) < 1) - 1e-4, np.full(10_000, 1e-4), 1.0) == 0.0  # never on the other side


def test_a_rare_dear_kind_is_held_though_half_of_the_samples_see_none_of_it() -> None:
    rng, held = np.random.default_rng(5), {False: 0, True: 0}
    for _ in range(400):
        drawn, trained = (1.0 + 30.0 * (rng.random(n) < 0.004) + rng.normal(0.0, 0.1, n) for n in (200, 2000))
        rows = drawn[rng.integers(0, 200, (200, 200))].mean(axis=1)
        arm = tail_arm(trained - trained.mean(), np.full(2000, 0.0005), 1.0 / 200)
        for lent in held:
            figure = amount_interval(np.array([drawn.mean(), *rows]), tail=arm if lent else 0.0)
            held[lent] += figure.low <= 1.12 <= figure.high
    assert held[False] < 240
    assert held[True] >= 368, held  # 92 % of 400


def test_tails_are_shares_of_what_the_reference_costs_at_the_choices_of_every_mu() -> None:
    quality, expected = np.tile([0.5, 0.9], (200, 1)), np.tile([0.1, 1.0], (200, 1))
    quality[4:, 0] = 0.9  # only four would stay with the dear one at this mu
    paid = np.tile([0.3, 3.0], (200, 1))
    tails = training_of(quality, expected, paid).tails(np.array([0.0, 0.2, 1.0]), 1.0 / 50)
    rare = np.where(np.arange(200) < 4, 1.0, 0.1)
    arm = tail_arm(rare - rare.mean(), np.full(200, 1 / 200), 1.0 / 50)
    assert arm > 0.0
    assert tails.dollars == pytest.approx([arm, arm, 0.0])
    assert tails.share == pytest.approx([arm, arm, 0.0])  # the reference costs the same everywhere
    millionths = training_of(quality, expected, 1e-6 * paid).tails(np.array([0.2]), 1.0 / 50)
    assert (millionths.dollars, millionths.share) == (pytest.approx([arm]), pytest.approx([arm]))
    paid[:, 1] = np.where(np.arange(200) % 4, 2.0, 6.0)
    share = training_of(quality, expected, paid).tails(np.array([1.0]), 1.0 / 50).share
    apart = 0.1 - 0.1 * paid[:, 1] / 3.0
    assert share == pytest.approx([tail_arm(apart, np.full(200, 1 / 200), 1.0 / 50)])
    few = np.where(np.arange(200) < 4, 1.0, 49.0)
    weighed = training_of(quality, expected, np.tile([0.3, 3.0], (200, 1)), few).tails(np.array([0.2]), 1.0 / 50)
    assert weighed.share == pytest.approx([tail_arm(rare - few @ rare / few.sum(), few / few.sum(), 1.0 / 50)])


def test_a_mean_bears_the_share_of_variance_that_its_queries_leave_copies_being_one() -> None:
    nothing = np.ones((6, 2))
    for cluster, weight, share in (
        (np.arange(6), np.full(6, 3.0), 1.0 / 6.0),
        (np.array([0, 0, 1, 1, 2, 2]), np.ones(6), 1.0 / 3.0),
        (np.arange(6), np.array([5.0, 1.0, 1.0, 1.0, 1.0, 1.0]), 0.3),
    ):
        assert Ground(nothing, nothing, nothing, weight, cluster).variance_share == pytest.approx(share)


def test_a_free_reference_or_no_row_lends_nothing() -> None:
    ones = np.ones((5, 2))
    free = training_of(ones, ones, np.tile([0.3, 0.0], (5, 1)))
    assert free.tails(np.array([0.0, 1.0]), 0.1).share.tolist() == [0.0, 0.0]
    assert training_of(ones[:0], ones[:0], ones[:0]).tails(np.array([0.0]), 0.1).dollars.tolist() == [0.0]


class Gappy(SimulatedRouter):
    """Every third training row has no dollars at the cheap model, and the rest were labelled once in two."""

    @property
    def crossfit(self) -> Crossfit:
        found = super().crossfit
        cost = found.observed.cost_usd.copy()
        cost[::3, 0] = np.nan
        weight = np.where(np.arange(len(cost))[:, None] % 3 > 0, [1.0, 2.0], 1.0)
        return replace(found, observed=replace(found.observed, cost_usd=cost, weight=weight))


def test_a_router_lends_by_the_rows_whose_dollars_are_all_known() -> None:
    router = Gappy(RARE)
    training = Training.of(router)
    known = np.flatnonzero(np.arange(1000) % 3)
    assert training.cost_usd.tolist() == router.observed_cost_usd()[known].tolist()
    assert training.sweep.quality.tolist() == router.crossfit.estimates.quality[known].tolist()
    assert training.weight.tolist() == [2.0] * len(known)
    assert training.reference == 1


def test_an_evaluation_without_the_rare_kind_knows_of_it_from_training() -> None:
    panel = RARE.panel(100, seed=3)
    usual = panel.take([query.group != "g59" for query in panel.queries])
    found = {n: evaluate(SimulatedRouter(replace(RARE, quality=RARE.quality[:n])), usual, mus=5) for n in (59, 60)}
    at = {n: next(c for c in each.curves if c.name == ROUTER).points[2] for n, each in found.items()}
    assert at[60].mu == MU
    assert at[59].saving.width == pytest.approx(0.0, abs=1e-9)  # everybody leaves, and all pay the same
    assert at[60].saving.value == at[59].saving.value == pytest.approx(at[60].saving.high)
    assert lent(at[60]) > 0.01
    assert at[60].saving.low < 1.0 - (59 * 0.05 + 1.0) / 60.0 < at[60].saving.high
    assert at[60].cost_usd.high - at[60].cost_usd.value == pytest.approx(0.02 * lent(at[60]))
    assert at[60].quality_ratio == at[59].quality_ratio
    points = {
        n: next(p for p in each.operating_points if (p.kind, p.target) == ("mu", MU)) for n, each in found.items()
    }
    assert points[60].saving == at[60].saving
    assert points[60].cost_usd == at[60].cost_usd
    assert points[59].saving.width == pytest.approx(0.0, abs=1e-9)


def lent(point: CurvePoint) -> float:
    return point.saving.value - point.saving.low
