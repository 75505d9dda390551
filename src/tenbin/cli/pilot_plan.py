"""`tenbin pilot plan NAME [PROMPTS]`: what to buy next, what it will cost, and what certainty it buys."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from tenbin.cli.flags import FILE, lang_option, root_option, seed_option
from tenbin.cli.open_router import CONFIG
from tenbin.cli.output import emit_json, json_option, say, words_of
from tenbin.errors import UsageError

if TYPE_CHECKING:
    from tenbin.pilot.plan.new import NewPilot


@click.command()
@click.argument("name")
@click.argument("prompts", type=FILE, required=False)
@click.option("--from-store", is_flag=True, help="Take the prompts that the gateway's ledger holds of the profile.")
@click.option("--budget", type=float, metavar="USD", help="Spend at most this on the pilot, grading included.")
@click.option("--config", type=FILE, metavar="FILE", help="Candidates and profiles (default: tenbin.toml).")
@click.option("--profile", metavar="NAME", help="The business use (default: the gateway's, or the only one).")
@click.option("--prices", type=FILE, metavar="FILE", help="Prices (TOML; default: those of [gateway]).")
@click.option("--reference", metavar="NAME", help="Hold savings against this candidate (default: the dearest).")
@click.option("--queries-per-day", type=float, metavar="N", help="Your traffic, for the payback in days.")
@click.option("--stage", type=click.IntRange(0), metavar="N", help="Plan stage N: the next, or the last one anew.")
@seed_option
@root_option
@lang_option
@json_option
def plan(
    name: str,
    prompts: Path | None,
    from_store: bool,
    budget: float | None,
    config: Path | None,
    profile: str | None,
    prices: Path | None,
    reference: str | None,
    queries_per_day: float | None,
    stage: int | None,
    seed: int,
    root: Path,
    lang: str,
    as_json: bool,
) -> None:
    """Plan a pilot, or the next stage of one; nothing is called and nothing is spent.

    PROMPTS is a file of your own prompts: JSON lines (prompt or messages; query_id, group, reference), CSV with such
    columns, or text with one prompt a line. With it a new pilot is made in ROOT/NAME; without it the next stage of that
    pilot is planned from what was bought.

    \b
    tenbin pilot plan support prompts.jsonl --budget 20
    tenbin pilot run support
    tenbin pilot plan support
    """
    from tenbin.cli.pilot_plan_text import plan_json, plan_text  # noqa: PLC0415
    from tenbin.cli.progress import TerminalProgress  # noqa: PLC0415
    from tenbin.pilot.folder import PilotFolder  # noqa: PLC0415
    from tenbin.pilot.plan.new import NewPilot, plan_new  # noqa: PLC0415
    from tenbin.pilot.plan.next import plan_next  # noqa: PLC0415

    _check(budget, queries_per_day)
    folder = PilotFolder(root / name)
    with TerminalProgress() as progress:
        if prompts is None and not from_store:
            is_default = click.get_current_context().get_parameter_source("seed") is ParameterSource.DEFAULT
            given = {"--config": config, "--profile": profile, "--reference": reference}
            _refuse_fixed(folder.path.exists(), {**given, "--seed": None if is_default else seed})
            found = plan_next(
                folder,
                os.environ,
                progress,
                stage=stage,
                budget_usd=budget,
                prices=prices,
                queries_per_day=queries_per_day,
            )
        else:
            if budget is None:
                raise UsageError("a new pilot needs a budget", fix="give --budget USD: nothing beyond it is ever spent")
            asked = NewPilot(prompts, config or Path(CONFIG), budget, profile, prices, reference, seed, queries_per_day)
            _refuse_both(asked, from_store, stage, name)
            found = plan_new(folder, asked, os.environ, progress)
    if as_json:
        emit_json(plan_json(name, found))
    else:
        say(plan_text(name, root, found, words_of(lang)))


def _check(budget: float | None, queries_per_day: float | None) -> None:
    for flag, value in (("--budget", budget), ("--queries-per-day", queries_per_day)):
        if value is not None and not 0.0 < value < float("inf"):
            raise UsageError(f"{flag} {value:g} is not above 0", fix="give a plain number such as 20")


def _refuse_both(asked: NewPilot, from_store: bool, stage: int | None, name: str) -> None:
    if from_store and asked.prompts is not None:
        raise UsageError("PROMPTS and --from-store are two sources", fix="give one of them")
    if stage not in (None, 0):
        raise UsageError(f"a new pilot begins with stage 0, not {stage}", fix="leave --stage out")
    if Path(name).name != name or name in ("", ".", ".."):
        raise UsageError(
            f'"{name}" is no name for a folder', fix="take a name without slashes, and --root for the place"
        )


def _refuse_fixed(is_there: bool, fixed: Mapping[str, object]) -> None:
    """What a pilot was planned with stays: another profile or reference is another pilot."""
    if not is_there:
        raise UsageError("a new pilot needs prompts", fix="give a file of them, or --from-store")
    for flag, value in fixed.items():
        if value is not None:
            fix = "leave it out, or plan another pilot"
            raise UsageError(f"{flag} was fixed when the pilot was planned", fix=fix)
