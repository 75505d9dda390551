from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tenbin.errors import UsageError
from tenbin.evaluate.evaluation import evaluate
from tenbin.online.onboard import Onboarding, add_model, suggest
from tenbin.prices import PriceBook
from tenbin.router.dials import Dial
from tenbin.router.gap import gap_sd, residual_correlation
from tenbin.router.pool import without_candidate
from tenbin.router.router import Router
from tenbin.types import Candidate, Panel, TradeOff
from tests.router.made import make_panel

FRESH = PriceBook.loads("[models.fresh]\ninput_usd_per_mtok = 0.2\noutput_usd_per_mtok = 0.6\n")
ODDS = (0.0, 0.3, 0.9)


def answers(panel: Panel, chance: float, seed: int = 5) -> Panel:
    """The same prompts answered by "fresh" alone, half as talkative again as the first model."""
    n = len(panel)
    cells = {
        "quality": (np.random.default_rng(seed).random((n, 1)) < chance).astype(float),
        "output_tokens": 1.5 * panel.output_tokens[:, :1],
        **{name: getattr(panel, name)[:, :1] for name in ("input_tokens", "cost_usd", "latency_s", "label_propensity")},
    }
    return replace(panel, models=("fresh",), split=None, data_hash="fresh", **cells)


@pytest.fixture(scope="module")
def found(router: Router) -> Onboarding:
    panel = make_panel(latency=True)
    return add_model(
        router, answers(panel.take(suggest(router, panel.queries, 32).places), 0.9), Candidate("fresh"), FRESH
    )


def decided(router: Router, deny: str | None = None) -> list[str]:
    routing = router.route(
        make_panel(40, seed=9).queries, [TradeOff(mu) for mu in ODDS], deny=None if deny is None else [deny]
    )
    return [routing.models[m] for m in routing.chosen.ravel().tolist()]


def test_a_candidate_more_changes_nothing_for_the_others(router: Router, found: Onboarding) -> None:
    assert found.router.models == (*router.models, "fresh")
    assert found.router.anchors == router.anchors
    queries = make_panel(20, seed=9).queries
    before, after = (r.estimate(r.features(queries)) for r in (router, found.router))
    for name in ("quality", "quality_sd", "gap_sd", "input_tokens", "output_tokens", "latency_s"):
        assert np.array_equal(getattr(after, name)[:, :3], getattr(before, name)), name
    assert decided(found.router, deny="fresh") == decided(router)
    assert "fresh" in decided(found.router)


def test_however_few_the_rows_the_others_dollars_stay(router: Router, found: Onboarding) -> None:
    few, more = (
        r.changed(replace(r.manifest, n_labels=r.manifest.n_labels - 810), r.roster, {}, r.prices)
        for r in (router, found.router)
    )
    assert few.manifest.rows_of_fit == more.manifest.rows_of_fit == 30.0
    queries = make_panel(20, seed=9).queries
    before, after, back = (
        r.cost_usd(r.estimate(r.features(queries))) for r in (few, more, without_candidate(more, "fresh"))
    )
    assert not np.allclose(before, few.pricing.cost_usd(few.estimate(few.features(queries))))
    assert np.array_equal(after[:, :3], before)
    assert np.array_equal(back, before)


def test_the_changed_router_is_the_same_from_disk(found: Onboarding, tmp_path: Path) -> None:
    found.router.save(tmp_path / "r")
    again = Router.load(tmp_path / "r")
    assert decided(again) == decided(found.router)
    assert again.manifest == found.router.manifest
    assert again.manifest.changes[0].n_labels == 32
    assert again.turn(Dial(min_quality=0.95)) == found.router.turn(Dial(min_quality=0.95))
    assert "fresh" in again.card


def test_its_hash_is_another_and_the_old_one_has_no_trace_of_changes(router: Router, found: Onboarding) -> None:
    assert found.router.manifest.artifact_hash != router.manifest.artifact_hash
    assert "changes" not in router.manifest.dumps()
    assert found.router.learning_curve is None


def test_it_is_evaluated_like_any_other(found: Onboarding) -> None:
    panel = make_panel(120, seed=11, latency=True)
    new = answers(panel, 0.9, seed=6)
    cells = {
        name: np.hstack([getattr(panel, name), getattr(new, name)])
        for name in ("quality", "input_tokens", "output_tokens", "cost_usd", "latency_s", "label_propensity")
    }
    evaluation = evaluate(found.router, replace(panel, models=(*panel.models, "fresh"), **cells), mus=21, resamples=20)
    assert "fresh" in evaluation.models
    assert {summary.name for summary in evaluation.summaries} >= {"router", "z_train", "carrot_knn", "mean_cost"}


