"""What to do next follows from the evidence, the money and the traffic."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tenbin.pilot.measure import PilotSaving, Single
from tenbin.pilot.verdict import PilotEvidence, verdict_of
from tenbin.types import Figure

NONE = Figure(0.0, 0.0, 0.0)


def single(model: str, cost: float, ratio: float) -> Single:
    return Single(model, Figure(ratio, ratio, ratio), Figure(cost, cost, cost), Figure(ratio, ratio, ratio), NONE)


def beyond(low: float, high: float) -> PilotSaving:
    return PilotSaving(0.97, NONE, NONE, NONE, Figure((low + high) / 2, low, high), NONE)


UNSURE = replace(single("mid", 0.004, 0.98), quality_ratio=Figure(0.98, 0.9, 1.06))
OPEN = PilotEvidence(
    stage=1,
    left=0,
    next_usd=5.0,
    spent_usd=5.0,
    budget_left_usd=50.0,
    n_prompts=200,
    singles=(single("big", 0.01, 1.0), single("mid", 0.004, 0.98), single("small", 0.001, 0.6)),
    saving=beyond(-0.1, 0.3),
    reference_labels=200,
    reference=single("big", 0.01, 1.0),
    queries_per_day=None,
    proof=None,
    proof_model=None,
    is_exhausted=False,
)


@pytest.mark.parametrize(
    ("changes", "kind", "reason", "stage"),
    [
        ({}, "buy", "undecided", 2),
        ({"saving": beyond(0.05, 0.3)}, "buy", "unproven", 2),
        ({"saving": beyond(-0.1, 0.019)}, "single", "nothing_left", None),
        ({"saving": None, "n_prompts": 20}, "buy", "too_few", 2),
        ({"singles": (), "saving": None, "n_prompts": 0}, "buy", "no_answers", 2),
        ({"saving": beyond(-0.1, 0.019), "singles": (UNSURE, single("big", 0.01, 1.0))}, "buy", "unsure", 2),
        ({"left": 3}, "run", "unfinished", 1),
        ({"left": 3, "singles": (), "saving": None}, "run", "no_answers", 1),
        ({"left": 3, "budget_left_usd": 0.0}, "single", "no_money", 1),
        ({"budget_left_usd": 0.5}, "single", "no_money", 2),
        ({"queries_per_day": 4.0}, "single", "not_worth", None),
        ({"queries_per_day": 5.0}, "buy", "undecided", 2),
        ({"is_exhausted": True}, "prompts", "exhausted", None),
        ({"proof": "route"}, "live", "proved", None),
        ({"proof": "collect"}, "buy", "undecided", 2),
        ({"proof": "single"}, "single", "proved_single", None),
        ({"proof": "single", "saving": beyond(0.05, 0.3)}, "buy", "unproven", 2),
        ({"singles": (), "saving": None, "n_prompts": 0, "reference_labels": 0}, "check", "no_reference", None),
        ({"left": 3, "singles": (), "saving": None, "reference_labels": 0}, "run", "no_answers", 1),
        ({"reference": single("big", 0.01, 0.0), "is_exhausted": True}, "check", "no_quality", None),
        ({"reference": single("big", 0.0, 1.0), "is_exhausted": True, "proof": "single"}, "check", "no_cost", None),
    ],
)
def test_the_verdict(changes: dict[str, object], kind: str, reason: str, stage: int | None) -> None:
    found = verdict_of(replace(OPEN, **changes))  # type: ignore[arg-type]
    assert (found.kind, found.reason, found.stage) == (kind, reason, stage)


def test_the_single_choice_is_the_cheapest_that_keeps_the_target_or_what_the_hold_out_named() -> None:
    assert verdict_of(OPEN).model == "mid"
    assert verdict_of(replace(OPEN, singles=OPEN.singles[:1] + OPEN.singles[2:])).model == "big"
    assert verdict_of(replace(OPEN, proof="single", proof_model="small")).model == "small"
