"""A new pilot: its prompts read, the hold-out drawn, its first stage planned, its folder written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import time

from msgspec.structs import replace

from tenbin.config import needs_reference, read_store
from tenbin.errors import DataError, UsageError, did_you_mean
from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.plan.clusters import cluster_prompts
from tenbin.pilot.plan.distinct import Distinct, distinct
from tenbin.pilot.plan.hold_out import draw_splits
from tenbin.pilot.plan.ladder import LEAST_PROMPTS
from tenbin.pilot.plan.ledger import read_ledger
from tenbin.pilot.plan.planner import History, plan_stage
from tenbin.pilot.plan.read import hash_of, read_prompts
from tenbin.pilot.plan.setup import PilotSetup, read_setup
from tenbin.pilot.plan.stage import StagePlan
from tenbin.pilot.plan.write import create
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.settings import PilotSettings
from tenbin.reasons import counted
from tenbin.types import SPLITS, Progress

LEAST_DIFFERENT = 20
"""Fewer different prompts leave nothing for a hold-out."""


@dataclass(frozen=True, slots=True)
class NewPilot:
    """What is asked of a new pilot; `prompts` None takes the prompts that the gateway's ledger holds of the profile."""

    prompts: Path | None
    config: Path
    budget_usd: float
    profile: str | None = None
    prices: Path | None = None
    reference: str | None = None
    seed: int = 0
    queries_per_day: float | None = None


@dataclass(frozen=True, slots=True)
class PilotPlan:
    """What was planned: the stage, and of what. `n_read` prompts were read, `splits` counts the different ones.

    Of `n_ungradable` of these the metric can tell nothing, since they have no reference.
    """

    settings: PilotSettings
    stage: StagePlan
    spent_usd: float
    splits: Mapping[str, int]
    n_read: int
    is_sample: bool = False
    n_ungradable: int = 0


def plan_new(folder: PilotFolder, asked: NewPilot, environ: Mapping[str, str], progress: Progress) -> PilotPlan:
    """Plan a new pilot and write its folder, whole or not at all; nothing is called.

    Raises DataError (prompts that cannot be read, too few), ConfigError, PriceError, StoreError (a ledger that does not
    answer), UsageError (a folder that is there already, an unknown reference, a budget that buys next to nothing).
    """
    if folder.path.exists():
        fix = "leave the prompts out to plan its next stage, or take another name"
        raise UsageError("is there already", where=str(folder.path), fix=fix)
    setup = read_setup(asked.config, environ, profile=asked.profile, prices=asked.prices)
    if asked.reference is not None and asked.reference not in setup.names:
        fix = did_you_mean(asked.reference, setup.names) or f"candidates: {', '.join(setup.names)}"
        raise UsageError(f'the reference "{asked.reference}" is no candidate of the profile', fix=fix)
    progress("reading prompts", 0.0)
    source, prompts_hash, said = _source(asked, setup)
    found = distinct(said, seed=asked.seed)
    if len(found.prompts) < LEAST_DIFFERENT:
        few = counted(len(found.prompts), "different prompt is", "different prompts are")
        what = f"{few} too few for a pilot (fewer than {LEAST_DIFFERENT})"
        raise DataError(what, where=source, fix="give more: a few hundred that look like your traffic")
    progress("clustering prompts", 0.3)
    prompts = _placed(found, asked.seed)
    if sum(prompt.split == "train" for prompt in prompts) < LEAST_PROMPTS:
        raise DataError(
            "nearly all prompts are alike", where=source, fix="give prompts that differ as your traffic does"
        )
    progress("planning", 0.6)
    now = time()
    planned, reference = plan_stage(
        prompts,
        setup,
        History(),
        stage=0,
        reference=asked.reference,
        budget_usd=asked.budget_usd,
        seed=asked.seed,
        at=now,
    )
    settings = PilotSettings(
        profile=setup.profile.name,
        candidates=setup.names,
        reference=reference,
        metric=setup.profile.metric or "",
        metric_name=setup.grader.name,
        budget_usd=asked.budget_usd,
        config=str(asked.config.resolve()),
        prompts_source=source,
        prompts_hash=prompts_hash,
        seed=asked.seed,
        queries_per_day=asked.queries_per_day,
        prices=str(setup.prices_path.resolve()),
        created_at=now,
    )
    create(folder, settings, prompts, planned)
    progress("planning", 1.0)
    splits, ungradable = count_splits(prompts), count_ungradable(prompts, setup)
    return PilotPlan(settings, planned.stage, 0.0, splits, found.n_read, found.is_sample, ungradable)


def count_splits(prompts: Sequence[PilotPrompt]) -> dict[str, int]:
    """How many prompts there are for learning, calibration and test."""
    return {split: sum(p.split == split for p in prompts) for split in SPLITS}


def count_ungradable(prompts: Sequence[PilotPrompt], setup: PilotSetup) -> int:
    """How many prompts lack the reference that the profile's metric needs."""
    if not needs_reference(setup.document, setup.profile.metric or ""):
        return 0
    return sum(prompt.reference is None for prompt in prompts)


def _source(asked: NewPilot, setup: PilotSetup) -> tuple[str, str, Iterator[PilotPrompt]]:
    """What the prompts come from, in words, its hash where it is a file, and the prompts."""
    if asked.prompts is not None:
        return asked.prompts.name, hash_of(asked.prompts), read_prompts(asked.prompts)
    store = read_store(setup.document).path
    return "the gateway's ledger", "", read_ledger(store, setup.profile.name)


def _placed(found: Distinct, seed: int) -> tuple[PilotPrompt, ...]:
    """The prompts with their split and cluster."""
    splits = draw_splits(found.prompts, seed=seed)
    clusters = cluster_prompts(found.prompts, seed=seed)
    return tuple(
        replace(prompt, split=split, cluster=cluster)
        for prompt, split, cluster in zip(found.prompts, splits, clusters.tolist(), strict=True)
    )
