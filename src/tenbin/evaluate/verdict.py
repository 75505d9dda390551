"""From figures to a verdict: route, just use one model, or collect more. Pure; verdict_text makes its sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from tenbin.evaluate.result import OperatingPoint, Verdict, VerdictKind
from tenbin.evaluate.verdict_text import Finding, Wording, sentences
from tenbin.types import UNKNOWN, Figure

LEAST_TEST = 30
"""Below this many test queries nothing is said but "collect"."""
ENOUGH_TEST = 200
"""What is asked for where there is no interval to extrapolate from."""
WORTH_KNOWING = 0.005
"""A gain in AIQ below this would not change anybody's mind: intervals are asked to be no finer."""
MOST_TIMES_MORE = 20
"""Where more than this many times the present data were needed, the answer is taken to be "no gain"."""
BY_CHANCE = 0.01
"""A gain that permuted choices reach more often than this is not called one."""
PLAIN_LUCK = 0.1
"""Where permuted choices reach the gain more often than this, the prompts say nothing: collecting is not worth it."""
AS_GOOD = 0.005
"""Half a point of quality: a single model that close and no dearer makes an operating point pointless."""
PREFERRED = (0.99, 1.0, 0.97, 0.95)
"""The operating points that a saving is quoted at, first come first served."""


@dataclass(frozen=True, slots=True)
class Single:
    """The cheapest good model by the training prompts, beside the reference on the test queries (see `evidence`)."""

    model: str
    saving: Figure
    quality_ratio: Figure


@dataclass(frozen=True, slots=True)
class Evidence:
    """The figures that a verdict rests on; `gain` and `gain_log` are the router's AIQ and AIQ-log minus z_test's.

    `n_test` counts different prompts: copies of one say no more than it does. `chance` is the p-value of that gain by
    permutation; `at_best` the quality at mu 0 as a share of the best single model's on the test queries, at whatever
    cost, and `chance_at_best` its p-value; `rivals` the (quality, dollars) realised by each single model.
    """

    n_models: int
    n_test: int
    reference: str
    gain: Figure
    gain_log: Figure
    chance: float
    at_best: Figure
    chance_at_best: float
    rivals: tuple[tuple[float, float], ...]
    single: Single
    points: tuple[OperatingPoint, ...]


def verdict_of(evidence: Evidence) -> Verdict:
    """The verdict.

    "route" needs a gain over the zero router (AIQ or AIQ-log above 0 by its interval) that chance does not reach, and
    an operating point, set on training data, that kept its promise, saves dollars by its interval and is not matched by
    a single model at its price (or, at mu 0, adds quality). So does a quality at mu 0 above every single model's by its
    interval that chance does not reach: AIQ ends at the best single model's dollars. Without either: "collect" where at
    most 20 times the data would settle whether it is luck, or one that the interval still allows and is worth having,
    else "single".
    """
    if evidence.n_models == 1:
        return _made("single", "unknown", None, evidence)
    if evidence.n_test < LEAST_TEST:
        return _made("collect", "unknown", ENOUGH_TEST - evidence.n_test, evidence)
    finding = _finding(evidence)
    if finding in ("gain", "finer"):
        point = (_worth if finding == "gain" else _finest)(evidence.points, evidence.rivals)
        return _made("single" if point is None else "route", finding, None, evidence, point)
    if finding == "luck":
        more = queries_beyond_chance(evidence.chance, evidence.n_test) if evidence.chance <= PLAIN_LUCK else None
    else:
        more = queries_to_settle(evidence.gain, evidence.n_test)
    return _made("single" if more is None else "collect", finding, more, evidence)


def queries_beyond_chance(chance: float, n_test: int) -> int | None:
    """About how many more test queries would take a gain beyond chance, were it real; None where far too many.

    The normal score of a gain grows with the root of n: from that of `chance` to that of the limit.
    """
    score = NormalDist().inv_cdf(1.0 - chance) if chance < 1.0 else 0.0
    if score <= 0.0:
        return None
    return _more((NormalDist().inv_cdf(1.0 - BY_CHANCE) / score) ** 2, n_test)


