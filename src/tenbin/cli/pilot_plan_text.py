"""A planned stage in words, a table and JSON: what it buys, what it costs, what certainty it brings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tenbin.cli.failure import one_line
from tenbin.cli.output import NAME_WIDTH, caution, clip, faint, percent, prose, strong, table, usd
from tenbin.cli.progress import duration
from tenbin.pilot.commands import pilot_command
from tenbin.pilot.plan.new import PilotPlan
from tenbin.pilot.plan.stage import StagePlan
from tenbin.report.catalogue import Catalogue

KINDS: Mapping[str, str] = {
    "all": "pilot_plan.kind_all",
    "paired": "pilot_plan.kind_paired",
    "chosen": "pilot_plan.kind_chosen",
    "held_out": "pilot_plan.kind_held_out",
}


def plan_text(name: str, root: Path, found: PilotPlan, words: Catalogue) -> str:
    """The stage as a person reads it, and the command that buys it."""
    stage = found.stage
    head = words("pilot_plan.head", name=one_line(name), stage=str(stage.stage), what=words(KINDS[stage.kind]))
    asked = words(
        "pilot_plan.asked",
        pairs=f"{stage.pairs:,}",
        prompts=f"{stage.prompts:,}",
        held_out=f"{stage.held_out:,}",
        cost=usd(stage.expected_usd),
        low=usd(stage.low_usd),
        high=usd(stage.high_usd),
        time=duration(stage.seconds),
    )
    parts = [strong(prose(head)), prose(_prompts(found, words)), prose(asked), _candidates(stage, words)]
    parts.append("\n".join(prose(f"- {line}", hang=2) for line in _remarks(found, words)))
    command = pilot_command("run", name, root)
    parts.append(words("pilot_plan.next", dry=strong(f"{command} --dry-run"), run=strong(command)))
    return "\n\n".join(parts)


def plan_json(name: str, found: PilotPlan) -> dict[str, Any]:
    """The stage for programs."""
    settings = found.settings
    return {
        "pilot": name,
        "profile": settings.profile,
        "metric": settings.metric_name,
        "reference": settings.reference,
        "budget_usd": settings.budget_usd,
        "spent_usd": found.spent_usd,
        "prompts_read": found.n_read,
        "splits": dict(found.splits),
        "stage": msgspec.to_builtins(found.stage),
    }


def _prompts(found: PilotPlan, words: Catalogue) -> str:
    kept = sum(found.splits.values())
    said = words(
        "pilot_plan.prompts",
        read=f"{found.n_read:,}",
        kept=f"{kept:,}",
        train=f"{found.splits['train']:,}",
        calibration=f"{found.splits['calibration']:,}",
        test=f"{found.splits['test']:,}",
    )
    return f"{said} {words('pilot_plan.sampled')}" if found.is_sample else said


def _candidates(stage: StagePlan, words: Catalogue) -> str:
    titles = ("candidate", "pairs", "tokens_in", "tokens_out", "resting_on", "cost", "at_most", "time")
    rows = [
        [
            clip(one_line(row.model), NAME_WIDTH),
            f"{row.pairs:,}",
            f"{row.input_tokens:,.0f}",
            f"{row.output_tokens:,.0f}",
            words("pilot_plan.answers", n=f"{row.answers:,}") if row.answers else words("pilot_plan.prompts_alone"),
            usd(row.expected_usd),
            usd(row.high_usd),
            duration(row.seconds),
        ]
        for row in stage.candidates
    ]
    return table([words(f"pilot_plan.{title}") for title in titles], rows)


def _remarks(found: PilotPlan, words: Catalogue) -> list[str]:
    stage, settings = found.stage, found.settings
    left = settings.budget_usd - found.spent_usd
    remarks = [words("pilot_plan.budget", spent=usd(found.spent_usd), left=usd(left), budget=usd(settings.budget_usd))]
    if stage.grading_usd > 0.0:
        remarks.append(words("pilot_plan.grading", cost=usd(stage.grading_usd)))
    remarks.append(
        words(
            "pilot_plan.width" if stage.measured else "pilot_plan.width_assumed",
            half=percent(stage.saving_width / 2.0, 0),
            n=f"{stage.saving_prompts:,}",
            reference=one_line(settings.reference),
        )
    )
    if stage.set_aside:
        aside = ", ".join(one_line(model) for model in stage.set_aside)
        remarks.append(words("pilot_plan.set_aside", models=aside))
    if found.n_ungradable:
        remarks.append(caution(words("pilot_plan.ungradable", n=f"{found.n_ungradable:,}")))
    if not any(row.answers for row in stage.candidates):
        remarks.append(caution(words("pilot_plan.guessed")))
    remarks.append(faint(words("pilot_plan.held_out")))
    return remarks
