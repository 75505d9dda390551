"""What a newcomer's answers came to, for people and for programs."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenbin.cli.output import caution, faint, good, number, percent, strong, table, usd
from tenbin.online.evidence import LEAST_CLAIM
from tenbin.reasons import counted

if TYPE_CHECKING:
    from tenbin.cli.prompt_file import PromptLine
    from tenbin.online.evidence import NewcomerEvidence
    from tenbin.online.onboard import Onboarding, Suggestion
    from tenbin.router.router import Router

FEW = 16


def suggestion_json(found: Suggestion, lines: Sequence[PromptLine], out: Path) -> dict[str, Any]:
    """The fields of the `--json` document of a suggestion."""
    return {
        "out": out,
        "query_ids": [lines[place].query.query_id for place in found.places.tolist()],
        "label_propensity": found.propensity,
        "n_training_prompts": found.n_known,
    }


def suggestion_text(found: Suggestion, out: Path) -> str:
    """What was chosen, and what to do with it."""
    count = len(found.places)
    kind = (
        "training prompts, on which the other candidates' answers are known"
        if found.n_known >= count
        else f"prompts, {found.n_known} of those given being training prompts: the more the better"
    )
    return "\n".join(
        [
            f"{good('Wrote')} {strong(str(out))}: {count} {kind}.",
            f"  Each had the same chance ({found.propensity:.3g}); they cover easy and hard ones.",
            f"Next: have the new candidate answer them, grade the answers as the others' were, and give the table "
            f"to {strong('tenbin router add-model ROUTER OUTCOMES --model NAME --out NEW')}",
        ]
    )


def addition_json(found: Onboarding, out: Path | None) -> dict[str, Any]:
    """The fields of the `--json` document of an addition; `router` is null where it was not taken in."""
    return {
        "model": found.model,
        "taken_in": out is not None,
        "forced": out is not None and not found.evidence.suffices,
        "router": out,
        "artifact_hash": None if out is None else found.router.manifest.artifact_hash,
        "n_labels": found.n_labels,
        "n_labels_on_training_prompts": found.n_known,
        "quality": found.quality,
        "quality_sd": found.quality_sd,
        "quality_of_labels": found.quality_of_labels,
        "cost_usd": found.cost_usd,
        "multiples": found.multiples,
        "evidence": found.evidence,
        "least_gain": found.evidence.least_gain,
    }


def addition_text(found: Onboarding, before: Router, out: Path | None) -> str:
    """What was learnt, beside the candidates that are known, and whether it was taken in."""
    evidence = found.evidence
    labels = counted(found.n_labels, "label")
    known = f", {found.n_known:,} on training prompts" if found.n_known else ", none on a training prompt"
    parts = [f"{strong(found.model)}, from {labels}{known}", _candidates(found, before)]
    if found.n_labels < FEW:
        parts.append(f"{caution('Few labels')}: {FEW} to 64 are advised.")
    if math.isnan(found.multiples["latency_s"]) and before.manifest.t_ref_s is not None:
        parts.append("Its seconds were not measured: where seconds weigh (w > 0) it is never chosen.")
    parts.append(_promise(evidence))
    if out is None:
        parts.append(f"{caution('Not taken in')}. More labels may tell; --force takes it in as it is.")
    else:
        how = good("Taken in") if evidence.suffices else caution("Taken in by force")
        command = f"tenbin evaluate {shlex.quote(str(out))} OUTCOMES"
        parts.append(f"{how}: {strong(str(out))}\nNext: {strong(command)}{faint('  (with outcomes of it)')}")
    return "\n\n".join(parts)


def _promise(evidence: NewcomerEvidence) -> str:
    """The gain that is expected, and what it is held against."""
    if evidence.share == 0.0:
        return "Nowhere along the dial would it be chosen: others are better at its price, or cheaper at its quality."
    beats = (
        ""
        if evidence.claim is None
        else f"\nIt looks better than the best known candidate, for less: certain with {percent(evidence.claim, 0)}, "
        f"needed are {percent(LEAST_CLAIM, 0)}."
    )
    return (
        f"Expected gain in AIQ-log {evidence.gain:+.4f} [{evidence.low:+.4f}, {evidence.high:+.4f}], above zero with "
        f"{percent(evidence.certainty, 0)}; needed is {evidence.least_gain:.4f}.\n"
        f"It would be given at most {percent(evidence.share, 0)} of the prompts."
        f"{beats}"
    )


def _candidates(found: Onboarding, before: Router) -> str:
    """The newcomer among the candidates nearest to it in dollars."""
    after = found.router
    dollars = after.cost_usd(after.crossfit.estimates).mean(axis=0).tolist()
    quality = after.baselines.means["quality"].tolist()
    rows = sorted(zip(after.models, quality, dollars, strict=True), key=lambda row: (row[2], row[0]))
    at = [name for name, _, _ in rows].index(found.model)
    near = rows[max(0, at - 3) : at + 4]
    cells = [
        [
            strong(name) if name == found.model else name,
            f"{number(q)} ± {found.quality_sd:.3f}" if name == found.model else number(q),
            usd(1000 * cost),
        ]
        for name, q, cost in near
    ]
    hidden = len(before.models) + 1 - len(near)
    more = faint(f"\n  and {hidden} more, dearer or cheaper") if hidden else ""
    return table(["model", "quality", "per 1,000"], cells, indent=2) + more
