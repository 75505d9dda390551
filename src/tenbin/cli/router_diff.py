"""How two routers differ: candidates, how they were trained, prices, what their dials reach."""

from __future__ import annotations

import math
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from tenbin.artifact import Manifest
from tenbin.cli.evaluate_text import per_thousand
from tenbin.cli.output import clip, faint, number, strong, table
from tenbin.cli.prices_text import diff_text as prices_text
from tenbin.cli.router_text import dial_rows
from tenbin.reasons import counted
from tenbin.router.router import Router

IN_OTHER_PARTS = ("candidates", "hashes")
ONLY_FOR_PROGRAMS = ("embedder_reason", "changes")
"""Too long for a table; the embedder itself has a row, and who came and went stands above."""
WIDEST_NAME, WIDEST_CELL = 18, 36
FULL_HASH = re.compile(r"[0-9a-f]{64}")


def differences(before: Router, after: Router) -> dict[str, Any]:
    """Everything that differs between two routers, as JSON fields."""
    old, new = before.manifest, after.manifest
    return {
        "same": old.artifact_hash == new.artifact_hash and before.prices.version == after.prices.version,
        "artifact_hash": [old.artifact_hash, new.artifact_hash],
        "added": sorted(set(new.models) - set(old.models)),
        "removed": sorted(set(old.models) - set(new.models)),
        "changed_candidates": sorted(
            c.name for c in new.candidates if c.name in old.models and c not in old.candidates
        ),
        "manifest": {
            field.name: [getattr(old, field.name), getattr(new, field.name)]
            for field in fields(Manifest)
            if field.name not in IN_OTHER_PARTS and getattr(old, field.name) != getattr(new, field.name)
        },
        "quality": {name: [mean_quality(router, name) for router in (before, after)] for name in shared(before, after)},
        "prices": before.prices.diff(after.prices),
        "dial": [
            {"min_quality": a["min_quality"], "before": a, "after": b}
            for a, b in zip(dial_rows(before.dial_curve()), dial_rows(after.dial_curve()), strict=True)
        ],
    }


def shared(before: Router, after: Router) -> list[str]:
    """The models of both routers."""
    return [name for name in before.models if name in after.models]


def mean_quality(router: Router, model: str) -> float:
    """A model's mean quality in training."""
    return float(router.baselines.means["quality"][router.models.index(model)])


def diff_text(before: Path, after: Path, found: dict[str, Any]) -> str:
    """The differences for people, the routers called by their folders."""
    names = called(before, after)
    if found["same"]:
        return f"{before} and {after} are the same artifact at the same prices"
    parts = [f"{strong(str(before))} → {strong(str(after))}"]
    told = {change.model: change for change in found["manifest"].get("changes", ((), ()))[1] if change.kind == "added"}
    changes = [
        f"  {sign} {name}" + (faint(f" (from {counted(told[name].n_labels, 'label')})") if name in told else "")
        for sign, key in (("+", "added"), ("-", "removed"))
        for name in found[key]
    ]
    changes += [f"  ~ {name} {faint('(capabilities or limits)')}" for name in found["changed_candidates"]]
    if changes:
        parts.append("\n".join(["Candidates", *changes]))
    rows = [[name, *map(cell, pair)] for name, pair in found["manifest"].items() if name not in ONLY_FOR_PROGRAMS]
    if rows:
        parts.append("Training\n" + table(["", *names], rows, left=(0, 1, 2), indent=2))
    moved = [[name, number(a, 4), number(b, 4), f"{b - a:+.4f}"] for name, (a, b) in found["quality"].items() if a != b]
    if moved:
        parts.append("Mean quality in training\n" + table(["model", *names, "change"], moved, indent=2))
    if found["prices"]:
        parts.append("Prices\n" + prices_text(found["prices"], names))
    dial = [[f"{row['min_quality']:g}", reached(row["before"]), reached(row["after"])] for row in found["dial"]]
    title = "Dial, out of fold: dollars per 1,000 prompts, and the mu that leads there"
    parts.append(f"{title}\n" + table(["min quality", *names], dial, indent=2))
    return "\n\n".join(parts)


def called(before: Path, after: Path) -> tuple[str, str]:
    """What two routers are called in table heads: their folders' names, or before and after where those are equal."""
    short = tuple(clip(path.resolve().name, WIDEST_NAME) for path in (before, after))
    return (short[0], short[1]) if short[0] != short[1] else ("before", "after")


def cell(value: Any) -> str:
    """One setting of a training: hashes by their first 12 digits, figures to 6."""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return clip(FULL_HASH.sub(lambda found: found[0][:12], text), WIDEST_CELL)


def reached(row: dict[str, float]) -> str:
    """What one dial comes to: dollars and mu."""
    return "not reached" if math.isnan(row["mu"]) else f"{per_thousand(row['cost_usd'])} at mu {row['mu']:.4f}"
