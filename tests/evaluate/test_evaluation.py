"""A whole evaluation of a simulated router whose truth is known."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from tenbin.errors import EvaluationError, UsageError
from tenbin.evaluate.evaluation import evaluate
from tenbin.evaluate.metrics import curve_hull, scale_of
from tenbin.evaluate.oracle import head_room
from tenbin.evaluate.result import Evaluation
from tenbin.router.learning_curve import LearningCurve
from tenbin.types import Estimates, Floats
from tests.evaluate.simulated import SimulatedRouter, World, two_skills

BASELINES = ("z_test", "z_train", "group_table", "carrot_knn", "mean_cost", "best_pair", "oracle")


def run(router: SimulatedRouter, n: int = 3000, seed: int = 1, world: World | None = None, **more: int) -> Evaluation:
    return evaluate(router, (world or router.world).panel(n, seed), mus=41, resamples=200, **more)


@pytest.fixture(scope="module")
def found() -> Evaluation:
    return run(SimulatedRouter(two_skills()))


def truth() -> tuple[float, float]:
    """The gain in AIQ and the reach of the router that knows: mu sends easy queries to "cheap", hard ones to "dear"."""
    scale = scale_of(np.array([0.6, 0.85, 0.45]), np.array([0.001, 0.015, 0.005]))
    # Easy to cheap, hard to dear: .5 x .9 + .5 x .8 at half of each one's cost there.
    hull = curve_hull([0.5 * 0.001 + 0.5 * 0.02], [0.85], scale)
    low, high = scale.low_usd, scale.high_usd
    return hull.mean_height(low, high) - scale.zero.mean_height(low, high), 0.85


def test_the_gain_covers_the_truth(found: Evaluation) -> None:
    gain = next(d for d in found.differences if d.baseline == "z_test").aiq
    assert gain.low <= truth()[0] <= gain.high
    assert gain.low > 0.0


def test_every_contender_is_there_and_the_router_first(found: Evaluation) -> None:
    assert [c.name for c in found.curves] == ["router", *BASELINES]
    assert [s.name for s in found.summaries] == ["router", *BASELINES]
    assert [d.baseline for d in found.differences] == list(BASELINES)
    assert all(math.isclose(sum(p.shares), 1.0) for c in found.curves for p in c.points)
    assert len(found.curves[0].points) == 41


def test_intervals_hold_their_values(found: Evaluation) -> None:
    for summary in found.summaries:
        for figure in (summary.aiq, summary.aiq_log, summary.peak_quality):
            assert figure.low <= figure.value <= figure.high
    for point in found.curves[0].points:
        for figure in (point.quality, point.cost_usd, point.quality_ratio, point.saving):
            assert figure.low <= figure.value <= figure.high
    best = next(s for s in found.singles if s.model == found.best_single)
    cheap = found.curves[0].points[-1]
    assert cheap.saving.value == pytest.approx(1.0 - cheap.cost_usd.value / best.cost_usd.value)
    assert cheap.quality_ratio.value == pytest.approx(cheap.quality.value / best.quality.value)
    for single, quality in zip(found.singles, (0.6, 0.85, 0.45), strict=True):
        assert single.quality.low <= quality <= single.quality.high
    assert [s.on_hull for s in found.singles] == [True, True, False]


def test_the_verdict_is_to_route_with_the_true_saving(found: Evaluation) -> None:
    assert found.verdict.kind == "route"
    assert found.verdict.saving.low <= 1.0 - 0.0105 / 0.015 <= found.verdict.saving.high
    # A mixture needs nearly all of the dear model for the same quality.
    quoted = next(p for p in found.operating_points if p.target == found.verdict.ratio)
    assert quoted.blind_saving.high < 0.15
    assert found.no_harm.passed
    assert all(p.kept for p in found.operating_points if p.kind == "min_quality" and p.reached)


def test_calibration_of_the_truth_is_calibrated(found: Evaluation) -> None:
    overall = found.calibration.quality[0]
    assert overall.model == ""
    assert overall.ece < 0.02
    assert found.calibration.cost_usd[0].ratio_of_means == pytest.approx(1.0)
    assert found.calibration.latency_s == ()
    assert found.calibration.output_tokens == ()


def test_payback_is_labelling_over_saving(found: Evaluation) -> None:
    assert found.payback.queries.value == pytest.approx(12.0 / found.payback.saving_usd.value)
    assert found.payback.saving_usd.low <= 0.0045 <= found.payback.saving_usd.high


def test_payback_is_told_of_the_saving_that_the_verdict_quotes() -> None:
    world = replace(two_skills(), quality=np.array([[0.85, 0.9, 0.5], [0.3, 0.8, 0.4]]))
    told = run(SimulatedRouter(world))
    assert (told.verdict.kind, told.verdict.ratio, told.payback.ratio) == ("route", 0.97, 0.97)
    assert told.chosen is not None
    dear = next(single for single in told.singles if single.model == told.reference)
    assert told.payback.saving_usd.value == pytest.approx(dear.cost_usd.value - told.chosen.cost_usd.value)
    assert math.isfinite(told.payback.queries.value)


def test_prompts_that_say_nothing_are_said_to() -> None:
    blind = run(SimulatedRouter(two_skills(), knows=False))
    assert (blind.verdict.kind, blind.verdict.prompts_say_nothing) == ("single", True)
    assert blind.verdict.model == "dear"
    assert blind.no_harm.passed


def test_the_json_is_strict_and_complete(found: Evaluation) -> None:
    text = json.dumps(found.to_json(), allow_nan=False)
    assert json.loads(text)["schema_version"] == 1
    assert json.loads(text)["verdict"]["kind"] == "route"


def test_seed_and_order_of_rows_fix_the_result(found: Evaluation) -> None:
    router = SimulatedRouter(two_skills())
    panel = router.world.panel(3000, 1)
    turned = evaluate(router, panel.take(np.arange(3000)[::-1]), mus=41, resamples=200)
    assert run(router).to_json() == found.to_json()
    assert turned.summaries[0].aiq.value == pytest.approx(found.summaries[0].aiq.value, abs=1e-12)
    assert turned.summaries[0].aiq.low == pytest.approx(found.summaries[0].aiq.low, abs=1e-12)


def test_decisions_do_not_depend_on_outcomes() -> None:
    router = SimulatedRouter(two_skills())
    panel = router.world.panel(300, 1)
    worse = replace(panel, quality=1.0 - panel.quality, cost_usd=panel.cost_usd * 7.0)
    one, other = (evaluate(router, p, mus=11, resamples=20) for p in (panel, worse))
    assert [p.shares for p in one.curves[0].points] == [p.shares for p in other.curves[0].points]
    assert other.curves[0].points[0].cost_usd.value == pytest.approx(7.0 * one.curves[0].points[0].cost_usd.value)


def test_few_queries_end_in_collect() -> None:
    few = run(SimulatedRouter(two_skills()), n=20)
    assert few.verdict.kind == "collect"
    assert few.singles[0].quality.high - few.singles[0].quality.low > 0.2


def test_two_models_have_an_apgr() -> None:
    both = two_skills()
    world = World(both.models[:2], both.quality[:, :2], both.cost_usd[:, :2])
    found = run(SimulatedRouter(world))
    assert found.summaries[0].apgr.low > 0.5
    assert all(c.name != "best_pair" for c in found.curves)


def test_one_model_is_the_verdict() -> None:
    found = run(SimulatedRouter(World(("only",), np.array([[0.7]]), np.array([[0.01]]))), n=100)
    assert (found.verdict.kind, found.verdict.model) == ("single", "only")
    assert found.savings[0].saving.value == pytest.approx(0.0)


@pytest.mark.parametrize("dollars", [0.0, 0.01])
def test_equal_models_and_free_models_need_no_special_care(dollars: float) -> None:
    world = World(("a", "b"), np.full((2, 2), 1.0), np.full((2, 2), dollars))
    found = run(SimulatedRouter(world), n=100)
    assert found.summaries[0].aiq.value == pytest.approx(1.0)
    assert found.verdict.kind == "single"
    json.dumps(found.to_json(), allow_nan=False)


def test_a_free_cheap_model_still_has_a_log_axis() -> None:
    world = World(("free", "dear"), np.array([[0.9, 0.9], [0.2, 0.8]]), np.array([[0.0, 0.01], [0.0, 0.01]]))
    found = run(SimulatedRouter(world))
    assert found.cost_range_usd[0] == 0.0
    assert found.differences[0].aiq_log.low > 0.0
    assert math.isfinite(found.summaries[0].aiq_log.value)


def test_partly_labelled_tables_are_weighted_back() -> None:
    router = SimulatedRouter(two_skills())
    panel = router.world.panel(6000, 5)
    hard = np.array([q.group == "g1" for q in panel.queries])
    propensity = np.where(hard, 0.9, 0.25)
    missing = np.random.default_rng(0).random(6000) >= propensity
    panel.quality[missing, 1] = np.nan
    panel.label_propensity[:, 1] = propensity
    found = evaluate(router, panel, mus=11, resamples=200)
    assert found.data.weighted
    assert found.data.n_incomplete == int(missing.sum())
    assert found.singles[0].quality.low <= 0.6 <= found.singles[0].quality.high
    assert panel.quality[~missing, 0].mean() < 0.5
    assert found.singles[1].label_share == pytest.approx(float((~missing).mean()))


def test_the_learning_curve_becomes_figures() -> None:
    scale_quality, scale_cost = np.array([[0.6, 0.85, 0.45]]), np.array([[0.001, 0.015, 0.005]])
    curve = LearningCurve(
        n_rows=np.array([500]),
        mu=np.array([0.5]),
        quality=np.array([[0.85]]),
        cost_usd=np.array([[0.0105]]),
        single_quality=scale_quality,
        single_cost_usd=scale_cost,
    )
    point = run(SimulatedRouter(two_skills(), learning_curve=curve), n=100).learning_curve[0]
    assert point.n_train == 500
    assert point.figures["gain"] == pytest.approx(truth()[0])


def test_seen_prompts_are_counted_in_the_result() -> None:
    from tenbin.outcomes.identity import prompt_key

    world = two_skills()
    panel = world.panel(200, 1)
    seen = frozenset(prompt_key(query) for query in panel.queries[:50])
    found = evaluate(SimulatedRouter(world, seen=seen), panel, mus=11, resamples=20)
    assert (found.data.n_seen_dropped, found.data.n_test) == (50, 150)
    with pytest.raises(EvaluationError, match="seen in training"):
        evaluate(SimulatedRouter(world, seen=seen), panel.take(range(50)))


def test_too_small_a_bootstrap_is_refused() -> None:
    with pytest.raises(UsageError, match="1 resamples"):
        evaluate(SimulatedRouter(two_skills()), two_skills().panel(50, 0), resamples=1)


def test_the_head_room_is_told_where_the_noise_of_labels_is_known() -> None:
    world = two_skills()
    router, panel = SimulatedRouter(world), world.panel(1500, 3)
    groups = np.array([int(str(query.group)[1:]) for query in panel.queries])
    truth = world.quality[groups]
    noise = np.broadcast_to(np.sqrt((truth * (1.0 - truth)).mean(axis=0)), truth.shape)
    plain = evaluate(router, panel, mus=11, resamples=2)
    assert math.isnan(plain.head_room.value)
    assert "not identifiable" in plain.oracle_note
    told = evaluate(router, replace(panel, label_noise_sd=noise), mus=11, resamples=2)
    true = head_room(truth, panel.cost_usd, np.zeros(3), 1)
    areas = {summary.name: summary.aiq.value for summary in told.summaries}
    naive = areas["oracle"] - areas["z_test"]
    assert naive > true + 0.1
    assert abs(told.head_room.value - true) < (naive - true) / 4.0
    assert told.head_room.low < told.head_room.value < told.head_room.high
    assert "points of quality above blind mixtures" in told.oracle_note
    assert told.to_json()["head_room"]["value"] == told.head_room.value
    assert [c.quality for c in told.singles] == [c.quality for c in plain.singles]


def as_good_in_training(middle: float) -> tuple[World, World]:
    """Two models as good as one another in training, the reference ten times as dear, and what they are worth later."""
    costs = np.array([[0.0001, 0.01, 0.001]] * 2)
    trained = World(("easy", "dear", "middle"), np.array([[0.95, 1.0, 1.0], [0.1, 1.0, 1.0]]), costs)
    return trained, replace(trained, quality=np.array([[0.95, 0.85, middle], [0.1, 0.85, middle]]))


def test_the_one_model_is_chosen_in_training_and_the_test_prompts_judge_it() -> None:
    trained, turned = as_good_in_training(middle=0.84)
    blind = run(SimulatedRouter(trained, knows=False), world=turned)
    assert (blind.best_single, blind.verdict.kind, blind.verdict.model) == ("dear", "single", "middle")
    of_middle = next(s for s in blind.singles if s.model == "middle")
    assert blind.verdict.quality_ratio.value == of_middle.quality.value / blind.singles[1].quality.value < 1.0
    assert blind.verdict.saving.value == pytest.approx(0.9)


def test_a_model_that_the_test_prompts_show_to_be_worse_is_not_the_one() -> None:
    trained, turned = as_good_in_training(middle=0.7)
    blind = run(SimulatedRouter(trained, knows=False), world=turned)
    assert (blind.verdict.kind, blind.verdict.model) == ("single", "dear")


def test_the_model_beside_the_router_and_the_dial_are_held_against_the_reference_not_against_the_best_here() -> None:
    trained, turned = as_good_in_training(middle=0.9)
    found = evaluate(SimulatedRouter(trained), turned.panel(3000, 1), mus=41, resamples=200)
    _, dear, middle = found.singles
    assert (found.verdict.kind, found.reference, found.best_single) == ("route", "dear", "middle")
    said = next(s for s in found.verdict.sentences["en"] if s.startswith("Just using middle"))
    assert f" {1.0 - middle.cost_usd.value / dear.cost_usd.value:.1%} " in said
    assert f" {middle.quality.value / dear.quality.value:.1%} [" in said
    for point in found.curves[0].points:
        assert point.quality_ratio.value == pytest.approx(point.quality.value / dear.quality.value)
        assert point.saving.value == pytest.approx(1.0 - point.cost_usd.value / dear.cost_usd.value)


def test_twenty_prompts_asked_many_times_are_twenty_prompts() -> None:
    router = SimulatedRouter(two_skills())
    panel = router.world.panel(400, 1)
    often = replace(panel, queries=tuple(replace(q, prompt=f"{i % 20}") for i, q in enumerate(panel.queries)))
    found = evaluate(router, often, mus=11, resamples=20)
    assert (found.data.n_test, found.data.n_clusters) == (400, 20)
    assert (found.verdict.kind, found.verdict.n_more) == ("collect", 180)
    assert found.verdict.sentences["en"][-1].endswith("on 20 unseen prompts.")


def test_a_reference_that_is_the_cheapest_leaves_room_above_it() -> None:
    costs = np.array([[0.001, 0.01]] * 2)
    world = World(("broad", "deep"), np.array([[0.9, 0.3], [0.5, 0.95]]), costs)
    found = evaluate(SimulatedRouter(world), world.panel(1000, 1), mus=11, resamples=100)
    best = found.operating_points[[p.kind for p in found.operating_points].index("mu")]
    assert (found.reference, found.verdict.kind, found.verdict.prompts_say_nothing) == ("broad", "route", False)
    assert best.quality_ratio.value > 1.25
    assert found.verdict.quality_ratio == best.quality_ratio


def test_no_interval_says_that_more_than_all_is_saved_or_less_than_nothing_paid() -> None:
    # Everything stays with a reference that costs a hundredth of the other: what is imagined gone is dear.
    world = World(("good", "bad"), np.array([[0.9, 0.2]]), np.array([[0.0001, 0.01]]))
    found = evaluate(SimulatedRouter(world), world.panel(60, 1), mus=11, resamples=100)
    saving = found.operating_points[0].saving
    assert saving.low < -1.0
    assert saving.high <= 1.0
    shown = [*found.operating_points, *found.curves[0].points, *found.savings]
    assert all(each.saving.high <= 1.0 and each.cost_usd.low >= 0.0 for each in shown)
    assert all(
        0.0 <= s.aiq.low <= s.aiq.high <= 1.0 and s.qnc.low >= 0.0 for s in found.summaries if s.name == "router"
    )


class Dearer(SimulatedRouter):
    """The router of recorded dollars at a book in which "dear" costs ten times what it did at the fit."""

    def cost_usd(self, estimates: Estimates) -> Floats:
        return super().cost_usd(estimates) * np.array([1.0, 10.0, 1.0])


def test_recorded_dollars_are_counted_at_the_prices_of_the_moment() -> None:
    router = Dearer(two_skills())
    panel = router.world.panel(300, 1)
    found = evaluate(router, panel, mus=11, resamples=20)
    assert found.singles[1].cost_usd.value == pytest.approx(10.0 * panel.cost_usd[:, 1].mean())
    assert found.singles[0].cost_usd.value == pytest.approx(panel.cost_usd[:, 0].mean())
    assert "recorded dollars are counted at the router's prices (times): dear 10.00" in found.notes
