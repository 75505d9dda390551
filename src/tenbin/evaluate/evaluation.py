"""Evaluate a router on unseen outcomes: from prompts to decisions, from decisions to figures, to a verdict in words."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from tenbin.errors import UsageError
from tenbin.evaluate.baselines import ORACLE_NOTE, Arena, TrainedBaselines, contenders, room_note
from tenbin.evaluate.calibration import calibration_of
from tenbin.evaluate.comparison import (
    ZERO_TEST,
    ZERO_TRAIN,
    curve_of,
    difference_of,
    no_harm_of,
    savings_of,
    shown_of,
    singles_of,
    summary_of,
)
from tenbin.evaluate.curve import Contender
from tenbin.evaluate.evidence import evidence_of, quality_at_best
from tenbin.evaluate.intervals import LEVEL
from tenbin.evaluate.learning import learning_points
from tenbin.evaluate.operating_points import Setting, contend, operating_points, settings_of
from tenbin.evaluate.oracle import measured_head_room
from tenbin.evaluate.payback import payback_of
from tenbin.evaluate.permutation import chance_of
from tenbin.evaluate.prospects import Prospects
from tenbin.evaluate.result import (
    ROUTER,
    Calibration,
    Curve,
    DataSummary,
    Evaluation,
    OperatingPoint,
    Payback,
)
from tenbin.evaluate.sample import Sample, draw_sample
from tenbin.evaluate.subject import Subject, price_recorded, price_tokens, trained_baselines
from tenbin.evaluate.training import Training
from tenbin.evaluate.trial import POINTS, SINGLES, Ground, Trial, run_trial
from tenbin.evaluate.verdict import verdict_of
from tenbin.outcomes.identity import prompt_key
from tenbin.risk import mu_grid
from tenbin.router.crossfit import DIAL_POINTS, column_means
from tenbin.router.training_rows import check_values
from tenbin.types import UNKNOWN, Estimates, Features, Figure, Floats, Panel, Progress, silent


@dataclass(frozen=True, slots=True)
class Case:
    """The unseen rows with what the router expects of them (all rows), the ground of the complete ones; training.

    `trained` is what the baselines learnt there, for the complete rows.
    """

    router: Subject
    sample: Sample
    features: Features
    estimates: Estimates
    cost_usd: Floats
    ground: Ground
    arena: Arena
    training: Training
    trained: TrainedBaselines


def evaluate(
    router: Subject,
    panel: Panel,
    *,
    mus: int = DIAL_POINTS,
    resamples: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """What the router does on the rows of `panel` with split "test" (all rows where there is no split).

    Prompts seen in training are dropped; decisions are made from prompts alone; dollars and seconds are the realised
    ones. `mus` points of the dial, `resamples` bootstrap samples. Metrics: docs/explanation/metrics.md. Raises
    EvaluationError where nothing is left or a model has no outcomes, DataError for figures that cannot be, UsageError
    for a sweep or bootstrap too small.
    """
    if resamples < 2:
        raise UsageError(f"{resamples} resamples give no interval", fix="ask for 2 or more; 1000 are usual")
    report = progress or silent
    case = _prepare(router, panel, mus, report)
    rivals = contenders(
        case.arena, case.trained, case.ground.quality, case.ground.cost_usd, lambda done: report("decisions", done)
    )
    settings = settings_of(router.dial_curve())
    points = contend(settings, case.arena)
    trial = run_trial(
        case.ground, rivals, points, resamples=resamples, seed=seed, tick=lambda done: report("intervals", done)
    )
    return _assemble(case, trial, rivals, settings, points, seed)


def _prepare(router: Subject, panel: Panel, mus: int, report: Progress) -> Case:
    check_values(panel)
    grid = mu_grid(mus)
    sample = draw_sample(panel, router.models, router.seen, prompt_key, price_tokens(router), price_recorded(router))
    report("estimates", 0.0)
    features = router.features(sample.panel.queries)
    estimates = router.estimate(features)
    cost = router.cost_usd(estimates)
    report("estimates", 1.0)
    rows = sample.complete
    ground = Ground(
        quality=sample.panel.quality[rows],
        cost_usd=sample.cost_usd[rows],
        latency_s=sample.panel.latency_s[rows],
        weight=sample.weight[rows],
        cluster=np.unique(sample.cluster[rows], return_inverse=True)[1].reshape(-1).astype(np.int64),
    )
    arena = Arena(router.models, router.anchors, grid, estimates.take(rows), cost[rows], ground.weight)
    trained = trained_baselines(router, features.take(rows))
    return Case(router, sample, features, estimates, cost, ground, arena, Training.of(router), trained)


def _assemble(
    case: Case, trial: Trial, rivals: tuple[Contender, ...], settings: tuple[Setting, ...], points: Contender, seed: int
) -> Evaluation:
    router, scale = case.router, trial.scales[0]
    reference = router.models.index(router.anchors.reference)
    realised = operating_points(trial, settings, points, case.ground, case.arena, case.training)
    differences = {rival.name: difference_of(trial, rival.name) for rival in rivals if rival.name != ROUTER}
    chance = chance_of(rivals[0], case.ground, scale, seed=seed)
    room = _head_room(case, reference, seed)
    at_best = quality_at_best(trial, points, case.ground, case.arena, seed=seed)
    evidence = evidence_of(trial, differences[ZERO_TEST], realised, case.sample, router, case.trained, chance, at_best)
    verdict = verdict_of(evidence)
    return Evaluation(
        models=router.models,
        reference=router.anchors.reference,
        best_single=router.models[scale.best],
        cost_range_usd=(scale.low_usd, scale.high_usd),
        level=LEVEL,
        resamples=len(trial.means) - 1,
        seed=seed,
        data=_data(case),
        singles=singles_of(
            trial,
            router.models,
            np.mean(~np.isnan(case.sample.panel.quality), axis=0),
            case.ground.variance_share,
        ),
        curves=tuple(_curve(case, trial, rival, reference) for rival in rivals),
        summaries=tuple(summary_of(trial, rival.name) for rival in rivals),
        differences=tuple(differences.values()),
        savings=savings_of(trial),
        no_harm=no_harm_of(differences[ZERO_TRAIN]),
        calibration=_calibration(case),
        operating_points=realised,
        learning_curve=learning_points(router.learning_curve),
        payback=_payback(router, trial, realised, reference, verdict.asked_ratio),
        oracle_note=ORACLE_NOTE if math.isnan(room.value) else room_note(room),
        verdict=verdict,
        notes=case.sample.notes,
        head_room=room,
    )


def _curve(case: Case, trial: Trial, rival: Contender, reference: int) -> Curve:
    """A contender's curve; of the router's own, which is promised, those next in line and training are known."""
    arena, shown = case.arena, shown_of(rival)
    mus, choices = rival.mus[shown], rival.choices[shown]
    if rival.name != ROUTER:
        return curve_of(trial, rival, case.ground, reference, Prospects(arena.estimates.quality, choices))
    prospects = Prospects.along(arena.estimates, arena.cost_usd, arena.anchors, mus, choices, reference)
    return curve_of(
        trial, rival, case.ground, reference, prospects, case.training.tails(mus, case.ground.variance_share)
    )


def _head_room(case: Case, reference: int, seed: int) -> Figure:
    """As far as the table says how noisy its labels are: each model's mean noise over the complete rows."""
    noise_sd = case.sample.panel.label_noise_sd
    if noise_sd is None:
        return UNKNOWN
    variance = column_means(noise_sd[case.sample.complete] ** 2, np.ones_like(case.ground.quality))
    return measured_head_room(case.ground, variance, reference, seed=seed)


