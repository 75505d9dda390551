"""The ladder: what each stage buys, that no budget is exceeded, and that choosing labels biases no mean."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tenbin.errors import UsageError
from tenbin.evaluate.hull import upper_hull
from tenbin.pilot.pair import Pair
from tenbin.pilot.plan import chosen
from tenbin.pilot.plan.certainty import _slope, cheapest_keeping, mix_keeping, saving_sd_of, trade_offs_near
from tenbin.pilot.plan.ladder import draft_stage, hull_rivals
from tenbin.pilot.plan.lengths import ANSWER_LOG_SD, expect_lengths
from tenbin.pilot.plan.planner import History, Planned, full_panel, plan_stage
from tenbin.pilot.plan.setup import PilotSetup, read_setup
from tenbin.pilot.records import Labelled
from tenbin.pilot.standing import Standing
from tenbin.predictors.factors import weighted_means
from tenbin.prices import PriceBook
from tenbin.risk import choose, losses, name_order
from tenbin.router.crossfit import DialCurve, doubly_robust
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router
from tenbin.types import Candidate, Panel, Query, TradeOff
from tests.pilot.plan.made import MODELS, World, made_world, write_config
from tests.router.made import PRICES, make_panel


def bought(world: World, rows: int, *, paired: int = 0) -> np.ndarray:
    cells = np.zeros(world.quality.shape, dtype=np.bool_)
    cells[:rows] = True
    cells[rows : rows + paired, :3] = True
    return cells


def test_the_first_stage_asks_everybody_and_some_twice() -> None:
    world = made_world(200, held_out=True)
    draft = draft_stage(world.ground(bought(world, 0)), 0, 1e9, np.random.default_rng(0))
    firsts = draft.repeat == 0
    assert (firsts.sum(), (~firsts).sum()) == (50 * 4, 10 * 4)
    assert {world.prompts[row].split for row in draft.row.tolist()} == {"train"}
    assert (draft.propensity == 1.0).all()
    # Prompt by prompt: a run that stops early has bought whole prompts.
    assert sum(a != b for a, b in zip(draft.row, draft.row[1:], strict=False)) == 49


def test_the_second_stage_asks_the_reference_and_who_may_stand_on_the_hull() -> None:
    world = made_world(600)
    draft = draft_stage(world.ground(bought(world, 50)), 1, 1e9, np.random.default_rng(0))
    assert [MODELS[m] for m in draft.live] == ["dear", "good", "cheap"]
    assert len(draft.row) == 200 * 3
    assert draft.row.min() >= 50
    few = made_world(63).ground(bought(made_world(63), 50))  # half of what is left, so that a stage can choose
    assert len(draft_stage(few, 1, 1e9, np.random.default_rng(0)).row) == 7 * 3
    free = replace(few, answer_usd=0.0 * few.answer_usd)
    assert len(draft_stage(free, 1, 0.01, np.random.default_rng(0)).row) == 7 * 3


def test_who_hardly_answers_does_not_decide_about_the_others() -> None:
    world = made_world(200)
    bought = np.zeros((200, len(MODELS)), dtype=np.bool_)
    bought[:50] = True
    bought[1:50, MODELS.index("cheap")] = False  # it answered once, then it was gone
    rivals = hull_rivals(world.ground(bought), np.random.default_rng(0))
    assert {MODELS[m] for m in rivals} == {"good", "poor"}
    nothing = np.zeros_like(bought)  # the judge told nothing of anybody
    with pytest.raises(UsageError, match="no prompt of stage 0 has a graded answer of every candidate"):
        hull_rivals(world.ground(nothing), np.random.default_rng(0))


DOLLARS = [16.0, 15.0, 8.0, 4.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("quality", "rivals"),
    [
        # Four beside the reference are on the hull: three at most.
        ([[1.0, 0.2, 0.9, 0.7, 0.4, 0.1]] * 5, (2, 3, 4)),
        # Only the cheapest is: two at least.
        ([[1.0, 0.2, 0.1, 0.1, 0.1, 0.1]] * 5, (5, 1)),
        # The fourth is where neither of its wrong answers is drawn, in 8 % of the resamples: too seldom for a third.
        ([[1.0, 0.2, 0.9, 0.5, 0.1, 0.1]] * 3 + [[1.0, 0.2, 0.9, 0.0, 0.1, 0.1]] * 2, (2, 5)),
    ],
)
def test_two_rivals_are_asked_and_a_third_where_it_may_stand_on_the_hull(
    quality: list[list[float]], rivals: tuple[int, ...]
) -> None:
    # Beside five prompts that all have answered, four that two have not and one held out tell of others.
    turned = [1.0, 1.0, 0.0, 0.0, np.nan, np.nan]
    shape, is_first = (10, 6), np.arange(10)[:, None] == 0
    grades = np.array([*quality, *[turned] * 4, np.nan_to_num(turned)])
    forecast = np.where(is_first, DOLLARS, DOLLARS[::-1])  # which counts where nobody told what it cost
    told = np.where(is_first, np.nan, np.tile(DOLLARS, (10, 1)))
    queries = tuple(Query(f"q{i}", "?") for i in range(10))
    panel = Panel(queries, tuple("abcdef"), grades, told, told, told, told, np.ones(shape), ("train",) * 9 + ("test",))
    known = made_world(10).ground(bought(made_world(10), 10))
    ground = replace(known, panel=panel, answer_usd=forecast, grading_usd=np.zeros(shape))
    assert hull_rivals(ground, np.random.default_rng(0)) == rivals


def resampled_sd(router: Router, promise: float) -> float:
    """What `saving_sd_of` says to first order: the standard deviation of the saving of resampled rows, for one row."""
    crossfit, curve = router.crossfit, router.dial_curve()
    predicted, quality = router.cost_usd(crossfit.estimates), crossfit.quality_values()
    dollars = doubly_robust(predicted, router.observed_cost_usd(), crossfit.observed.weight)
    reference, here = router.models.index(router.anchors.reference), np.arange(len(predicted))
    seconds, order = crossfit.estimates.latency_s, name_order(router.models)
    chosen = [
        choose(losses(crossfit.estimates.quality, predicted, seconds, TradeOff(mu), router.anchors), predicted, order)
        for mu in curve.mu.tolist()
    ]
    paid, got = dollars[here, np.array(chosen)], quality[here, np.array(chosen)]
    rng, savings = np.random.default_rng(0), []
    for _ in range(300):
        weight = rng.multinomial(len(here), np.full(len(here), 1.0 / len(here))) / len(here)
        hull = upper_hull(paid @ weight, got @ weight)
        wanted = min(promise * float(weight @ quality[:, reference]), hull.quality[-1])
        savings.append(1.0 - hull.cost_at(wanted) / float(weight @ dollars[:, reference]))
    return float(np.std(savings)) * math.sqrt(len(here))


def test_later_stages_buy_what_can_change_a_decision_and_hold_out_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    world = made_world(900, held_out=True)
    routers: list[Router] = []

    def heard(router: Router, promise: float) -> float:
        routers.append(router)
        return saving_sd_of(router, promise)

    monkeypatch.setattr(chosen, "saving_sd_of", heard)
    ground = replace(world.ground(bought(world, 50, paired=150)), grading_usd=np.full(world.quality.shape, 1e-4))
    draft = draft_stage(ground, 2, 0.8, np.random.default_rng(0))
    split = np.array([prompt.split for prompt in world.prompts])[draft.row]
    assert MODELS.index("poor") not in draft.live
    assert 0.7 < draft.expected_usd.sum() <= 0.85
    held_out = draft.row[split != "train"]
    counts = np.unique(held_out, return_counts=True)[1]
    assert (counts == len({*draft.live, 0})).all(), "hold-out prompts are asked of everybody in play and the reference"
    assert 0.15 < draft.expected_usd[split != "train"].sum() / draft.expected_usd.sum() < 0.3
    assert (draft.propensity[split != "train"] == 1.0).all()
    assert draft.saving_sd is not None
    (router,) = routers  # the promise is met where the curve is steep, so that first order is far from the whole
    by_lot = np.flatnonzero(split == "train")
    queries = [ground.panel.queries[row] for row in draft.row[by_lot].tolist()]
    columns = [router.models.index(MODELS[m]) for m in draft.column[by_lot].tolist()]
    answers = router.cost_usd(router.estimate(router.features(queries)))[np.arange(len(queries)), columns]
    assert draft.expected_usd[by_lot] == pytest.approx(answers + 1e-4)
    assert 1.0 / 1.7 < draft.saving_sd / resampled_sd(router, 0.97) < 1.7
    assert saving_sd_of(router, 0.85) == pytest.approx(resampled_sd(router, 0.85), rel=0.15)


@pytest.fixture(scope="module")
def varied() -> Router:
    """Of answers whose dollars differ as much as their quality, the reference's too."""
    settings = FitSettings(embedder="base", predictor="group", learning_curve=False)
    return fit(make_panel(300), PriceBook.loads(PRICES), settings)


