"""From a router to its certificate: what holds, what voids it, and one clear sentence for each edge."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tenbin.certify.certificate import Certificate, NextStep
from tenbin.certify.certify import _next_step, certify
from tenbin.certify.pairs import Pairs
from tenbin.certify.path import Path as Settings
from tenbin.certify.path import decide, draw_path
from tenbin.cli.certify_text import certificate_text
from tenbin.errors import ArtifactError, DecisionError, EvaluationError, UsageError
from tenbin.prices import PriceBook
from tenbin.risk import choose, losses
from tenbin.router.calibrate import calibrate
from tenbin.router.calibration import Calibration
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router
from tenbin.types import Floats, Panel, TradeOff
from tests.router.made import PRICES, make_panel

SETTINGS = FitSettings(embedder="base", groups=False, learning_curve=False)
PLAIN = replace(SETTINGS, predictor="constant")


def split_panel(n_train: int = 300, n_calibration: int = 600) -> Panel:
    panel = make_panel(n_train + n_calibration)
    return replace(panel, split=("train",) * n_train + ("calibration",) * n_calibration)


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Router:
    """Saved, as certificates name the artifact by what it is on the disk."""
    made = fit(split_panel(), PriceBook.loads(PRICES), SETTINGS)
    made.save(tmp_path_factory.mktemp("router") / "r")
    return made


@pytest.fixture(scope="module")
def certified(router: Router) -> Certificate:
    return certify(router, 0.9)


def with_rows(router: Router, panel: Panel) -> Router:
    """The same router resting on other calibration rows."""
    other = Router(router.manifest, router._encoder, router._estimator, router._parts, router.prices, "", None, None)
    other.take_calibration(calibrate(router, replace(panel, split=None)))
    return other


def test_a_setting_is_proved_and_says_what_it_rests_on(router: Router, certified: Certificate) -> None:
    found = certified
    assert found.finding == "certified"
    assert found.trade_off.mu > 0.0
    assert found.allow == router.models
    assert found.quality.value >= 0.9
    assert found.saving.low < found.saving.value < found.saving.high
    assert found.saving.value > 0.3
    assert found.n_prompts == found.n_pairs == 600
    assert set(found.versions) == {"tenbin", "artifact", "prices", "calibration"}
    assert (found.min_quality, found.alpha, found.reference, found.group, found.groups) == (
        0.9,
        0.05,
        "large",
        None,
        (),
    )


def test_all_but_mu_of_a_trade_off_is_held(router: Router) -> None:
    careful = certify(router, 0.9, trade_off=TradeOff(0.9, caution=0.5))
    assert (careful.step > 0, careful.trade_off.caution) == (True, 0.5)
    assert certify(router, 1.0, alpha=1e-9, trade_off=TradeOff(0.9, caution=0.5)).trade_off == TradeOff(
        0.0, caution=0.5
    )


def test_stakes_are_settled_by_training_rows_and_not_by_the_labels_that_they_are_on(router: Router) -> None:
    """Thirty answers as good as the reference's would prove every setting, had one known of them beforehand."""
    rows = split_panel().take(np.arange(300, 330))
    found = certify(with_rows(router, replace(rows, quality=np.ones((30, 3)))), 0.9)
    assert 0 < found.step < found.n_steps


def test_more_quality_is_proved_at_no_larger_mu_and_less_chance_of_error_too(
    router: Router, certified: Certificate
) -> None:
    proved = [certify(router, 0.8), certified, *(certify(router, share) for share in (0.97, 1.0))]
    mus = [found.trade_off.mu for found in proved]
    assert mus == sorted(mus, reverse=True)
    assert certify(router, 0.9, alpha=0.001).step <= certified.step


def test_the_next_step_saves_what_it_would_have_saved_on_the_same_prompts(router: Router) -> None:
    step = certify(router, 0.97).next_step
    assert step is not None
    assert router.calibration is not None
    ground = router.calibration.ground
    cost = router.cost_usd(ground.estimates)
    loss = losses(ground.estimates.quality, cost, ground.estimates.latency_s, TradeOff(step.mu), router.anchors)
    spent = router.observed_cost_usd(ground.observed)
    routed = spent[np.arange(len(spent)), choose(loss, cost, router.rank)]
    usual = spent[:, router.models.index(router.manifest.reference)]
    assert step.saving == pytest.approx(1.0 - routed.sum() / usual.sum())


