"""The management view of a pilot: what was bought, what was found, at what pace, and what to do next."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tenbin.errors import DataError, EvaluationError
from tenbin.evaluate.evaluation import evaluate
from tenbin.evaluate.result import Evaluation, OperatingPoint, VerdictKind
from tenbin.evaluate.verdict import LEAST_TEST
from tenbin.pilot.believed import JudgeCheck, believed, check_judge
from tenbin.pilot.down import down_candidates
from tenbin.pilot.field import LEAST_PROMPTS, Field, columns, field_of, learn, unseen_estimates, worth_of
from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.going_live import GoingLive, going_live
from tenbin.pilot.head_room import HeadRoom, head_room_of
from tenbin.pilot.journal import read_journal
from tenbin.pilot.measure import (
    KEPT,
    PilotSaving,
    Single,
    at_target,
    contender_of,
    measure,
    savings_of,
    single_of,
    singles_of,
)
from tenbin.pilot.next_stage import next_stage, setup_today
from tenbin.pilot.pace import Pace, moments, pace_of, rivals_of
from tenbin.pilot.pair import Pair
from tenbin.pilot.plan.planner import GROWTH
from tenbin.pilot.plan.setup import PilotSetup
from tenbin.pilot.plan.stage import StagePlan
from tenbin.pilot.prices import book_at_hand
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import Record
from tenbin.pilot.repriced import repriced
from tenbin.pilot.results import Results, results_of
from tenbin.pilot.settings import PilotSettings
from tenbin.pilot.standing import Standing
from tenbin.pilot.tally import PilotTally, tally
from tenbin.pilot.verdict import PilotEvidence, Verdict, verdict_of
from tenbin.prices import PriceBook
from tenbin.router.router import Router
from tenbin.types import Figure, Panel, Progress, silent

RESAMPLES = 1000
FIRST_GROWTH = 1.0
"""What the second stage costs for each dollar of the first; the later ones as they are planned (`GROWTH`)."""
NO_ROOM = HeadRoom(None, "no_repeats", 0, 0)


@dataclass(frozen=True, slots=True)
class Proof:
    """What the hold-out says of the router of today: `n_prompts` complete test prompts that nothing was learnt from.

    `saving` and `quality_ratio` are against the reference at a dial set on training prompts: where `kind` is "route" at
    the one that this rests on, else at the target. `ratio` is the share of the reference's quality that was asked for
    (NaN: the best quality there is), `kept` whether that held. `sentences` by language are those of `tenbin evaluate`.
    """

    n_prompts: int
    saving: Figure
    quality_ratio: Figure
    ratio: float
    kept: bool
    kind: VerdictKind
    model: str | None
    sentences: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Payback:
    """After how many queries, and days of the user's traffic, everything spent so far has paid for itself.

    NaN where nothing is saved, or the traffic is not known.
    """

    spent_usd: float
    queries: Figure
    days: Figure


@dataclass(frozen=True, slots=True)
class Status:
    """One pilot as it stands; `metric` is the one that its grades are by, `other_metric` today's where it is another.

    `prompts` counts them by split, `asked` those with an answer. `n_measured` training prompts, of which all that was
    planned is bought, make the field for the candidates `in_play`; `aside` are the others with a label. `savings` are
    empty below 30 of these prompts, `singles` below 10. Where people labelled enough answers, all of it rests on grades
    corrected by them (`judge`); `is_judged` says that a model graded. `live` is where the router goes once it may.
    """

    name: str
    settings: PilotSettings
    metric: str
    other_metric: str | None
    prompts: Mapping[str, int]
    asked: int
    tally: PilotTally
    budget_left_usd: float
    in_play: tuple[str, ...]
    aside: tuple[str, ...]
    n_measured: int
    singles: tuple[Single, ...]
    savings: tuple[PilotSaving, ...]
    is_judged: bool
    judge: JudgeCheck
    head_room: HeadRoom
    pace: Pace
    next_stage: StagePlan | None
    proof: Proof | None
    payback: Payback | None
    verdict: Verdict
    live: GoingLive

    @property
    def saving(self) -> PilotSaving | None:
        """The saving at the target that pace, payback and verdict are about."""
        return at_target(self.savings)


@dataclass(frozen=True, slots=True)
class Found:
    """What the answers say, empty where they are too few."""

    field: Field | None = None
    router: Router | None = None
    singles: tuple[Single, ...] = ()
    savings: tuple[PilotSaving, ...] = ()
    pace: Pace = dataclasses.field(default_factory=lambda: Pace((), None))


def pilot_status(
    folder: PilotFolder, *, environ: Mapping[str, str] | None = None, progress: Progress = silent
) -> Status:
    """The status of a pilot from its folder (DataError where a file of it cannot be read).

    Learns a router from the training prompts, and one for each point of the pace; nothing is written. `environ` is for
    the pilot's configuration, from which the next stage is forecast.
    """
    settings, prompts, plan = folder.read_settings(), folder.read_prompts(), folder.read_plan()
    records = list(read_journal(folder))
    results, setup, book = results_of(prompts, records), setup_today(settings, environ or {}), book_at_hand(settings)
    counted = tally(settings.candidates, plan, records, results)
    left_usd = settings.budget_usd - counted.spent_usd
    progress("next stage", 0.0)
    following = None if counted.left or setup is None else next_stage(setup, settings, prompts, plan, records)
    next_usd = next_purchase_usd(counted, left_usd) if following is None else following.expected_usd
    progress("next stage", 1.0)
    panel = believed(repriced(results, book)).panel()
    found = _find(panel, records, settings, open_prompts(plan, records), book, next_usd, progress)
    proof = None if found.field is None or found.router is None else _prove(panel, found.field, found.router, progress)
    evidence = PilotEvidence(
        stage=counted.last_stage,
        left=counted.left,
        next_usd=next_usd,
        spent_usd=counted.spent_usd,
        budget_left_usd=left_usd,
        n_prompts=0 if found.field is None else len(found.field),
        singles=found.singles,
        saving=at_target(found.savings),
        reference_labels=_labels(panel, settings.reference),
        reference=single_of(found.singles, settings.reference),
        queries_per_day=settings.queries_per_day,
        proof=None if proof is None else proof.kind,
        proof_model=None if proof is None else proof.model,
        is_exhausted=_is_exhausted(prompts, plan),
    )
    return Status(
        name=folder.name,
        settings=settings,
        metric=results.metric or settings.metric_name,
        other_metric=_other_metric(results, setup),
        prompts=dict(sorted(Counter(prompt.split for prompt in prompts).items())),
        asked=len({query_id for query_id, _, _ in results.answers}),
        tally=counted,
        budget_left_usd=left_usd,
        in_play=() if found.field is None else found.field.panel.models,
        aside=results.models if found.field is None else found.field.aside,
        n_measured=evidence.n_prompts,
        singles=found.singles,
        savings=found.savings,
        is_judged=any(it.is_judged for it in results.answers.values()),
        judge=check_judge(results),
        head_room=NO_ROOM if found.field is None else head_room_of(results, found.field, seed=settings.seed),
        pace=found.pace,
        next_stage=following,
        proof=proof,
        payback=payback_of(counted.spent_usd, _paying(evidence), settings.queries_per_day),
        verdict=verdict_of(evidence),
        live=going_live(folder.name, setup),
    )


def _paying(evidence: PilotEvidence) -> PilotSaving | None:
    """The saving that pays for the pilot; None where the reference is no measure, for nothing is saved against it."""
    return None if verdict_of(evidence).kind == "check" else evidence.saving


def _other_metric(results: Results, setup: PilotSetup | None) -> str | None:
    """What the configuration grades by today, where the grades are by something else."""
    today = None if setup is None else setup.grader.name
    return None if results.metric in (None, today) else today


def open_prompts(plan: Sequence[Pair], records: Sequence[Record]) -> frozenset[str]:
    """The prompts of which a pair is planned and neither bought nor given up, of a candidate that answers."""
    standing, down = Standing.of(records), down_candidates(records)
    done = standing.bought | standing.given_up
    return frozenset(pair.query_id for pair in plan if pair.key not in done and pair.model not in down)


def next_purchase_usd(counted: PilotTally, left_usd: float) -> float:
    """What is left of the plan costs; where nothing is, about what the next stage may: never more than is left."""
    if counted.left:
        return sum(stage.left_usd for stage in counted.stages)
    growth = FIRST_GROWTH if len(counted.stages) < 2 else GROWTH
    return min(growth * counted.spent_usd, max(left_usd, 0.0))


def payback_of(spent_usd: float, saving: PilotSaving | None, queries_per_day: float | None) -> Payback | None:
    """Dollars spent / dollars saved per query (None: not known); an end at which nothing is saved is NaN: never."""
    if saving is None:
        return None
    saved = saving.saved_usd
    queries = Figure(_over(spent_usd, saved.value), _over(spent_usd, saved.high), _over(spent_usd, saved.low))
    per_day = queries_per_day or math.nan
    return Payback(spent_usd, queries, Figure(*(_over(n, per_day) for n in (queries.value, queries.low, queries.high))))


def _over(amount: float, rate: float) -> float:
    return amount / rate if rate > 0.0 else math.nan


def _find(
    panel: Panel,
    records: Sequence[Record],
    settings: PilotSettings,
    open_ids: Collection[str],
    prices: PriceBook | None,
    next_usd: float,
    report: Progress,
) -> Found:
    train = panel.part("train")
    field = field_of(train, settings.reference, open_ids)
    if field is None or len(field) < LEAST_PROMPTS:
        return Found(field)
    report("learning from the answers", 0.0)
    try:
        router = learn(train, field, prices, settings.seed)
    except DataError:
        return Found(field)
    learnt = columns(train, field.panel.models)
    estimates = unseen_estimates(router, learnt, field)
    worth = worth_of(field, router, estimates)
    if len(field) < LEAST_TEST:
        alone = measure((), field, worth, resamples=RESAMPLES, seed=settings.seed)
        return Found(field, router, singles_of(alone, field))
    report("pace of improvement", 0.2)
    keys = frozenset((q.query_id, m, 0) for q in train.queries for m in field.panel.models)
    past = moments(records, keys)
    rivals = (
        *rivals_of(past[:-1], train, field, prices, settings.seed),
        (past[-1], contender_of(router, estimates, field), learnt),
    )
    report("intervals", 0.8)
    measured = measure([it for _, it, _ in rivals], field, worth, resamples=RESAMPLES, seed=settings.seed)
    pace = pace_of(rivals, measured, len(field), next_usd)
    report("intervals", 1.0)
    return Found(field, router, singles_of(measured, field), savings_of(measured, len(field)), pace)


def _prove(panel: Panel, field: Field, router: Router, report: Progress) -> Proof | None:
    """The evaluation on the hold-out; None below 30 complete test prompts."""
    if panel.split is None or "test" not in panel.split:
        return None
    held_out = columns(panel.part("test"), field.panel.models)
    complete = ~(np.isnan(held_out.quality) | np.isnan(held_out.cost_usd)).any(axis=1)
    if int(complete.sum()) < LEAST_TEST:
        return None
    try:
        found = evaluate(router, held_out, resamples=RESAMPLES, progress=report)
    except EvaluationError:
        return None
    point = _point(found)
    return Proof(
        n_prompts=found.data.n_test,
        saving=point.saving,
        quality_ratio=point.quality_ratio,
        ratio=point.target if point.kind == "min_quality" else math.nan,
        kept=point.kept,
        kind=found.verdict.kind,
        model=found.verdict.model,
        sentences=found.verdict.sentences,
    )


def _point(found: Evaluation) -> OperatingPoint:
    """The operating point that "route" rests on, else that of the target."""
    ratio = found.verdict.ratio if found.verdict.kind == "route" else KEPT
    asked = ("mu", 0.0) if math.isnan(ratio) else ("min_quality", ratio)
    return next(point for point in found.operating_points if (point.kind, point.target) == asked)


def _labels(panel: Panel, model: str) -> int:
    """The grades of a model on training prompts."""
    graded = panel.part("train").quality[:, [name == model for name in panel.models]]
    return int((~np.isnan(graded)).sum())


def _is_exhausted(prompts: Sequence[PilotPrompt], plan: Sequence[Pair]) -> bool:
    """Whether something is planned of every prompt: a pilot asks each of them in one stage only."""
    planned = {pair.query_id for pair in plan}
    return all(prompt.query_id in planned for prompt in prompts)