def test_prompts_it_was_labelled_on_count_as_seen(router: Router) -> None:
    strangers = make_panel(30, seed=21, latency=True)
    found = add_model(router, answers(strangers, 0.9), Candidate("fresh"), FRESH)
    assert found.n_known == 0
    assert len(found.router.seen) == len(router.seen) + 30
    assert found.router.seen_prompts.row_of() == router.seen_prompts.row_of()
    assert np.isnan(found.router.crossfit.observed.quality[:, 3]).all()
    assert np.isfinite(found.router.dial_curve().quality).all()


def test_to_retire_is_to_deny(router: Router, found: Onboarding, tmp_path: Path) -> None:
    without_candidate(found.router, "mid").save(tmp_path / "r")
    left = Router.load(tmp_path / "r")
    assert left.models == ("large", "small", "fresh")
    assert left.anchors == router.anchors
    assert decided(left) == decided(found.router, deny="mid")
    queries = make_panel(20, seed=9).queries
    before, after = (r.estimate(r.features(queries)) for r in (found.router, left))
    assert np.array_equal(after.quality, before.quality[:, [0, 2, 3]])
    assert np.array_equal(after.gap_sd, before.gap_sd[:, [0, 2, 3]])


def test_to_add_and_to_retire_leaves_what_was(router: Router, found: Onboarding) -> None:
    back = without_candidate(found.router, "fresh")
    assert back.models == router.models
    assert decided(back) == decided(router)
    assert [change.kind for change in back.manifest.changes] == ["added", "retired"]
    first, second = (r.dial_curve() for r in (router, back))
    assert second.quality == pytest.approx(first.quality)


def test_the_reference_retires_only_for_a_named_one_and_anchors_move(found: Onboarding) -> None:
    with pytest.raises(UsageError, match="--reference"):
        without_candidate(found.router, "large")
    left = without_candidate(found.router, "large", "mid")
    assert left.anchors.reference == left.manifest.reference == "mid"
    assert left.anchors.c_ref_usd == pytest.approx(float(np.nanmean(left.observed_cost_usd()[:, 0])), rel=1e-6)
    assert left.anchors.t_ref_s == pytest.approx(float(np.nanmean(left.crossfit.observed.latency_s[:, 0])), rel=1e-6)
    surprises = left.crossfit.observed.quality - left.crossfit.estimates.quality
    assert left.gap_correlation == pytest.approx(residual_correlation(surprises, 0))
    estimates = left.estimate(left.features(make_panel(5).queries))
    assert (estimates.gap_sd[:, 0] == 0.0).all()
    assert (estimates.gap_sd[:, 1:] > 0.0).all()


def test_a_newcomer_may_be_the_reference(found: Onboarding) -> None:
    left = without_candidate(found.router, "large", "fresh")
    assert left.anchors.reference == "fresh"
    assert left.anchors.c_ref_usd > 0.0
    assert left.dial_curve().reference_quality == pytest.approx(found.quality, abs=0.05)


def test_dials_are_read_off_gaps_to_the_new_reference(found: Onboarding) -> None:
    router = found.router
    heir = without_candidate(router, router.manifest.reference, reference="fresh")
    place = heir.models.index("fresh")
    estimates = heir.crossfit.estimates
    served = gap_sd(estimates.quality_sd, heir.roster.gap_correlation, place)
    assert estimates.gap_sd == pytest.approx(served, abs=1e-3)  # the crossfit is kept in float32
    assert heir.gap_correlation.tolist() == heir.roster.gap_correlation.tolist()  # of today's candidates
    assert not estimates.gap_sd[:, place].any()  # caution does not doubt the reference against itself


def test_nobody_else_can_retire(router: Router) -> None:
    with pytest.raises(UsageError, match='did you mean "small"'):
        without_candidate(router, "smal")
    with pytest.raises(UsageError, match="candidates left"):
        without_candidate(router, "small", "small")
    last = without_candidate(without_candidate(router, "small"), "mid")
    with pytest.raises(UsageError, match="last candidate"):
        without_candidate(last, "large")
    assert last.models == ("large",)
    assert decided(last) == ["large"] * 120