def test_the_next_step_is_one_that_saves_something(router: Router) -> None:
    """Of prompts that the first setting leaves with the reference it was named all the same: it would save 0.0 %."""
    kept = router.calibration
    assert kept is not None
    allowed = np.ones(len(router.models), dtype=np.bool_)
    first = draw_path(router, router.crossfit, TradeOff(0.0), allowed).trade_offs[0]
    chosen = decide(router, kept.ground, TradeOff(0.0), allowed, np.array([first.mu]))[0]
    rows = np.flatnonzero(chosen == router.models.index("large"))[:10]
    few = with_rows(router, split_panel())
    keys, groups = (tuple(names[i] for i in rows) for names in (kept.keys, kept.groups))
    few.take_calibration(Calibration(kept.ground.take(rows), keys, groups))
    found = certify(few, 0.97)
    assert (found.step, found.saving.value) == (0, 0.0)
    assert found.next_step is not None
    assert found.next_step.mu > first.mu
    assert found.next_step.saving > 0.0
    assert found.next_step.n_labels is None or found.next_step.n_labels > 10
    assert "no further setting would save more on these prompts" in certificate_text(replace(found, next_step=None))


def next_step(own: Floats, training: Floats | None = None, cheapest: float = 0.1) -> NextStep | None:
    """Of three settings that save .5, .5 and all but `cheapest`, the first being proved; `own` are their values."""
    shape = (len(own), 4)
    dollars = np.broadcast_to([1.0, 0.5, 0.5, cheapest], shape)
    values = np.column_stack([np.full(len(own), 0.05), own])
    pairs = Pairs(values, np.ones(shape), dollars, np.ones(shape), np.ones(shape), ("",) * len(own), 1.0)
    path = Settings(tuple(TradeOff(mu) for mu in (0.2, 0.4, 0.6)), 1.0 - dollars[0, 1:], None, None)  # type: ignore[arg-type]
    return _next_step(path, pairs, np.full((1, 3), np.nan) if training is None else training, 1, 0.95, 0.05)


def test_the_labels_that_a_next_step_takes_worked_by_hand() -> None:
    """Those of the most demanding setting up to the first that saves more, by calibration and training together."""
    sure, close, closer = np.ones(100), np.tile([1.0, -0.7], 50), np.tile([1.0, -0.8], 50)
    errors = 1.6448536 + 0.8416212  # of a test at 5 % that sees four in five
    needed = [math.ceil((errors * spread / mean) ** 2) for mean, spread in ((0.15, 0.85), (0.1, 0.9))]
    assert needed == [199, 501]
    assert next_step(np.column_stack([sure, closer, close])) == NextStep(0.6, pytest.approx(0.9), 501)
    assert next_step(np.column_stack([sure, sure, close])) == NextStep(0.6, pytest.approx(0.9), 199)
    assert next_step(np.column_stack([-sure, sure, sure])) == NextStep(
        0.6, pytest.approx(0.9), 101
    )  # one more than seen
    worse = np.column_stack([sure, -sure, sure])
    assert next_step(worse) == NextStep(0.6, pytest.approx(0.9), None)
    assert next_step(np.column_stack([sure, closer - 0.1, sure])) == NextStep(0.6, pytest.approx(0.9), None)
    assert next_step(np.column_stack([sure, close, sure]), worse) == NextStep(0.6, pytest.approx(0.9), None)
    assert next_step(np.column_stack([sure, sure, sure]), cheapest=0.4996) is None  # too little to be told


def test_the_order_of_the_rows_does_not_matter(router: Router) -> None:
    panel = split_panel().take(np.arange(300, 900))
    order = np.random.default_rng(0).permutation(600)
    one, other = (certify(with_rows(router, rows), 0.9) for rows in (panel, panel.take(order)))
    assert (one.step, one.trade_off) == (other.step, other.trade_off)
    assert one.saving.value == pytest.approx(other.saving.value)


def test_it_is_the_same_after_saving_and_loading_and_void_after_another_fit(
    router: Router, certified: Certificate, tmp_path: Path
) -> None:
    router.save(tmp_path / "r")
    assert certify(Router.load(tmp_path / "r"), 0.9) == certified
    other = fit(split_panel(n_train=290), PriceBook.loads(PRICES), PLAIN)
    other.save(tmp_path / "other")
    kept = (tmp_path / "other" / "calibration.npz").read_bytes()
    with pytest.raises(ArtifactError, match="was replaced meanwhile"):  # by a fit that ended while this certified
        router.save_calibration(tmp_path / "other")
    assert (tmp_path / "other" / "calibration.npz").read_bytes() == kept
    (tmp_path / "other" / "calibration.npz").write_bytes((tmp_path / "r" / "calibration.npz").read_bytes())
    with pytest.raises(ArtifactError, match="made for another fit or other candidates, so it is void"):
        certify(Router.load(tmp_path / "other"), 0.9)
    (tmp_path / "r" / "calibration.npz").write_bytes(b"nonsense")
    with pytest.raises(ArtifactError, match="is damaged"):
        certify(Router.load(tmp_path / "r"), 0.9)


def test_a_price_change_moves_the_certificate(router: Router, certified: Certificate, tmp_path: Path) -> None:
    router.save(tmp_path / "r")
    nearer = PriceBook.loads(PRICES.replace("10.0\n", "2.0\n").replace("30.0\n", "6.0\n"))
    before, after = certified, certify(Router.load(tmp_path / "r", nearer), 0.9)
    assert after.versions["prices"] != before.versions["prices"]
    assert after.versions["calibration"] == before.versions["calibration"]
    assert after.saving.value < before.saving.value