def test_what_a_prompt_adds_to_the_saving_is_what_resamples_say_where_its_dollars_differ_too(varied: Router) -> None:
    for promise in (0.85, 0.9):
        assert saving_sd_of(varied, promise) == pytest.approx(resampled_sd(varied, promise), rel=0.15)
    curve = varied.dial_curve()
    for promise in (0.85, 0.9):
        wanted = [curve.mu[cheapest_keeping(curve, promise + step)] for step in (-0.02, 0.0, 0.02)]
        assert trade_offs_near(varied, promise).tolist() == wanted
    free = PRICES.replace("= 10.0", "= 0.0").replace("= 30.0", "= 0.0")
    settings = FitSettings(embedder="base", predictor="constant", learning_curve=False)
    assert saving_sd_of(fit(make_panel(40), PriceBook.loads(free), settings), 0.9) == 3.0  # there is nothing to save


def test_a_unit_of_quality_costs_what_it_does_along_the_hull_and_at_its_end() -> None:
    curve = DialCurve(np.array([0.0, 0.5, 1.0]), np.array([1.0, 0.9, 0.8]), np.array([1.0, 0.5, 0.4]), 0.9, 1.0)
    # Of quality .9 a point costs one below, and five above.
    assert [_slope(curve, share) for share in (0.95, 1.0, 1.05, 1.5)] == pytest.approx([1.0, 3.0, 5.0, 5.0])
    assert _slope(replace(curve, quality=np.zeros(3), reference_quality=0.0), 0.9) == 0.0


