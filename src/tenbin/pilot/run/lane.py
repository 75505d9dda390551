"""One candidate in a run: the pairs that wait for it, and all that decides when the next one goes out."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Collection
from random import Random

from tenbin.pilot.pair import Key, Pair
from tenbin.pilot.run.bound import Ceiling
from tenbin.pilot.run.gate import Gate
from tenbin.pilot.run.prepared import Prepared
from tenbin.pilot.run.report import CandidateReport
from tenbin.pilot.run.said import Said
from tenbin.pilot.run.tally import RunTally
from tenbin.pilot.standing import Standing
from tenbin.upstream.destination import Destination
from tenbin.upstream.pace import Pace

TRIES = 6
"""How often one pair is asked in one run; the next run tries again."""
PLACES = 16
"""Calls at once of a candidate of which nothing is said."""
UNKNOWN_OUTPUT_TOKENS = 500.0
"""What an answer is taken for, where rates are kept, before the first one has come."""


class Lane:
    """The queue of one candidate, in the order of the plan; a pair that failed waits behind the others.

    `waiting` holds (place in the plan, pair). `is_broke`: the budget does not hold one more of its calls.
    """

    def __init__(self, destination: Destination, ceiling: Ceiling, gate: Gate) -> None:
        self.destination = destination
        self.ceiling = ceiling
        self.gate = gate
        self.waiting: deque[tuple[int, Pair]] = deque()
        self.tally = RunTally()
        self.planned = 0
        self.bought_before = 0
        self.given_up_before = 0
        self.is_broke = False
        self._exhausted = 0
        self._tries: Counter[Key] = Counter()

    @property
    def name(self) -> str:
        """The candidate."""
        return self.destination.candidate.name

    @property
    def has_answered(self) -> bool:
        """Whether it ever gave an answer: until then a refusal is more likely our way of asking than the prompt."""
        return self.tally.bought + self.bought_before > 0

    def is_open(self) -> bool:
        """Whether there is anything to ask and it may still be asked."""
        return bool(self.waiting) and not self.is_broke and self.gate.set_aside is None

    def free_at(self) -> float:
        """When the next pair may go out; infinite where none may before something ends."""
        return self.gate.free_at() if self.is_open() else math.inf

    def likely_tokens(self, said: Said) -> float:
        """What a call will probably take of its rate, both ways together; 0 where no rate of tokens is kept."""
        if not self.gate.pace.keeps_tokens:
            return 0.0
        mean = self.tally.mean_output_tokens
        return said.likely_input_tokens() + min(
            UNKNOWN_OUTPUT_TOKENS if mean is None else mean, self.ceiling.cap_tokens
        )

    def ask_again(self, place: int, pair: Pair) -> None:
        """Put a pair that failed behind the others, unless it was tried often enough for one run."""
        self._tries[pair.key] += 1
        if self._tries[pair.key] < TRIES:
            self.waiting.append((place, pair))
        else:
            self._exhausted += 1

    def report(self) -> CandidateReport:
        """How far this candidate is."""
        tally, candidate = self.tally, self.destination.candidate
        return CandidateReport(
            name=self.name,
            planned=self.planned,
            bought_before=self.bought_before,
            bought=tally.bought,
            left=len(self.waiting) + self.gate.in_flight + self._exhausted,
            in_flight=self.gate.in_flight,
            given_up=self.given_up_before + tally.given_up,
            failures=dict(tally.failures),
            refusals=tally.refusals,
            empty=tally.empty,
            cut=tally.cut,
            cap_tokens=self.ceiling.cap_tokens,
            has_own_cap=candidate.max_output_tokens is not None,
            estimated=tally.estimated,
            graded=tally.graded,
            ungraded=tally.ungraded,
            answer_usd=tally.answer_usd,
            grading_usd=tally.grading_usd,
            latency_s=tally.latency_s / tally.bought if tally.bought else None,
            last_failure=tally.last_failure,
            last_ungraded=tally.last_ungraded,
            set_aside=self.gate.set_aside,
            is_broke=self.is_broke,
        )


def lanes_of(
    prepared: Prepared,
    standing: Standing,
    concurrency: int | None,
    first_pause_s: float,
    down: Collection[str] = (),
) -> dict[str, Lane]:
    """A lane per candidate with the pairs that are still to be bought, each once.

    `down` are those that did not answer any more when the run before ended. A candidate without `max_concurrency` gets
    `concurrency` calls at once (None: PLACES); none gets more than that.
    """
    lanes = {}
    for m, (name, destination) in enumerate(prepared.destinations.items()):
        pace = Pace(destination.requests_per_minute, destination.tokens_per_minute)
        random = Random(f"{prepared.settings.seed} {name}")  # noqa: S311 (jitter, no secret)
        own = destination.max_concurrency or concurrency or PLACES
        most = own if concurrency is None else min(own, concurrency)
        gate = Gate(most, pace, random, first_pause_s, was_down=name in down)
        lanes[name] = Lane(destination, Ceiling(prepared.rates, m, destination.candidate), gate)
    seen: set[Key] = set()
    for place, pair in enumerate(prepared.pairs):
        if pair.key in seen:
            continue
        seen.add(pair.key)
        lane = lanes[pair.model]
        lane.planned += 1
        if pair.key in standing.bought:
            lane.bought_before += 1
        elif pair.key in standing.given_up:
            lane.given_up_before += 1
        else:
            lane.waiting.append((place, pair))
    return lanes
