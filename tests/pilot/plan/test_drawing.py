"""What is drawn, and with what probability: merged prompts, hold-out, rows, pairs."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.pilot.plan.clusters import cluster_prompts, k_means
from tenbin.pilot.plan.distinct import distinct, near_key
from tenbin.pilot.plan.draw import LEAST_PROPENSITY, even_rows, propensities, systematic
from tenbin.pilot.plan.hold_out import draw_splits
from tenbin.pilot.plan.worth import expected_excess, label_worth
from tenbin.pilot.prompt import PilotPrompt
from tenbin.risk import Anchors
from tenbin.types import Estimates

SHARES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30)


def asked(*texts: str) -> list[PilotPrompt]:
    return [PilotPrompt(str(i), text) for i, text in enumerate(texts)]


def test_prompts_are_merged_and_counted_and_the_first_one_stays() -> None:
    found = distinct(asked("Hello  there", "other", "hello there ", "ＨＥＬＬＯ there"), seed=0)
    assert [(prompt.query_id, prompt.count) for prompt in found.prompts] == [("0", 3), ("1", 1)]
    assert (found.n_read, found.is_sample) == (4, False)


def test_of_too_many_prompts_a_uniform_sample_is_kept_with_exact_counts() -> None:
    texts = [f"prompt number {i % 300}" for i in range(900)]
    kept = np.zeros(300)
    for seed in range(40):
        found = distinct(asked(*texts), seed=seed, most=60)
        assert len(found.prompts) == 60
        assert found.is_sample
        assert {prompt.count for prompt in found.prompts} == {3}
        ids = [int(prompt.query_id) for prompt in found.prompts]
        assert ids == sorted(ids)
        assert max(ids) < 300  # the first of each stays
        for prompt in found.prompts:
            kept[int(prompt.prompt.split()[-1])] += 1
    # Each of the 300 is kept in a fifth of the 40 draws, wherever it stands in the file.
    assert abs(kept[:150].mean() - 8.0) < 0.5
    assert kept.max() < 20


def test_a_tenth_is_held_out_for_calibration_and_a_fifth_for_the_test_and_never_more_than_1500() -> None:
    for n, held_out in ((100, (10, 20)), (6_000, (500, 1_000))):
        words = [PilotPrompt(f"q{i}", "".join(chr(97 + int(digit)) for digit in str(i))) for i in range(n)]
        splits = draw_splits(words, seed=0)
        assert (splits.count("calibration"), splits.count("test")) == held_out
    assert draw_splits([], seed=0) == ()


@pytest.mark.parametrize(("n", "together"), [(20, True), (21, False)])
def test_what_more_than_twenty_prompts_share_is_a_template(n: int, together: bool) -> None:
    near = [PilotPrompt(f"n{i}", f"say it {i} times!") for i in range(n)]
    others = [PilotPrompt(f"q{i}", "".join(chr(97 + int(digit)) for digit in str(i))) for i in range(20)]
    assert all(len(set(draw_splits([*near, *others], seed=seed)[:n])) == 1 for seed in range(10)) == together


def test_near_duplicates_share_a_split_and_templates_do_not() -> None:
    texts = [f"{word} order {i}?" for word in ("where", "when", "why", "what", "who") for i in range(2)]
    texts += [f"something else about {chr(97 + i)}{chr(97 + j)}" for i in range(9) for j in range(9)]
    for seed in range(5):
        splits = draw_splits(asked(*texts), seed=seed)
        assert all(splits[i] == splits[i + 1] for i in range(0, 10, 2))
        assert 0.2 < sum(split != "train" for split in splits) / len(texts) < 0.4
    assert near_key(asked("Where IS order 17?")[0]) == near_key(asked("where is order: 4")[0])
    assert near_key(asked("???")[0]) != near_key(asked("!!!")[0])
    template = draw_splits(asked(*(f"Order {i}" for i in range(100))), seed=0)
    assert {template.count("calibration"), template.count("test")} == {10, 20}


@given(SHARES, st.integers(0, 2**32))
def test_a_systematic_draw_takes_what_is_certain_and_leaves_what_is_not(shares: list[float], seed: int) -> None:
    probability = np.array([*shares, 1.0, 0.0])
    drawn = systematic(probability, np.random.default_rng(seed))
    assert math.floor(probability.sum() - 1e-6) <= len(drawn) <= math.ceil(probability.sum() + 1e-6)
    assert len(probability) - 2 in drawn
    assert len(probability) - 1 not in drawn


def test_every_item_is_drawn_with_its_own_probability() -> None:
    probability = np.random.default_rng(1).uniform(size=40)
    rng = np.random.default_rng(2)
    counts = sum(np.bincount(systematic(probability, rng), minlength=40) for _ in range(4000))
    assert np.abs(counts / 4000 - probability).max() < 0.04


def test_rows_are_as_likely_as_each_other_and_cover_the_clusters() -> None:
    cluster = np.repeat(np.arange(5), (50, 20, 20, 5, 5))
    rng = np.random.default_rng(0)
    counts = np.zeros(100)
    for _ in range(2000):
        rows = even_rows(cluster, np.ones(100, dtype=bool), 20, rng)
        assert len(rows) == 20
        # Never more than one prompt away from the cluster's share, at either end of it.
        assert np.abs(np.bincount(cluster[rows], minlength=5) - np.array([10, 4, 4, 1, 1])).max() <= 1
        counts[rows] += 1
    assert np.abs(counts / 2000 - 0.2).max() < 0.04
    assert even_rows(cluster, np.zeros(100, dtype=bool), 20, rng).tolist() == []
    for count in (100, 200):
        assert even_rows(cluster, np.ones(100, dtype=bool), count, rng).tolist() == [*range(100)]


def test_clusters_hold_what_is_alike() -> None:
    rng = np.random.default_rng(0)
    centres = np.eye(4, dtype=np.float32)
    vectors = np.repeat(centres, 25, axis=0) + 0.05 * rng.normal(size=(100, 4)).astype(np.float32)
    found = k_means(vectors, 4, seed=1)
    assert [len(set(found[i : i + 25])) for i in range(0, 100, 25)] == [1, 1, 1, 1]
    assert sorted(set(found)) == [0, 1, 2, 3]


@pytest.mark.parametrize(("seed", "left"), [(0, 8), (1, 8), (2, 8), (3, 8), (105, 7)])  # of the last, one falls away
def test_every_row_is_with_the_nearest_of_the_means(seed: int, left: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(60, 2)).astype(np.float32)
    found = k_means(rows, 8, seed=seed)
    assert sorted(set(found)) == [*range(left)]
    means = np.array([rows[found == k].mean(axis=0) for k in range(left)])
    apart = ((rows[:, None] - means) ** 2).sum(axis=2)
    assert (apart.argmin(axis=1) == found).mean() > 0.98


def test_prompts_are_in_as_many_clusters_as_the_root_of_half_of_them_and_blank_ones_in_one() -> None:
    words = np.random.default_rng(0).choice([*"abcdefghijklmnopqrstuvwxyz"], size=(72, 5, 4))
    texts = [" ".join("".join(word) for word in text) for text in words]
    found = cluster_prompts(asked(*texts), seed=0)
    assert sorted(set(found)) == [*range(6)]
    assert found.tolist() == cluster_prompts(asked(*texts), seed=0).tolist()
    assert len(set(cluster_prompts(asked("", *texts[:30]), seed=0))) > 1
    assert cluster_prompts(asked("", " ", "\n"), seed=0).tolist() == [0, 0, 0]


def test_worth_falls_with_the_gap_and_is_that_of_the_normal_distribution() -> None:
    gap = np.linspace(0.0, 5.0, 50)
    excess = expected_excess(gap)
    assert (np.diff(excess) < 0.0).all()
    z = np.random.default_rng(0).normal(size=400_000)
    assert abs(np.maximum(z - 1.0, 0.0).mean() - expected_excess(np.array([1.0]))[0]) < 1e-3


def test_labels_of_a_candidate_that_cannot_win_are_worth_little_and_near_ties_most() -> None:
    quality = np.tile([0.9, 0.88, 0.3], (10, 1))
    nothing = np.full(quality.shape, np.nan)
    estimates = Estimates(quality, np.full(quality.shape, 0.1), nothing, nothing, nothing, nothing)
    cost = np.tile([0.002, 0.002, 0.01], (10, 1))
    worth = label_worth(
        estimates, np.full(3, 0.02), np.zeros(3), cost, Anchors("a", 0.01, np.nan), np.array([0.1, 0.3])
    ).mean(axis=0)
    assert worth[0] == worth[1]
    assert worth[2] < 1e-3 * worth[0]


@pytest.mark.parametrize("models", [1, 2])
def test_one_candidate_alone_is_weighed_too_and_of_two_each_is_the_others_rival(models: int) -> None:
    nothing = np.full((3, models), np.nan)
    estimates = Estimates(np.array([[0.9, 0.7]] * 3)[:, :models], np.full((3, models), 0.2), *[nothing] * 4)
    common, cost = np.zeros(models), np.full((3, models), 0.002)
    worth = label_worth(estimates, common, common, cost, Anchors("a", 0.01, np.nan), np.array([0.2]))
    assert (worth > 0.0).all()
    assert worth == pytest.approx(np.tile(worth[:1, :1], (3, models)))
    # Whose errors are all shared differ by a twentieth at least, once they are as good as each other.
    tied = replace(estimates, quality=np.full((3, models), 0.9))
    worth = label_worth(tied, common, np.ones(models), cost, Anchors("a", 0.01, np.nan), np.array([0.2]))
    assert worth == pytest.approx(np.full((3, models), 0.05 / math.sqrt(2 * math.pi) * 0.04 / (0.04 + 0.2)))


def test_the_worth_of_a_label_worked_by_hand() -> None:
    """Of the chosen one against its runner-up, of every other against the chosen one, in units of quality."""
    nothing = np.full((1, 3), np.nan)
    estimates = Estimates(np.array([[0.9, 0.8, 0.5]]), np.array([[0.1, 0.2, 0.04]]), *[nothing] * 4)
    cost, common = np.array([[0.002, 0.001, 0.001]]), np.array([0.06, 0.06, 0.0])
    correlation, anchors = np.array([0.5, 0.4, 0.0]), Anchors("a", 0.01, np.nan)
    found = label_worth(estimates, common, correlation, cost, anchors, np.array([0.2]))[0]
    sd = np.array([np.sqrt(0.1**2 - 0.06**2), np.sqrt(0.2**2 - 0.06**2), 0.05])  # the last is at least that
    gaps = [0.85 - 0.775, 0.85 - 0.775, 0.85 - 0.475]  # losses at mu .2: a quarter of cost / .01, less quality
    pairs = [(0, 1, 0.2), (1, 0, 0.2), (2, 0, 0.0)]
    for own, gap, (m, rival, shared) in zip(found, gaps, pairs, strict=True):
        spread = np.sqrt(sd[m] ** 2 + sd[rival] ** 2 - 2 * shared * sd[m] * sd[rival])
        z = NormalDist()
        excess = z.pdf(gap / spread) - gap / spread * z.cdf(-gap / spread)
        assert own == pytest.approx(spread * excess * sd[m] ** 2 / (sd[m] ** 2 + 0.2))
    other = label_worth(estimates, common, correlation, cost, anchors, np.array([0.5]))[0]
    both = label_worth(estimates, common, correlation, cost, anchors, np.array([0.2, 0.5]))[0]
    assert both == pytest.approx((found + other) / 2)


def test_probabilities_go_with_the_root_of_worth_per_dollar_and_few_candidates_are_in_play() -> None:
    # The cheapest is asked always; the one worth most .9 times on average, the rest in proportion, .25 at least.
    worth = np.array([[0.0, 4.0, 1.0, 0.64, 0.6], [0.0, 1.0, 0.25, 0.04, 0.03]])
    cost = np.array([0.5, 1.0, 1.0, 1.0, 1.0]) + np.zeros((2, 5))
    expected = np.array([[1.0, 1.0, 0.6, 0.48, 0.0], [1.0, 0.6, 0.3, 0.25, 0.0]])  # a fifth one is never in play
    assert propensities(worth, cost) == pytest.approx(expected)
    dearer = cost * np.array([1.0, 1.0, 4.0, 1.0, 1.0])  # half as likely, .225 on average: too seldom
    assert propensities(worth, dearer)[:, 1:] == pytest.approx(expected[:, 1:] * [1.0, 0.0, 1.0, 0.0])
    assert propensities(worth, 1e-6 * dearer) == pytest.approx(propensities(worth, dearer))
    assert propensities(np.zeros((2, 3)), np.full((2, 3), [0.2, 0.1, 0.3])).tolist() == [[0.0, 1.0, 0.0]] * 2
    free = cost * np.array([0.0, 0.0, 1.0, 1.0, 1.0])  # per dollar what costs would be worth nothing beside a free one
    always = np.array([[1.0, 1.0, 1.0, 0.96, 0.0], [1.0, 1.0, 0.6, 0.25, 0.0]])
    assert propensities(worth, free) == pytest.approx(always)
    for third, share in ((0.0203, 0.0), (0.0205, 0.9 * math.sqrt(0.0205 / 0.2))):  # a fiftieth of all worth, or less
        little = np.array([[0.0, 1.0, third], [0.0, 1.0, third]])
        assert propensities(little, np.full((2, 3), [0.1, 1.0, 0.2]))[:, 2] == pytest.approx([share, share])


@given(st.integers(0, 2**32), st.integers(2, 8))
def test_a_pair_is_drawn_with_a_probability_that_bounds_its_weight_or_never(seed: int, models: int) -> None:
    rng = np.random.default_rng(seed)
    worth, cost = rng.exponential(size=(50, models)) ** 3, rng.exponential(size=models) + np.zeros((50, models))
    asked_for = propensities(worth, cost)
    live = asked_for.any(axis=0)
    assert ((asked_for[:, live] >= LEAST_PROPENSITY) & (asked_for[:, live] <= 1.0)).all()
    assert (asked_for[:, cost[0].argmin()] == 1.0).all()
    assert live.sum() <= 4