def test_a_promise_is_met_between_two_settings_where_none_meets_it_just_so() -> None:
    # Prompts say nothing: the dial asks "dear" of all or "cheap" of all. At "dear" the saving would be known, to be 0.
    curve = DialCurve(np.array([0.0, 0.5, 1.0]), np.array([1.0, 0.9, 0.9]), np.array([1.0, 0.1, 0.1]), 1.0, 1.0)
    assert mix_keeping(curve, 0.97) == [(1, pytest.approx(0.3)), (0, pytest.approx(0.7))]
    assert mix_keeping(curve, 0.5) == [(1, 1.0)]
    assert mix_keeping(curve, 1.2) == [(1, pytest.approx(0.0)), (0, pytest.approx(1.0))]


def test_choosing_labels_moves_no_weighted_mean_by_more_than_two_standard_errors() -> None:
    errors, naive = [], []
    for seed in range(8):
        world = made_world(700, seed)
        cells = bought(world, 50, paired=100)
        draft = draft_stage(world.ground(cells), 2, 0.4, np.random.default_rng(seed))
        propensity = np.ones(cells.shape)
        drawn = np.zeros_like(cells)
        drawn[draft.row, draft.column] = True
        propensity[draft.row, draft.column] = draft.propensity
        panel = world.panel(cells | drawn, propensity)
        means, sd = weighted_means(panel.quality, 1.0 / propensity)
        errors.append((means - world.quality.mean(axis=0)) / sd)
        naive.append(np.nanmean(panel.quality, axis=0) - world.quality.mean(axis=0))
    of_mean = np.mean(errors, axis=0) * np.sqrt(len(errors))
    assert (np.abs(of_mean) < 2.0).all()
    # The test can fail: without the weights the candidate that is asked where it is needed looks worse than it is.
    assert (np.abs(np.mean(naive, axis=0)) / np.std(naive, axis=0) * np.sqrt(len(naive))).max() > 2.0