def _data(case: Case) -> DataSummary:
    sample = case.sample
    complete = np.flatnonzero(sample.complete).tolist()
    groups = Counter(sample.panel.queries[i].group or "" for i in complete)
    return DataSummary(
        n_rows=sample.n_rows,
        n_other_split=sample.n_other_split,
        n_seen_dropped=sample.n_seen_dropped,
        n_incomplete=sample.n_incomplete,
        n_test=len(complete),
        n_clusters=int(np.unique(case.ground.cluster).size),
        n_train=case.router.manifest.n_train,
        groups=tuple(sorted(groups.items(), key=lambda item: (-item[1], item[0]))) if set(groups) != {""} else (),
        data_hash=sample.panel.data_hash,
        cost_source=sample.cost_source,
        weighted=bool(np.any(case.ground.weight != case.ground.weight[0])),
        versions=dict(case.router.versions()),
    )


def _calibration(case: Case) -> Calibration:
    panel, estimates = case.sample.panel, case.estimates
    return calibration_of(
        panel.models,
        panel.label_weight,
        quality=(estimates.quality, panel.quality),
        input_tokens=(estimates.input_tokens, panel.input_tokens),
        output_tokens=(estimates.output_tokens, panel.output_tokens),
        cost_usd=(case.cost_usd, case.sample.cost_usd),
        latency_s=(estimates.latency_s, panel.latency_s),
    )


def _payback(
    router: Subject, trial: Trial, points: tuple[OperatingPoint, ...], reference: int, ratio: float
) -> Payback:
    """At the promise that the verdict speaks of, or at mu 0 where training could not keep it (its point is there)."""
    wanted = [p.kind == "min_quality" and p.target == ratio for p in points].index(True)
    routed = trial.means.of(f"{POINTS} cost")[:, wanted]
    asked = trial.means.of(f"{SINGLES} cost")[:, reference]
    return payback_of(router.manifest.label_cost_usd, ratio, routed, asked)
