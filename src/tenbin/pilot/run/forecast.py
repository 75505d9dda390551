"""What a run would ask, at what cost and in what time: reckoned, nobody asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tenbin.errors import RequestError
from tenbin.pilot.journal import read_journal
from tenbin.pilot.pair import Key
from tenbin.pilot.records import Bought, Record
from tenbin.pilot.run.due import due, rounds_of
from tenbin.pilot.run.grading import likely_grading_usd
from tenbin.pilot.run.lane import Lane, lanes_of
from tenbin.pilot.run.prepared import Prepared
from tenbin.pilot.run.run import RunOptions
from tenbin.pilot.run.said import say
from tenbin.pilot.standing import Standing
from tenbin.quality.grader import Grader

ASSUMED_LATENCY_S = 5.0
"""What an answer is taken to last before the first one of its candidate has come."""


@dataclass(frozen=True, slots=True)
class CandidateForecast:
    """One candidate: `pairs` to buy, `unsayable` of them not to be said in its dialect, `bought` ones already there.

    `bound_usd` is the most that answers and gradings may cost, `expected_usd` what the plan expects. `least_s` is what
    the rates allow, `likely_s` what it will take at `latency_s` an answer (`is_latency_measured`, else assumed).
    """

    name: str
    planned: int
    bought: int
    given_up: int
    pairs: int
    unsayable: int
    cap_tokens: int
    has_own_cap: bool
    bound_usd: float
    expected_usd: float
    least_s: float
    likely_s: float
    latency_s: float
    is_latency_measured: bool


@dataclass(frozen=True, slots=True)
class RunForecast:
    """The whole run: `gradings` of answers that stand ungraded come first."""

    metric: str
    budget_usd: float
    spent_usd: float
    unknown_usd: float
    gradings: int
    candidates: tuple[CandidateForecast, ...]
    likely_s: float

    @property
    def pairs(self) -> int:
        """Pairs to buy."""
        return sum(candidate.pairs for candidate in self.candidates)

    @property
    def bound_usd(self) -> float:
        """The most that everything may cost."""
        return sum(candidate.bound_usd for candidate in self.candidates)

    @property
    def expected_usd(self) -> float:
        """What the plan expects."""
        return sum(candidate.expected_usd for candidate in self.candidates)


def forecast(prepared: Prepared, grader: Grader, options: RunOptions) -> RunForecast:
    """What running this pilot now would mean. Raises UsageError as the run itself would."""
    standing = Standing.of(read_journal(prepared.folder))
    planned = {pair.key for pair in prepared.pairs}
    owed = due(standing, planned, grader.name, regrade=options.regrade)
    candidates: tuple[CandidateForecast, ...] = ()
    places = 0
    if not options.regrade:
        measured = _latencies(read_journal(prepared.folder))
        lanes = lanes_of(prepared, standing, options.concurrency, options.first_pause_s)
        places = options.concurrency or sum(lane.gate.most for lane in lanes.values())
        candidates = tuple(
            _candidate(prepared, grader, planned, lane, measured.get(lane.name)) for lane in lanes.values()
        )
    together_s = sum(candidate.pairs * candidate.latency_s for candidate in candidates) / max(places, 1)
    return RunForecast(
        metric=grader.name,
        budget_usd=prepared.budget_usd,
        spent_usd=standing.spent_usd,
        unknown_usd=standing.unknown_usd,
        gradings=sum(len(rounds) for rounds in owed.values()),
        candidates=candidates,
        likely_s=max([together_s, *(candidate.likely_s for candidate in candidates)]),
    )


def _candidate(
    prepared: Prepared,
    grader: Grader,
    planned: Collection[Key],
    lane: Lane,
    measured_s: float | None,
) -> CandidateForecast:
    destination, unsayable, bound_usd, expected_usd, tokens = lane.destination, 0, 0.0, 0.0, 0.0
    for _, pair in lane.waiting:
        prompt = prepared.prompts[pair.query_id]
        try:
            said = say(prompt, destination)
        except RequestError:
            unsayable += 1
            continue
        rounds = len(rounds_of(pair.key, planned))
        bound_usd += lane.ceiling.usd(said.input_bound_tokens)
        bound_usd += rounds * likely_grading_usd(grader, prompt, pair.model)
        expected_usd += pair.expected_usd
        tokens += lane.likely_tokens(said)
    pairs = len(lane.waiting) - unsayable
    latency_s = ASSUMED_LATENCY_S if measured_s is None else measured_s
    least_s = lane.gate.pace.least_s(pairs, tokens)
    return CandidateForecast(
        name=lane.name,
        planned=lane.planned,
        bought=lane.bought_before,
        given_up=lane.given_up_before,
        pairs=pairs,
        unsayable=unsayable,
        cap_tokens=lane.ceiling.cap_tokens,
        has_own_cap=destination.candidate.max_output_tokens is not None,
        bound_usd=bound_usd,
        expected_usd=expected_usd,
        least_s=least_s,
        likely_s=max(least_s, pairs * latency_s / lane.gate.most),
        latency_s=latency_s,
        is_latency_measured=measured_s is not None,
    )


def _latencies(records: Iterable[Record]) -> dict[str, float]:
    """The mean seconds of the answers of each candidate so far."""
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    for record in records:
        if isinstance(record, Bought):
            seconds[record.model].append(record.latency_s)
    return {model: sum(found) / len(found) for model, found in seconds.items()}
