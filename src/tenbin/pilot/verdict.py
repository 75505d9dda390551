"""What to do next: finish the stage, buy another, stop and use one model, put the router live, or mend first. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from tenbin.evaluate.result import VerdictKind
from tenbin.evaluate.verdict import LEAST_TEST
from tenbin.pilot.measure import KEPT, PilotSaving, Single, single_of
from tenbin.types import Figure

Kind = Literal["run", "buy", "single", "live", "prompts", "check"]
Reason = Literal[
    "unfinished",  # run: pairs are planned and not bought
    "too_few",  # buy: too few prompts to measure a saving on
    "undecided",  # buy: what routing adds may be nothing and may be worth having
    "unproven",  # buy: routing adds something, the hold-out has yet to confirm it
    "unsure",  # buy: reading prompts adds next to nothing, but how good the single candidate is, is not certain
    "nothing_left",  # single: even at its best, routing adds next to nothing
    "not_worth",  # single: a year of what routing may add is worth less than the next stage
    "no_money",  # single: the budget does not reach for what is missing
    "proved_single",  # single: the hold-out says so
    "proved",  # live: the hold-out says so
    "exhausted",  # prompts: every prompt was asked and the question is still open
    "no_answers",  # run or buy: nothing to judge by
    "no_reference",  # check: no answer of the reference has a grade
    "no_quality",  # check: the reference's answers are all graded 0, so that no share of its quality can be kept
    "no_cost",  # check: the reference costs nothing, so that no share of its cost can be saved
]

WORTH = 0.02
"""What routing must be able to add to blind mixtures, as a share of the reference's cost, to be worth another stage."""
SURE = 0.93
"""The lower end of what a candidate keeps of the reference's quality must reach this before a pilot stops with it."""
DAYS = 365.0
NOTHING = 1e-9
"""A mean quality no larger is that of grades that are all 0."""
LEAST_STAGE = 0.1
"""Less money than this share of what was spent so far buys nothing that would change the picture."""


@dataclass(frozen=True, slots=True)
class PilotEvidence:
    """The figures that a verdict rests on.

    `left` pairs of `stage` are planned and not bought; the next purchase costs `next_usd` of `budget_left_usd`.
    `n_prompts` prompts make the field; `saving` is at the target, None below the least number of them. `proof` is what
    the hold-out said, `proof_model` the model it named. `is_exhausted`: no prompt is left to buy for. The reference has
    `reference_labels` grades on training prompts; `reference` is how it does, None where it is not among `singles`.
    """

    stage: int
    left: int
    next_usd: float
    spent_usd: float
    budget_left_usd: float
    n_prompts: int
    singles: tuple[Single, ...]
    saving: PilotSaving | None
    reference_labels: int
    reference: Single | None
    queries_per_day: float | None
    proof: VerdictKind | None
    proof_model: str | None
    is_exhausted: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do, and why. `model` is the single candidate to use meanwhile or for good.

    `stage` is the one to run or buy for about `usd` dollars.
    """

    kind: Kind
    reason: Reason
    model: str | None
    stage: int | None
    usd: float | None


def verdict_of(evidence: PilotEvidence) -> Verdict:
    """The verdict; what is proved on the hold-out goes before what is estimated on training prompts."""
    e = evidence
    model = best_single(e.singles)
    if e.left and e.budget_left_usd > 0.0:
        return Verdict("run", "unfinished" if e.singles else "no_answers", model, e.stage, e.next_usd)
    if e.proof == "route":
        return Verdict("live", "proved", model, None, None)
    cause = _obstacle(e)
    if cause is not None:
        return Verdict("check", cause, None, None, None)
    reason = _reason(e)
    if e.proof == "single" and reason != "unproven":
        # Training prompts that are sure of a gain outweigh a small hold-out that sees none.
        return Verdict("single", "proved_single", e.proof_model, None, None)
    if reason not in ("nothing_left", "not_worth"):
        return _purchase(e, reason, model)
    return Verdict("single", reason, model, None, None)


def _purchase(e: PilotEvidence, reason: Reason, model: str | None) -> Verdict:
    """Another stage is worth having; is there anything to buy, and money for it?"""
    if e.is_exhausted:
        return Verdict("prompts", "exhausted", model, None, None)
    following = e.stage if e.left else e.stage + 1
    if e.budget_left_usd <= LEAST_STAGE * e.spent_usd:
        return Verdict("single", "no_money", model, following, e.next_usd if e.left else e.spent_usd)
    return Verdict("buy", reason, model, following, e.next_usd)


def best_single(singles: tuple[Single, ...]) -> str | None:
    """The cheapest candidate that keeps the target's share of the reference's quality; None without any answer."""
    keeping = [single for single in singles if single.quality_ratio.value >= KEPT]
    return min(keeping, key=lambda single: (single.cost_usd.value, single.model)).model if keeping else None


def _obstacle(e: PilotEvidence) -> Reason | None:
    """Why no prompt that could be bought would settle anything, if so: shares of the reference are not to be had."""
    if not e.reference_labels and not e.left:
        return "no_reference"
    if e.reference is None:
        return None
    if e.reference.quality.value <= NOTHING:
        return "no_quality"
    return "no_cost" if e.reference.cost_usd.value <= 0.0 else None


def _reason(e: PilotEvidence) -> Reason:
    """Why go on, or why not, as far as training prompts tell."""
    if not e.singles:
        return "no_answers"
    if e.saving is None or e.n_prompts < LEAST_TEST:
        return "too_few"
    beyond = e.saving.beyond
    if beyond.high < WORTH:
        return "nothing_left" if _is_sure(e) else "unsure"
    if e.queries_per_day is not None and yearly_usd(beyond, e.reference, e.queries_per_day) < e.next_usd:
        return "not_worth"
    return "unproven" if beyond.low > 0.0 else "undecided"


def _is_sure(e: PilotEvidence) -> bool:
    """Whether the best single choice is known to be good enough."""
    single = single_of(e.singles, best_single(e.singles))
    return single is not None and single.quality_ratio.low >= SURE


def yearly_usd(beyond: Figure, reference: Single | None, queries_per_day: float) -> float:
    """The most that routing may add to blind mixtures in a year of the user's traffic."""
    most = beyond.high if math.isfinite(beyond.high) else beyond.value
    reference_usd = math.nan if reference is None else reference.cost_usd.value
    return most * reference_usd * queries_per_day * DAYS