def queries_to_settle(gain: Figure, n_test: int) -> int | None:
    """About how many more test queries would settle a gain whose interval includes 0; None where it is settled.

    Intervals shrink with the root of n: the half-width must fall below the gain, or below a gain worth knowing.
    """
    times = _times_to_settle(gain)
    return ENOUGH_TEST if math.isnan(times) else _more(times, n_test)


def _times_to_settle(gain: Figure) -> float:
    """How many times the present queries it takes: 0 where no gain worth knowing is possible, NaN without interval."""
    half = (gain.high - gain.low) / 2.0
    return 0.0 if gain.high < WORTH_KNOWING else (half / max(gain.value, WORTH_KNOWING)) ** 2


def _more(times: float, n_test: int) -> int | None:
    """The queries that are missing to `times` the present ones, in hundreds; None where none or far too many are."""
    if not 1.0 < times <= MOST_TIMES_MORE:
        return None
    return max(int(round((times - 1.0) * n_test, -2)), 100)


def _finding(evidence: Evidence) -> Finding:
    """What the gain's intervals and its chance say; the permutations carry the upward lean of a hull, intervals not."""
    above_zero = evidence.gain.low > 0.0 or evidence.gain_log.low > 0.0
    if above_zero and evidence.chance <= BY_CHANCE:
        return "gain"
    if evidence.at_best.low > 1.0 and evidence.chance_at_best <= BY_CHANCE:
        return "finer"
    return "luck" if above_zero else "nothing"


def _worth(points: tuple[OperatingPoint, ...], rivals: tuple[tuple[float, float], ...]) -> OperatingPoint | None:
    """The operating point to quote: the first preferred one that saves and that no single model matches at its price.

    Else the finest.
    """
    for target in PREFERRED:
        for point in points:
            asked = point.kind == "min_quality" and point.target == target
            if asked and point.reached and point.kept and point.saving.low > 0.0 and not _matched(point, rivals):
                return point
    return _finest(points, rivals)


def _finest(points: tuple[OperatingPoint, ...], rivals: tuple[tuple[float, float], ...]) -> OperatingPoint | None:
    """The point at mu 0, where it adds quality that no single model has at its price."""
    for point in points:
        finest = point.kind == "mu" and point.target == 0.0
        if finest and point.quality_ratio.low > 1.0 and not _matched(point, rivals):
            return point
    return None


def _made(
    kind: VerdictKind, finding: Finding, n_more: int | None, evidence: Evidence, point: OperatingPoint | None = None
) -> Verdict:
    single, chance = evidence.single, evidence.chance_at_best if finding == "finer" else evidence.chance
    model = single.model if kind == "single" else None
    saving, quality_ratio, ratio = UNKNOWN, UNKNOWN, math.nan
    unsettled = finding == "nothing" and _times_to_settle(evidence.gain) > MOST_TIMES_MORE
    if kind == "single":
        saving, quality_ratio = single.saving, single.quality_ratio
    if point is not None:
        saving, quality_ratio = point.saving, point.quality_ratio
        ratio = point.target if point.kind == "min_quality" else math.nan
    wording = Wording(
        kind=kind,
        model=model,
        reference=evidence.reference,
        n_more=n_more,
        n_test=evidence.n_test,
        n_models=evidence.n_models,
        finding=finding,
        chance=chance,
        limit=BY_CHANCE,
        beyond=MOST_TIMES_MORE if unsettled else None,
        ratio=ratio,
        saving=saving,
        quality_ratio=quality_ratio,
        single=single.model,
        single_saving=single.saving,
        single_ratio=single.quality_ratio,
        blind_saving=UNKNOWN if point is None else point.blind_saving,
        blind_note={} if point is None else point.blind_note,
        gain=evidence.gain,
        gain_log=evidence.gain_log,
    )
    nothing = finding == "nothing" or (finding == "luck" and kind == "single")
    return Verdict(kind, model, n_more, nothing, ratio, saving, quality_ratio, sentences(wording), chance)


def _matched(point: OperatingPoint, rivals: tuple[tuple[float, float], ...]) -> bool:
    return any(q >= point.quality.value - AS_GOOD and c <= point.cost_usd.value for q, c in rivals)
