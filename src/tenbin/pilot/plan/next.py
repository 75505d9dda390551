"""The next stage of a pilot that is there already."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from time import time

from msgspec.structs import replace

from tenbin.errors import UsageError
from tenbin.pilot.commands import run_command
from tenbin.pilot.down import down_candidates
from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.journal import Journal, read_journal
from tenbin.pilot.pair import Pair
from tenbin.pilot.plan.new import PilotPlan, count_splits, count_ungradable
from tenbin.pilot.plan.planner import History, plan_stage
from tenbin.pilot.plan.setup import setup_of
from tenbin.pilot.plan.write import read_stages, write_stages
from tenbin.pilot.standing import Standing
from tenbin.reasons import counted
from tenbin.types import Progress

MOST_LEFT = 0.1
"""A stage of which more is not yet bought is finished first: the next one is chosen on it."""


def plan_next(
    folder: PilotFolder,
    environ: Mapping[str, str],
    progress: Progress,
    *,
    stage: int | None = None,
    budget_usd: float | None = None,
    prices: Path | None = None,
    queries_per_day: float | None = None,
) -> PilotPlan:
    """Plan the next stage and put it behind the earlier ones; nothing is called.

    `stage` plans this one: the next, or anew the last one where nothing of it is bought. `budget_usd`, `prices` and
    `queries_per_day` take the place of the pilot's own from now on. Raises DataError (no such pilot, a damaged file),
    StoreError (a run is writing it, a full disk), UsageError (the last stage is not bought, the budget or the prompts
    are used up), ConfigError, PriceError.
    """
    settings = folder.read_settings()
    settings = replace(
        settings,
        budget_usd=settings.budget_usd if budget_usd is None else budget_usd,
        prices=settings.prices if prices is None else str(prices.resolve()),
        queries_per_day=settings.queries_per_day if queries_per_day is None else queries_per_day,
    )
    folder.check_places(settings)
    setup = setup_of(settings, environ)
    prompts = folder.read_prompts()
    with Journal.open(folder):
        progress("reading what was bought", 0.0)
        records = list(read_journal(folder))
        standing = Standing.of(records)
        pairs = folder.read_plan()
        number = _number(folder, pairs, standing, down_candidates(records), stage)
        stages = [found for found in read_stages(folder) if found.stage < number]
        earlier = [pair for pair in pairs if pair.stage < number]
        progress("planning", 0.3)
        planned, _ = plan_stage(
            prompts,
            setup,
            History(earlier, records, standing.spent_usd),
            stage=number,
            reference=settings.reference,
            budget_usd=settings.budget_usd,
            seed=settings.seed,
            at=time(),
        )
        folder.write_settings(settings)
        write_stages(folder, [*stages, planned.stage], [*earlier, *planned.pairs])
    progress("planning", 1.0)
    return PilotPlan(
        settings,
        planned.stage,
        standing.spent_usd,
        count_splits(prompts),
        n_read=sum(prompt.count for prompt in prompts),
        n_ungradable=count_ungradable(prompts, setup),
    )


def _number(
    folder: PilotFolder, pairs: Sequence[Pair], standing: Standing, down: Collection[str], asked: int | None
) -> int:
    """The stage to plan (UsageError where it cannot be this one yet, or any more); nobody waits for who is `down`."""
    last = max((pair.stage for pair in pairs), default=-1)
    of_last = [pair for pair in pairs if pair.stage == last]
    settled = standing.bought | standing.given_up
    done = sum(pair.key in settled for pair in of_last)
    if asked is not None and asked == last and done == 0:
        return last
    if asked is not None and asked != last + 1:
        bought = counted(done, "pair is", "pairs are")
        what = f"stage {asked} cannot be planned: the last one is {last}, of which {bought} bought"
        raise UsageError(what, fix=f"plan stage {last + 1}, the next one")
    left = sum(pair.key not in settled and pair.model not in down for pair in of_last)
    if left > MOST_LEFT * len(of_last):
        what = f"{left:,} of the {len(of_last):,} pairs of stage {last} are not bought yet"
        again = f", or plan it anew with --stage {last}" if done == 0 else ""
        raise UsageError(what, fix=f"buy them first: {run_command(folder)}{again}")
    return last + 1
