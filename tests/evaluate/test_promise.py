"""A promise holds on other prompts of the kind as often as it says, and its units are the prompts, not their copies."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest

from tenbin.evaluate.promise import Promise, promised, promises_of
from tenbin.evaluate.prospects import Prospects
from tenbin.evaluate.trial import Ground
from tenbin.prices import PriceBook
from tenbin.router.fit import FitSettings, fit
from tenbin.types import Choices, Figure, Floats, Ints, TradeOff
from tests.router.made import PRICES, make_panel


def ground_of(quality: Floats, cost_usd: Floats, cluster: Ints | None = None) -> Ground:
    n = len(quality)
    return Ground(quality, cost_usd, quality * np.nan, np.ones(n), np.arange(n) if cluster is None else cluster)


def drawn(n: int, seed: int, gone: float, wins: float) -> tuple[Ground, Ints]:
    """The dear reference is right in 80 of 100; of the few queries that leave it some are right only elsewhere."""
    rng = np.random.default_rng(seed)
    leaves, won = rng.random(n) < gone, rng.random(n) < wins
    reference = np.where(leaves & won, 0.0, (rng.random(n) < 0.8).astype(float))
    other = np.where(leaves, np.where(won, 1.0, reference), rng.random(n) < 0.6).astype(float)
    cost = np.stack([rng.lognormal(0.0, 0.5, n), np.full(n, 0.05)], axis=1)
    return ground_of(np.stack([reference, other], axis=1), cost), leaves.astype(np.int64)


def promises(
    ground: Ground, choices: Choices, *, farther: Choices | None = None, doubt: Floats | None = None, seed: int = 0
) -> tuple[Promise, ...]:
    """Those of a router that expects of every query what is the mean of all."""
    flat = np.broadcast_to(ground.quality.mean(axis=0), ground.quality.shape)
    expected = Prospects(flat, choices if farther is None else farther)
    return promised(ground, choices, 0, expected, doubt=doubt, seed=seed)


def test_a_few_that_leave_the_reference_are_doubted_as_much_as_few_are() -> None:
    whole, choice = drawn(400_000, 0, 0.02, 0.3)
    at = np.arange(len(choice))
    truth = whole.quality[at, choice].mean() / whole.quality[:, 0].mean()
    saved = 1.0 - whole.cost_usd[at, choice].mean() / whole.cost_usd[:, 0].mean()
    ratio, saving = 0, 0
    for seed in range(1, 151):
        ground, taken = drawn(200, seed, 0.02, 0.3)
        found = promises(ground, taken[None, :], seed=seed)[0]
        ratio += found.quality_ratio.low <= truth <= found.quality_ratio.high
        saving += found.saving.low <= saved <= found.saving.high
    assert ratio >= 137, ratio  # 92 of 100 of 150; the plain bootstrap holds 70, for often none of them was won
    assert saving >= 137, saving


def test_no_saving_is_thought_possible_beyond_the_cheapest_answers() -> None:
    ground, choice = drawn(200, 5, 0.02, 0.3)
    dear = Ground(
        ground.quality, ground.cost_usd[:, ::-1] * [1.0, 30.0], *[ground.latency_s, ground.weight, ground.cluster]
    )
    found = promises(dear, np.stack([choice * 0, choice]), farther=np.stack([choice, choice]))
    for promise in found:  # whoever leaves the reference costs more
        assert promise.saving.low < promise.saving.value <= promise.saving.high <= 1e-9
    everyone = promises(ground, np.ones((1, 200), dtype=np.int64))[0]  # at the bound itself the doubt stays
    assert everyone.saving.low < everyone.saving.value < everyone.saving.high


def test_many_prompts_are_drawn_in_heaps_that_vary_alike() -> None:
    ground, choice = drawn(12_000, 3, 0.4, 0.1)
    found = promises(ground, choice[None, :])[0]
    spread = np.std(ground.quality[np.arange(12_000), choice]) / np.sqrt(12_000)
    assert (found.quality.high - found.quality.low) / 3.92 == pytest.approx(spread, rel=0.12)


def test_copies_of_a_prompt_do_not_narrow_a_promise() -> None:
    ground, choice = drawn(150, 4, 0.4, 0.1)
    alone = promises(ground, choice[None, :])[0]
    nine = ground_of(ground.quality.repeat(9, 0), ground.cost_usd.repeat(9, 0), np.arange(150).repeat(9))
    copied = promises(nine, choice.repeat(9)[None, :])[0]
    assert copied.quality.high - copied.quality.low == pytest.approx(alone.quality.high - alone.quality.low, rel=0.15)


def test_estimates_that_stand_for_labels_err_together() -> None:
    ground, choice = drawn(2000, 5, 0.5, 0.1)
    doubt = np.zeros((2000, 2))
    plain = promises(ground, choice[None, :])[0]
    assert promises(ground, choice[None, :], doubt=doubt) == (plain,)
    doubt[:, 1] = 0.08  # no label of the other candidate: half the queries, and all wrong alike
    unsure = promises(ground, choice[None, :], doubt=doubt)[0]
    shared = 1.96 * 0.08 * choice.mean()
    assert unsure.quality.value - unsure.quality.low == pytest.approx(
        np.hypot(plain.quality.value - plain.quality.low, shared), rel=1e-3
    )
    assert unsure.quality_ratio.high - unsure.quality_ratio.value > shared
    doubt[:] = [0.08, 0.0]  # the reference is estimated, and stays where it is in both
    alone = promises(ground, np.zeros((1, 2000), dtype=np.int64), doubt=doubt)[0]
    assert astuple(alone.quality_ratio) == pytest.approx((1.0, 1.0, 1.0))
    assert alone.quality.high - alone.quality.value > 1.9 * 0.08


def test_a_router_promises_what_its_dial_curve_reads() -> None:
    router = fit(make_panel(n=240), PriceBook.loads(PRICES), FitSettings(embedder="base", learning_curve=False))
    curve = router.dial_curve()
    at = int(np.argmin(np.abs(curve.mu - 0.2)))
    best, dial = promises_of(router, [TradeOff(0.0), TradeOff(float(curve.mu[at]))])
    assert dial.quality.value == pytest.approx(curve.quality[at])
    assert dial.cost_usd.value == pytest.approx(curve.cost_usd[at])
    assert dial.saving.value == pytest.approx(1.0 - curve.cost_usd[at] / curve.reference_cost_usd)
    assert all(figure.low <= figure.value <= figure.high for figure in figures(best))
    stayed = promises_of(router, [TradeOff(0.0, caution=99.0)])[0]
    assert stayed.saving.value == 0.0
    assert stayed.quality_ratio.low < 1.0 < stayed.quality_ratio.high  # never certain, however many stayed
    alone = promises_of(router, [TradeOff(0.5)], allow=[router.anchors.reference])[0]
    assert (alone.saving.low, alone.saving.high) == (0.0, 0.0)  # but where nobody else may answer
    assert (alone.quality_ratio.low, alone.quality_ratio.high) == (1.0, 1.0)
    (again,) = promises_of(router, [TradeOff(0.0)])
    for figure, other in zip(figures(again), figures(best), strict=True):  # a narrower matrix product: other last bits
        assert astuple(figure) == pytest.approx(astuple(other), rel=1e-13)


def figures(promise: Promise) -> tuple[Figure, ...]:
    return promise.quality, promise.cost_usd, promise.quality_ratio, promise.saving


def test_a_promise_from_a_sample_of_all_prompts_is_that_of_the_prompts() -> None:
    panel = make_panel(n=120)
    rare = replace(panel, label_propensity=np.full_like(panel.label_propensity, 0.01))
    settings = FitSettings(embedder="base", learning_curve=False)
    whole, sampled = (promises_of(fit(p, PriceBook.loads(PRICES), settings), [TradeOff(0.2)])[0] for p in (panel, rare))
    assert sampled.quality_ratio.value == pytest.approx(whole.quality_ratio.value, abs=1e-6)
    assert sampled.saving.value == pytest.approx(whole.saving.value, abs=1e-6)
    assert 0.0 < sampled.quality.low < sampled.quality.high < 1.0