def test_prompts_that_are_used_up_and_dollars_that_buy_nothing_are_said() -> None:
    world = made_world(60)
    everything = np.ones_like(bought(world, 60))
    with pytest.raises(UsageError, match="every prompt of this pilot was asked already"):
        draft_stage(world.ground(everything), 1, 1e9, np.random.default_rng(0))
    with pytest.raises(UsageError, match="the budget left buys 4 prompts of this stage, fewer than 10"):
        draft_stage(world.ground(bought(world, 0)), 0, 0.06, np.random.default_rng(0))


def test_once_every_training_prompt_was_asked_only_held_out_ones_are() -> None:
    world = made_world(200, held_out=True)
    split = np.array([prompt.split for prompt in world.prompts])
    is_train = split == "train"
    cells = bought(world, 0)
    cells[is_train] = True
    cells[is_train, 3] = np.arange(is_train.sum()) < 20  # "poor" was set aside early
    draft = draft_stage(world.ground(cells), 2, 1e9, np.random.default_rng(0))
    assert draft.kind == "held_out"
    assert set(draft.row.tolist()) == set(np.flatnonzero(~is_train).tolist())
    assert set(draft.column.tolist()) == set(draft.live) == {0, 1, 2}
    assert (draft.propensity == 1.0).all()
    assert draft.saving_sd is not None  # as sure as the answers say, and no less for buying none to learn from
    assert 0.1 < draft.saving_sd < 1.5
    few = np.array(is_train)  # too few to learn from: nothing is known but the assumption
    few[np.flatnonzero(is_train)[9:]] = False
    unknown = replace(world.ground(cells), panel=world.panel(cells & few[:, None]))
    assert draft_stage(unknown, 2, 1e9, np.random.default_rng(0)).saving_sd is None
    calibrated = cells | (split == "calibration")[:, None]
    left = draft_stage(world.ground(calibrated), 2, 1e9, np.random.default_rng(0))
    assert set(left.row.tolist()) == set(np.flatnonzero(split == "test").tolist())
    free = replace(world.ground(cells), answer_usd=np.zeros(cells.shape))
    assert len(draft_stage(free, 2, 1e-5, np.random.default_rng(0)).row) == 3 * (~is_train).sum()
    for asked in (cells, bought(world, 50)):
        with pytest.raises(UsageError, match="the budget left does not buy one more prompt"):
            draft_stage(world.ground(asked), 2, 1e-5, np.random.default_rng(0))
    for asked in (cells, bought(world, 50)):  # nothing of the reference could be graded: no budget helps
        asked[:, 0] = False
        with pytest.raises(UsageError, match='the reference "dear" has no graded answer'):
            draft_stage(world.ground(asked), 2, 1e9, np.random.default_rng(0))


@pytest.fixture
def setup(tmp_path: Path) -> PilotSetup:
    return read_setup(write_config(tmp_path), {})


def planned(world: World, setup: PilotSetup, pairs: list[Pair], budget_usd: float, seed: int = 0) -> Planned:
    records = world.records(pairs)
    history = History(pairs, records, Standing.of(records).spent_usd)
    stage = 1 + max((pair.stage for pair in pairs), default=-1)
    return plan_stage(
        world.prompts, setup, history, stage=stage, reference=None, budget_usd=budget_usd, seed=seed, at=0.0
    )[0]


def test_stages_follow_each_other_inside_the_budget_until_it_is_spent(setup: PilotSetup) -> None:
    world = made_world(500, held_out=True)
    pairs: list[Pair] = []
    kinds = []
    for stage in range(3):
        spent = Standing.of(world.records(pairs)).spent_usd
        if stage == 1:
            with pytest.raises(UsageError, match="the budget left"):
                planned(world, setup, pairs, budget_usd=spent + 1e-5)
            with pytest.raises(UsageError, match="the budget is spent"):
                planned(world, setup, pairs, budget_usd=spent)
        found = planned(world, setup, pairs, budget_usd=3.0)
        assert found.stage.expected_usd <= found.stage.high_usd <= 3.0 - spent
        assert not {pair.key for pair in found.pairs} & {pair.key for pair in pairs}
        pairs += found.pairs
        kinds.append(found.stage.kind)
        assert_every_chance_is_written_down(world, found)
    assert kinds == ["all", "paired", "chosen"]


