"""What was planned, bought, spent and what went wrong, candidate by candidate and stage by stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tenbin.pilot.down import down_candidates
from tenbin.pilot.pair import Key, Pair
from tenbin.pilot.records import STOPPED, Failed, Graded, Record
from tenbin.pilot.results import Results
from tenbin.pilot.standing import Standing

NOTES = 5


@dataclass(frozen=True, slots=True)
class CandidateTally:
    """One candidate's answers, first ones unless said otherwise; `is_down` where it does not answer any more.

    `not_told` are answers whose quality the metric could not tell, `ungraded` those nobody graded yet. `failures`
    counts failed calls by kind, grading included; `given_up` pairs that failed for good. Means are NaN where there is
    no answer. `answers_usd` is what counts against the budget: with what is held where a provider told no usage.
    """

    model: str
    is_down: bool
    planned: int
    bought: int
    second_answers: int
    graded: int
    not_told: int
    ungraded: int
    refusals: int
    empty: int
    cut_off: int
    given_up: int
    failures: Mapping[str, int]
    answers_usd: float
    grading_usd: float
    failures_usd: float
    mean_cost_usd: float
    mean_latency_s: float
    mean_output_tokens: float

    @property
    def only_fails(self) -> bool:
        """Whether it was called and never once answered; calls that we cut off ourselves do not count."""
        return self.bought == 0 and sum(n for kind, n in self.failures.items() if kind != STOPPED) > 0


@dataclass(frozen=True, slots=True)
class StageTally:
    """One stage of the plan: pairs planned (second answers included), bought, given up, and what is left to buy.

    `waiting` are pairs left of candidates that do not answer any more: nothing waits for them.
    """

    stage: int
    planned: int
    bought: int
    given_up: int
    left: int
    left_usd: float
    waiting: int
    answers_usd: float


@dataclass(frozen=True, slots=True)
class Note:
    """Why a metric could not tell, in its own words, and how often."""

    model: str
    text: str
    times: int


@dataclass(frozen=True, slots=True)
class PilotTally:
    """The whole pilot: `spent_usd` counts against the budget, `unknown_usd` of it being calls without an end."""

    candidates: tuple[CandidateTally, ...]
    stages: tuple[StageTally, ...]
    notes: tuple[Note, ...]
    spent_usd: float
    unknown_usd: float
    unknown_calls: int

    @property
    def last_stage(self) -> int:
        """The stage that was planned last."""
        return max((stage.stage for stage in self.stages), default=0)

    @property
    def left(self) -> int:
        """Pairs that are planned and neither bought nor given up, of candidates that answer."""
        return sum(stage.left for stage in self.stages)


def tally(models: Sequence[str], plan: Sequence[Pair], records: Sequence[Record], results: Results) -> PilotTally:
    """Count. `models` are the candidates of the settings; a stranger in the journal is counted behind them."""
    standing, down = Standing.of(records), down_candidates(records)
    everyone = [*models, *sorted(set(results.models) - set(models))]
    return PilotTally(
        candidates=tuple(_candidate(model, model in down, plan, records, results, standing) for model in everyone),
        stages=tuple(_stage(stage, plan, results, standing, down) for stage in sorted({pair.stage for pair in plan})),
        notes=_notes(results),
        spent_usd=standing.spent_usd,
        unknown_usd=standing.unknown_usd,
        unknown_calls=len(standing.open_calls),
    )


def _candidate(
    model: str,
    is_down: bool,
    plan: Sequence[Pair],
    records: Iterable[Record],
    results: Results,
    standing: Standing,
) -> CandidateTally:
    mine = [answer for key, answer in results.answers.items() if key[1] == model]
    firsts = [answer for answer in mine if answer.bought.repeat == 0]
    failed = [record for record in records if isinstance(record, Failed) and record.model == model]
    grades = [record for record in records if isinstance(record, Graded) and record.model == model]
    return CandidateTally(
        model=model,
        is_down=is_down,
        planned=sum(pair.model == model and pair.repeat == 0 for pair in plan),
        bought=len(firsts),
        second_answers=len(mine) - len(firsts),
        graded=sum(not np.isnan(answer.quality()) for answer in firsts),
        not_told=sum(answer.is_untold for answer in firsts),
        ungraded=sum(0 not in answer.grades for answer in firsts),
        refusals=sum(answer.bought.is_refusal for answer in firsts),
        empty=sum(not answer.bought.answer.strip() for answer in firsts),
        cut_off=sum(answer.bought.is_cut_off for answer in firsts),
        given_up=sum(key[1] == model for key in standing.given_up - standing.bought),
        failures=dict(sorted(Counter(record.kind for record in failed).items())),
        answers_usd=sum(answer.bought.cost_usd + answer.bought.held_usd for answer in mine),
        grading_usd=sum(grade.cost_usd for grade in grades),
        failures_usd=sum(failure.cost_usd for failure in failed),
        mean_cost_usd=_mean([answer.bought.cost_usd for answer in firsts]),
        mean_latency_s=_mean([answer.bought.latency_s for answer in firsts]),
        mean_output_tokens=_mean([answer.bought.usage.output_tokens for answer in firsts]),
    )


def _stage(stage: int, plan: Iterable[Pair], results: Results, standing: Standing, down: Collection[str]) -> StageTally:
    pairs = {pair.key: pair for pair in plan if pair.stage == stage}
    bought: set[Key] = pairs.keys() & results.answers.keys()
    given_up = (pairs.keys() & standing.given_up) - bought
    waiting = {key for key in pairs.keys() - bought - given_up if key[1] in down}
    left = pairs.keys() - bought - given_up - waiting
    return StageTally(
        stage=stage,
        planned=len(pairs),
        bought=len(bought),
        given_up=len(given_up),
        left=len(left),
        left_usd=sum(pairs[key].expected_usd for key in left),
        waiting=len(waiting),
        answers_usd=sum(results.answers[key].bought.cost_usd + results.answers[key].bought.held_usd for key in bought),
    )


def _notes(results: Results) -> tuple[Note, ...]:
    """The commonest reasons why a metric could not tell."""
    said = Counter(
        (answer.bought.model, answer.grades[0].note) for answer in results.answers.values() if answer.is_untold
    )
    ordered = sorted(said.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Note(model, text, times) for (model, text), times in ordered[:NOTES])


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
