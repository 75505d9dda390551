"""What the next stage would be, were it planned now: its cost and the certainty that it buys; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tenbin.errors import TenbinError
from tenbin.pilot.pair import Pair
from tenbin.pilot.plan.planner import History, plan_stage
from tenbin.pilot.plan.setup import PilotSetup, setup_of
from tenbin.pilot.plan.stage import StagePlan
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import Record
from tenbin.pilot.settings import PilotSettings
from tenbin.pilot.standing import Standing


def setup_today(settings: PilotSettings, environ: Mapping[str, str]) -> PilotSetup | None:
    """What the pilot's configuration says today; None where it, its prices or its judge are not to be had."""
    try:
        return setup_of(settings, environ)
    except TenbinError:
        return None


def next_stage(
    setup: PilotSetup,
    settings: PilotSettings,
    prompts: Sequence[PilotPrompt],
    plan: Sequence[Pair],
    records: Sequence[Record],
) -> StagePlan | None:
    """The stage behind the planned ones as `pilot plan` would draft it; None where budget or prompts are used up."""
    try:
        planned, _ = plan_stage(
            prompts,
            setup,
            History(plan, records, Standing.of(records).spent_usd),
            stage=1 + max((pair.stage for pair in plan), default=-1),
            reference=settings.reference,
            budget_usd=settings.budget_usd,
            seed=settings.seed,
            at=0.0,
        )
    except TenbinError:
        return None
    return planned.stage