def test_the_next_stage_is_chosen_on_grades_as_people_have_corrected_them() -> None:
    world = made_world(60)
    pairs = [Pair(prompt.query_id, model) for prompt in world.prompts for model in MODELS]
    records = world.records(pairs)
    # By the people, "good" is never right: the metric likes how it sounds.
    labels = [Labelled(p.query_id, "good", 2.0, 0.0, "eva", label_propensity=0.5) for p in world.prompts[::2]]
    column = MODELS.index("good")
    as_graded = full_panel(world.prompts, MODELS, records).quality[:, column]
    assert as_graded.mean() > 0.7
    corrected = full_panel(world.prompts, MODELS, [*records, *labels]).quality[:, column]
    assert corrected.mean() < 0.1


def assert_every_chance_is_written_down(world: World, found: Planned) -> None:
    split = {prompt.query_id: prompt.split for prompt in world.prompts}
    told = {pair.query_id: pair.passed_over for pair in found.pairs if pair.passed_over is not None}
    drawn: dict[str, set[str]] = {}
    for pair in found.pairs:
        drawn.setdefault(pair.query_id, set()).add(pair.model)
    assert told.keys() == drawn.keys()
    assert not {row.model for row in found.stage.candidates} & set(found.stage.set_aside)
    by_lot = {query_id for query_id, chances in told.items() if chances}
    assert bool(by_lot) == (found.stage.kind == "chosen")
    for query_id in by_lot:
        assert split[query_id] == "train"
        assert not drawn[query_id] & told[query_id].keys()
        assert drawn[query_id] | told[query_id].keys() == set(MODELS) - set(found.stage.set_aside)
        assert all(0.25 <= chance < 1.0 for chance in told[query_id].values())


def test_the_forecast_narrows_as_answers_come_and_the_same_seed_plans_the_same(setup: PilotSetup) -> None:
    world = made_world(400)
    first = planned(world, setup, [], 100.0)
    second = planned(world, setup, list(first.pairs), 100.0)
    assert first == planned(world, setup, [], 100.0)
    assert first.pairs != planned(world, setup, [], 100.0, seed=1).pairs
    ratios = [found.stage.high_usd / found.stage.low_usd for found in (first, second)]
    assert ratios[0] > 9.0
    assert ratios[1] < 2.0
    dear = next(row for row in second.stage.candidates if row.model == "dear")
    assert (dear.answers, round(dear.output_tokens)) == (60 - 10, 300) or abs(dear.output_tokens - 300) < 15
    assert second.stage.set_aside == ("poor",)


@pytest.mark.parametrize("tokens", [4, 40, 2000])
def test_the_forecast_of_the_next_answers_covers_what_they_take(tokens: int) -> None:
    """Fifty answers of one word forecast three times what the next ones took, far outside of the 95 % interval."""
    text = np.full(100, 26.0)
    panel = made_panel(100, tokens, np.random.default_rng(tokens))
    lengths = expect_lengths(text, (Candidate("a"),), panel)
    expected, sd = lengths.output_tokens[0, 0], math.hypot(lengths.output_log_sd[0], ANSWER_LOG_SD / math.sqrt(50))
    assert abs(math.log(expected / tokens)) < 1.96 * sd
    assert sd < 0.2


def made_panel(n: int, tokens: int, rng: np.random.Generator) -> Panel:
    """Answers to the first half of n prompts, so long in the mean."""
    said = np.full((n, 1), np.nan)
    drawn = rng.lognormal(0.0, ANSWER_LOG_SD, n // 2)
    said[: n // 2, 0] = tokens * drawn / drawn.mean()
    queries = tuple(Query(f"q{i}", "?") for i in range(n))
    return Panel(queries, ("a",), said, said, said, said, said, np.ones((n, 1)))