def test_groups_are_proved_together(router: Router) -> None:
    found = certify(router, 0.9, by_group=True)
    assert [one.group for one in found.groups] == ["easy", "hard"]
    assert all(one.n_prompts > 250 for one in found.groups)
    assert all(one.holds == (one.step >= found.step) for one in found.groups)
    assert certify(router, 0.9, group="easy").n_prompts == found.groups[0].n_prompts
    with pytest.raises(EvaluationError, match='no calibration row is of the group "none"'):
        certify(router, 0.9, group="none")


def test_rows_without_a_group_are_no_group(router: Router) -> None:
    panel = replace(split_panel().take(np.arange(300, 900)), split=None)
    bare = [replace(query, group=None) for query in panel.queries]
    some = replace(panel, queries=(*panel.queries[:300], *bare[300:]))
    assert [one.group for one in certify(with_rows(router, some), 0.9, by_group=True).groups] == ["easy", "hard"]
    with pytest.raises(EvaluationError, match="no calibration row has a group"):
        certify(with_rows(router, replace(panel, queries=tuple(bare))), 0.9, by_group=True)


def test_a_prompt_that_two_groups_ask_counts_in_both_by_what_each_of_them_saw(router: Router) -> None:
    panel = replace(split_panel().take(np.arange(300, 900)), split=None)
    twice = panel.take(np.tile(np.arange(600), 2))
    reference = router.models.index("large")
    quality = twice.quality.copy()
    quality[:600] = np.arange(3) == reference  # a group that only the reference serves well
    quality[600:] = np.arange(3) != reference  # and one with the same prompts that anybody else serves better
    queries = tuple(replace(query, group="bad" if i < 600 else "good") for i, query in enumerate(twice.queries))
    found = certify(with_rows(router, replace(twice, queries=queries, quality=quality)), 0.98, by_group=True)
    bad, good = found.groups
    assert (bad.group, bad.n_prompts, good.n_prompts) == ("bad", 600, 600)
    assert (bad.step, bad.mu) == (0, None)
    assert good.step > 0


def test_too_few_rows_leave_the_reference_alone_and_say_how_many_it_takes(router: Router) -> None:
    found = certify(with_rows(router, split_panel().take(np.arange(300, 310))), 0.99)
    assert found.finding == "too_few"
    assert found.allow == ("large",)
    assert found.saving.value == 0.0
    assert found.next_step is not None
    assert found.next_step.n_labels is None or found.next_step.n_labels > 10


def test_one_candidate_leaves_nothing_to_choose(router: Router) -> None:
    found = certify(router, 0.9, allow=["large"])
    assert (found.finding, found.step, found.allow) == ("no_choice", 0, ("large",))


def test_equal_candidates_are_certified_at_the_cheapest() -> None:
    panel = split_panel()
    same = replace(panel, quality=np.repeat(panel.quality[:, :1], 3, axis=1))
    fitted = fit(same, PriceBook.loads(PRICES), replace(PLAIN, reference="large"))
    found = certify(fitted, 0.95)
    assert found.step == found.n_steps
    assert found.saving.value > 0.9
    # A bettor wins a twentieth at most with each answer as good as the reference's, so 58 of them are needed.
    few = certify(with_rows(fitted, same.take(np.arange(300, 310))), 0.95).next_step
    assert few is not None
    assert few.n_labels is not None
    assert few.n_labels >= 58


def test_edges_end_in_one_clear_sentence(router: Router) -> None:
    with pytest.raises(UsageError, match="a certificate starts from the reference itself"):
        certify(router, 1.01)
    with pytest.raises(UsageError, match="is no share"):
        certify(router, 0.0)
    for alpha in (0.0, 0.51):
        with pytest.raises(UsageError, match=f"alpha = {alpha} is no chance of being wrong"):
            certify(router, 0.9, alpha=alpha)
    with pytest.raises(DecisionError, match='the reference "large" may not answer here'):
        certify(router, 0.9, deny=["large"])
    unlabelled = split_panel().take(np.arange(300, 900))
    unlabelled = replace(unlabelled, quality=np.where([True, False, False], unlabelled.quality, np.nan))
    with pytest.raises(EvaluationError, match="has the quality of both the reference and what would be chosen"):
        certify(with_rows(router, unlabelled), 0.9)
    with pytest.raises(EvaluationError, match="no calibration rows to certify on"):
        certify(with_rows(router, split_panel().take(np.arange(300))), 0.9)  # all seen in training


def test_a_fit_without_a_calibration_split_keeps_none() -> None:
    assert fit(make_panel(60), PriceBook.loads(PRICES), PLAIN).calibration is None
