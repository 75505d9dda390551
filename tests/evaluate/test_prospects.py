"""Those next in line, and what is expected of queries of which few have come out otherwise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tenbin.evaluate.curve import PLAIN
from tenbin.evaluate.intervals import Columns, either_way, resample
from tenbin.evaluate.prospects import LEAST_IN_LINE, Prospects, next_in_line, outcomes_seen
from tenbin.evaluate.trial import Ground
from tenbin.risk import Anchors
from tenbin.router.sweep import Sweep
from tenbin.types import Choices, Estimates, Floats, Ints


def ground_of(quality: Floats, cost_usd: Floats | None = None, cluster: Ints | None = None) -> Ground:
    n = len(quality)
    dollars = quality if cost_usd is None else cost_usd
    return Ground(quality, dollars, quality * np.nan, np.ones(n), np.arange(n) if cluster is None else cluster)


def test_next_in_line_are_those_that_lose_least_by_leaving() -> None:
    n = 40
    loss = np.stack([np.zeros(n), 0.1 + np.arange(n) / n, np.full(n, 0.8)], axis=1)
    loss[0] = (0.5, 0.3, 0.2)  # has left
    loss[1:3, 1:] = np.inf  # nobody else may answer these
    choice = np.where(np.arange(n) == 0, 2, 0)
    farther = next_in_line(loss, choice, 0)
    assert np.flatnonzero(farther != choice).tolist() == list(range(3, 3 + LEAST_IN_LINE))
    assert set(farther[3:13].tolist()) == {1}
    choice[20:] = 2
    assert np.flatnonzero(next_in_line(loss, choice, 0) != choice).tolist() == list(range(3, 20))
    assert next_in_line(loss[:, :1], np.zeros(n, dtype=np.int64), 0).tolist() == [0] * n


def test_along_a_dial_the_next_in_line_are_those_of_the_next_settings() -> None:
    quality = np.stack([np.full(60, 0.9), 0.9 - np.arange(1, 61) / 100.0], axis=1)
    estimates, anchors, mus = (
        Estimates(quality, *(quality * 0.0,) * 2, *(quality * np.nan,) * 3),
        Anchors("a", 0.01, np.nan),
        np.array([0.1, 0.3]),
    )
    cost = np.tile([0.01, 0.001], (60, 1))
    choices = Sweep.of(estimates, cost, ("a", "b"), anchors, PLAIN, np.ones(2, dtype=np.bool_)).choices(mus)
    farther = Prospects.along(estimates, cost, anchors, mus, choices, 0).farther
    assert choices.sum(axis=1).tolist() == [10, 38]
    assert farther.sum(axis=1).tolist() == [20, 60]
    cost[::2, 1] = 0.0095  # at this mu that is worth .25 of quality
    turned = Prospects.along(estimates, cost, anchors, mus[1:], np.zeros((1, 60), dtype=np.int64), 0).farther[0]
    assert np.flatnonzero(turned).tolist() == list(range(1, 21, 2))


def test_outcomes_are_expected_to_vary_as_far_as_the_estimates_miss_those_of_all_queries() -> None:
    n = 100
    quality = np.stack([np.ones(n), np.where(np.arange(n) < 25, 0.0, 1.0), np.zeros(n)], axis=1)
    flat = np.tile([0.5, 0.5, 0.25], (n, 1))
    few, none = (np.arange(n) >= n - 4).astype(np.int64), np.zeros(n, dtype=np.int64)
    choices: Choices = np.stack([few, none, few * 0 + 1, few * 2])
    farther = np.stack([np.arange(n) >= n - 14, none, few * 0 + 1, few * 2]).astype(np.int64)
    expected = Prospects(flat, farther)
    one = expected.quality_sd(ground_of(quality), choices, 0)
    squares = 0.25, (1.0 - 0.25) ** 2 + 0.25**2  # the mean squares of the gaps, missed and expected
    assert one == pytest.approx(np.sqrt([4.96 * squares[0], 0.0, 100 * squares[0], 4.96 * squares[1]]) / n)
    surer = np.where(
        np.arange(n)[:, None] < 50, flat, [0.5, 0.9, 0.25]
    )  # of the better half less is expected to differ
    half = Prospects(surer, farther).quality_sd(ground_of(quality), choices, 0)
    share = np.mean((quality[:, 1] - 1.0 - surer[:, 1] + 0.5) ** 2) / np.mean([0.5, 0.34])
    assert half[0] == pytest.approx(math.sqrt(4.96 * (0.4**2 + 0.34 * share)) / n)
    certain = np.where(np.arange(n)[:, None] < 50, flat, [0.5, 1.0, 0.25])  # taken for .99: nothing is certain
    share = np.mean((quality[:, 1] - 1.0 - certain[:, 1] + 0.5) ** 2) / np.mean([0.5, 0.25 + 0.99 * 0.01])
    most = Prospects(certain, farther).quality_sd(ground_of(quality), choices, 0)
    assert most[0] == pytest.approx(math.sqrt(4.96 * (0.5**2 + (0.25 + 0.99 * 0.01) * share)) / n)
    sure = Prospects(np.ones((n, 3)), farther).quality_sd(ground_of(quality), choices, 0)
    assert sure[:3] == pytest.approx(one[:3])  # whoever is sure of what does not come is as unsure as who knows nothing
    copied = ground_of(quality.repeat(3, 0), cluster=np.arange(n).repeat(3))
    assert Prospects(flat.repeat(3, 0), farther.repeat(3, 1)).quality_sd(copied, choices.repeat(3, 1), 0) == (
        pytest.approx(one)
    )
    alone = Prospects(flat[:, :1], choices[1:2])
    assert alone.quality_sd(ground_of(quality[:, :1]), choices[1:2], 0).tolist() == [0.0]


def test_one_more_that_leaves_moves_dollars_by_what_those_next_in_line_would() -> None:
    n = 200
    dollars = np.stack([np.ones(n), np.where(np.arange(n) < 60, 0.5, 0.9)], axis=1)
    few = (np.arange(n) < 3).astype(np.int64)
    choices = np.stack([few, few * 0, few * 0 + 1])
    farther = choices.copy()
    farther[0, 100:103] = 1  # three that left save .5 each, three next in line .1
    found = Prospects(dollars, farther).dollars_sd(ground_of(dollars, dollars), choices, 0)
    assert found == pytest.approx([math.sqrt(197 / n * (0.25 + 0.01) / 2.0) / n, 0.0, 0.0])


def test_outcomes_that_were_seen_are_those_that_differ_copies_once() -> None:
    quality = np.array([[1.0, 0.0], [1.0, 1.0], [0.5, 1.0], [0.5, 1.0], [0.0, 0.0], [1.0, 0.0]])
    ground = ground_of(quality, cluster=np.array([0, 1, 2, 2, 3, 4]))
    choices = np.array([[1, 1, 1, 1, 1, 0], [0] * 6, [0, 1, 0, 0, 0, 1]])
    assert outcomes_seen(ground, choices, 0).tolist() == [2.0, 0.0, 1.0]


@pytest.mark.parametrize(("better", "worse"), [(0.2, 0.05), (0.3, 0.05), (0.2, 0.2), (0.35, 0.15)])
def test_the_share_of_quality_where_few_outcomes_differ_is_covered(better: float, worse: float) -> None:
    rng = np.random.default_rng(7)
    covered, apart = {False: 0, True: 0}, better - worse
    n, gone = 200, 0.04
    for _ in range(400):
        left = rng.random(n) < gone
        usual = rng.random(n) < np.where(left, 0.5, 0.8)
        chance = np.where(left, np.where(usual, 1.0 - 2.0 * worse, 2.0 * better), np.where(usual, 0.75, 0.25))
        quality = np.stack([usual, rng.random(n) < chance], axis=1).astype(float)
        ground, choices = ground_of(quality), left.astype(np.int64)[None]
        columns = Columns(n)
        columns.add("apart", (quality[:, 1] - quality[:, 0]) * left)
        rows = 1.0 + resample(columns, ground.weight, ground.cluster, resamples=200, seed=0).of("apart")[:, 0]
        known = np.where(left[:, None], [0.5, 0.5 + apart], [0.8, 0.65])
        expected = Prospects(known, choices).quality_sd(ground, choices, 0)[0]
        seen = outcomes_seen(ground, choices, 0)[0]
        for told, figure in ((False, either_way(rows)), (True, either_way(rows, expected_sd=expected, seen=seen))):
            covered[told] += figure.low <= 1.0 + gone * apart <= figure.high
    assert 368 <= covered[True] <= 396, covered  # of 400: 92 to 98 %, and a standard error
    assert covered[False] < 368 or better == worse, covered
