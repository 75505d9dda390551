"""The gateway's figures: one method per event, labels only of names that the configuration or our code knows.

Every method is meant for the one event loop of a worker and takes a few microseconds at most. A label never holds
what a client wrote: `profile`, `candidate`, `endpoint` come from the configuration, `reason`, `code` and `failure`
are ours. NONE stands where a request ended before it had one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, get_args

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder

from tenbin.telemetry.readings import Read, Readings, reading_metrics
from tenbin.telemetry.series import MAX_CHILDREN, Count, Counts, Family, Spread, Spreads
from tenbin.types import Usage

NONE = "none"
ReloadOutcome = Literal["ok", "refused"]
KeySign = Literal["dear", "new_subject"]
"""What the requests of keys are watched for."""

DURATION_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
FIRST_TOKEN_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0)
OWN_S = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 1.0)

STATUS_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
CANCELLED = "cancelled"


class _Answers:
    """The children that one kind of answer needs, so that a request finds them all by one key."""

    __slots__ = ("duration", "first_token", "requests")

    def __init__(self, requests: Count, duration: Spread, first_token: Spread) -> None:
        self.requests = requests
        self.duration = duration
        self.first_token = first_token


class _Bills:
    """The sums of one candidate in one profile."""

    __slots__ = ("baseline", "cache_write", "cached", "cost", "input", "output", "reasoning", "unpriced")

    def __init__(self, metrics: Metrics, profile: str, candidate: str) -> None:
        self.input = metrics.tokens.at(profile, candidate, "input")
        self.cached = metrics.tokens.at(profile, candidate, "cached_input")
        self.cache_write = metrics.tokens.at(profile, candidate, "cache_write")
        self.output = metrics.tokens.at(profile, candidate, "output")
        self.reasoning = metrics.tokens.at(profile, candidate, "reasoning")
        self.cost = metrics.cost.at(profile, candidate)
        self.baseline = metrics.baseline.at(profile, candidate)
        self.unpriced = metrics.unpriced.at(profile, candidate)


class _Pair:
    """What was expected and what came, summed over the answers where both are known."""

    __slots__ = ("observed", "predicted")

    def __init__(self, predicted: Count, observed: Count) -> None:
        self.predicted = predicted
        self.observed = observed

    def add(self, predicted: float | None, observed: float | None) -> bool:
        """Add both, or neither where one is unknown (None or NaN); whether they were added."""
        if predicted is None or observed is None or not (predicted >= 0.0 and observed >= 0.0):
            return False
        self.predicted.add(predicted)
        self.observed.add(observed)
        return True


class Metrics:
    """Every figure of one worker, in a registry of its own; `read` gives the levels at a scrape."""

    def __init__(self, read: Read = Readings) -> None:
        self.read = read
        who = ("profile", "candidate")
        self.requests = Counts(
            "tenbin_requests",
            "Requests that ended, by class of status; cancelled where the client left.",
            ("endpoint", *who, "status"),
        )
        self.duration = Spreads(
            "tenbin_request_duration_seconds", "From the request to its last byte.", ("endpoint", *who), DURATION_S
        )
        self.first_token = Spreads(
            "tenbin_first_token_seconds",
            "From the request to the first byte of content.",
            ("endpoint", *who),
            FIRST_TOKEN_S,
        )
        self.own = Spreads(
            "tenbin_added_latency_seconds", "What the gateway itself added to a request.", ("endpoint",), OWN_S
        )
        self.refusals = Counts("tenbin_refusals", "Requests refused by the gateway itself.", ("endpoint", "code"))
        self.tokens = Counts(
            "tenbin_tokens",
            "Billed tokens by kind; no kind holds another's (input is without cached, output without reasoning).",
            (*who, "kind"),
        )
        self.cost = Counts("tenbin_cost_dollars", "What calls cost, as the ledger books them.", who)
        self.baseline = Counts(
            "tenbin_baseline_cost_dollars", "What the reference was expected to cost, or did where it answered.", who
        )
        self.unpriced = Counts("tenbin_unpriced_answers", "Answers whose cost is not known.", who)
        self.decisions = Counts("tenbin_decisions", "Decisions by chosen candidate and reason.", (*who, "reason"))
        self.decision_duration = Spreads(
            "tenbin_decision_duration_seconds", "From the parsed request to the decision.", ("profile",), OWN_S
        )
        self.late_decisions = Counts("tenbin_late_decisions", "Decisions that missed their deadline.", ("profile",))
        self.strangers = Counts("tenbin_strangers", "Prompts unlike training, by who answers.", ("profile", "sent_to"))
        self.key_flags = Counts("tenbin_key_flags", "Flags on keys, by what was seen too often.", ("profile", "sign"))
        self.fallbacks = Counts(
            "tenbin_fallbacks", "Calls that failed; another takes over where one may.", (*who, "failure")
        )
        self.pairs = {
            what: (
                Counts(f"tenbin_predicted_{name}", f"Expected {text}, where the observed is known, too.", who),
                Counts(f"tenbin_observed_{name}", f"Observed {text}, where the expected is known, too.", who),
            )
            for what, name, text in (
                ("output_tokens", "output_tokens", "output tokens"),
                ("cost", "cost_dollars", "dollars"),
                ("quality", "quality", "quality of rated answers, summed"),
            )
        }
        self.rated = Counts("tenbin_rated_answers", "Answers with an observed and an expected quality.", who)
        self.reloads = Counts("tenbin_reloads", "Reloads of configuration, routers or prices.", ("outcome",))
        self._answers: dict[tuple[str, str, str, int], _Answers] = {}
        self._bills: dict[tuple[str, str], _Bills] = {}
        self._pairs: dict[tuple[str, str, str], _Pair] = {}
        self.registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self.registry)
        self.registry.register(self)

    def answered(
        self,
        *,
        endpoint: str,
        profile: str,
        candidate: str,
        status: int,
        seconds: float,
        first_token_s: float | None,
        own_s: float,
    ) -> None:
        """A request ended with this HTTP status (499: the client left); `own_s` is what we added to it."""
        key = (endpoint, profile, candidate, status)
        children = self._answers.get(key)
        if children is None:
            _make_room(self._answers)
            children = self._answers[key] = _Answers(
                self.requests.at(endpoint, profile, candidate, status_class(status)),
                self.duration.at(endpoint, profile, candidate),
                self.first_token.at(endpoint, profile, candidate),
            )
        children.requests.total += 1
        children.duration.observe(seconds)
        if first_token_s is not None:
            children.first_token.observe(first_token_s)
        self.own.at(endpoint).observe(own_s)

    def refused(self, endpoint: str, code: str) -> None:
        """The gateway itself refused a request, with this code of ours."""
        self.refusals.at(endpoint, code).add()

    def billed(
        self,
        *,
        profile: str,
        candidate: str,
        usage: Usage | None,
        booked_usd: float,
        is_known: bool,
        baseline_usd: float | None,
    ) -> None:
        """An answer was paid for, at a bill that `is_known`, else booked at what was set aside for it."""
        bills = self._bills.get((profile, candidate))
        if bills is None:
            _make_room(self._bills)
            bills = self._bills[profile, candidate] = _Bills(self, profile, candidate)
        if usage is not None:
            bills.input.add(usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens)
            bills.output.add(usage.output_tokens - usage.reasoning_tokens)
            if usage.cached_tokens or usage.cache_write_tokens or usage.reasoning_tokens:
                bills.cached.add(usage.cached_tokens)
                bills.cache_write.add(usage.cache_write_tokens)
                bills.reasoning.add(usage.reasoning_tokens)
        bills.cost.add(booked_usd)
        if not is_known:
            bills.unpriced.add()
        if baseline_usd is not None:
            bills.baseline.add(baseline_usd)

    def decided(self, *, profile: str, candidate: str, reason: str, seconds: float, late: bool = False) -> None:
        """A candidate was chosen for one reason code; `late` where the deadline passed and the safe default answers."""
        self.decisions.at(profile, candidate, reason).total += 1
        self.decision_duration.at(profile).observe(seconds)
        if late:
            self.late_decisions.at(profile).add()

    def met_stranger(self, *, profile: str, sent_to: str) -> None:
        """A request was unlike the training prompts: the reference, the cheapest or the dial answers."""
        self.strangers.at(profile, sent_to).add()

    def serves(self, profile: str) -> None:
        """A profile is served: what alarms look at begins at 0, for a counter that is new at 1 has not increased."""
        for sign in get_args(KeySign):
            self.key_flags.at(profile, sign)
        self.late_decisions.at(profile)
        self.strangers.at(profile, "cheapest")
        self.reloads.at("refused")

    def flagged_key(self, *, profile: str, sign: KeySign) -> None:
        """A key was flagged: something is seen in its requests too often."""
        self.key_flags.at(profile, sign).add()

    def compared(
        self,
        *,
        profile: str,
        candidate: str,
        expected_output_tokens: float | None,
        output_tokens: float | None,
        expected_cost_usd: float | None,
        cost_usd: float | None,
    ) -> None:
        """What the decision expected of an answer, and what came; None or NaN where it is not known."""
        self._pair("output_tokens", profile, candidate).add(expected_output_tokens, output_tokens)
        self._pair("cost", profile, candidate).add(expected_cost_usd, cost_usd)

    def rated_answer(
        self, *, profile: str, candidate: str, expected_quality: float | None, quality: float | None
    ) -> None:
        """Somebody said how good an answer was, in [0, 1]."""
        if self._pair("quality", profile, candidate).add(expected_quality, quality):
            self.rated.at(profile, candidate).add()

    def fell_back(self, *, profile: str, candidate: str, failure: str) -> None:
        """A call to `candidate` failed in this way (a FailureKind); the next one takes over where there is one."""
        self.fallbacks.at(profile, candidate, failure).add()

    def reloaded(self, outcome: ReloadOutcome) -> None:
        """New settings were taken over, or refused."""
        self.reloads.at(outcome).add()

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """The text of a scrape and its content type, in the format that the scraper's Accept header asks for."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def collect(self) -> Iterable[Metric]:
        """Every family, for the registry."""
        families: list[Family] = [
            *(self.requests, self.duration, self.first_token, self.own, self.refusals, self.tokens, self.cost),
            *(self.baseline, self.unpriced, self.decisions, self.decision_duration, self.late_decisions),
            *(self.strangers, self.key_flags, self.fallbacks, self.rated, self.reloads),
            *(family for pair in self.pairs.values() for family in pair),
        ]
        yield from (family.metric() for family in families)
        yield from reading_metrics(self.read())

    def _pair(self, what: str, profile: str, candidate: str) -> _Pair:
        key = (what, profile, candidate)
        pair = self._pairs.get(key)
        if pair is None:
            _make_room(self._pairs)
            predicted, observed = self.pairs[what]
            pair = self._pairs[key] = _Pair(predicted.at(profile, candidate), observed.at(profile, candidate))
        return pair


def _make_room(found: dict[Any, Any]) -> None:
    """Forget the shortcuts to the children where there are as many as there may be children."""
    if len(found) >= MAX_CHILDREN:
        found.clear()


def status_class(status: int) -> str:
    """The class of an HTTP status: "2xx"; "cancelled" for 499; "5xx" for what is no status."""
    if status == 499:
        return CANCELLED
    return STATUS_CLASSES[status // 100 - 1] if 100 <= status <= 599 else STATUS_CLASSES[-1]
