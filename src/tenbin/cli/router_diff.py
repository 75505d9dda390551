"""How two routers differ: candidates, how they were trained, prices, what their dials reach."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from tenbin.artifact import Manifest
from tenbin.cli.output import faint, number, strong, table
from tenbin.cli.prices_text import diff_text as prices_text
from tenbin.cli.router_text import dial_cells, dial_rows
from tenbin.router.router import Router

IN_OTHER_PARTS = ("candidates", "hashes")


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


def diff_text(before: str, after: str, found: dict[str, Any]) -> str:
    """The differences for people."""
    if found["same"]:
        return f"{before} and {after} are the same artifact at the same prices"
    parts = [f"{strong(before)} → {strong(after)}"]
    changes = [f"  {sign} {name}" for sign, key in (("+", "added"), ("-", "removed")) for name in found[key]]
    changes += [f"  ~ {name} {faint('(capabilities or limits)')}" for name in found["changed_candidates"]]
    if changes:
        parts.append("\n".join(["Candidates", *changes]))
    if found["manifest"]:
        rows = [[name, str(old), str(new)] for name, (old, new) in found["manifest"].items()]
        parts.append("Training\n" + table(["", "before", "after"], rows, left=(0, 1, 2), indent=2))
    moved = [[name, number(a, 4), number(b, 4), f"{b - a:+.4f}"] for name, (a, b) in found["quality"].items() if a != b]
    if moved:
        parts.append("Mean quality in training\n" + table(["model", "before", "after", "change"], moved, indent=2))
    if found["prices"]:
        parts.append("Prices\n" + prices_text(found["prices"]))
    dial = [[f"{row['min_quality']:g}", *dial_change(row["before"], row["after"])] for row in found["dial"]]
    headers = ["min quality", "mu", "per 1,000", "→ mu", "→ per 1,000"]
    parts.append("Dial, out of fold\n" + table(headers, dial, indent=2))
    return "\n\n".join(parts)


def dial_change(before: dict[str, float], after: dict[str, float]) -> list[str]:
    """The cells of one dial before and after: mu and dollars."""
    (mu, _, cost, _), (new_mu, _, new_cost, _) = dial_cells(before), dial_cells(after)
    return [mu, cost, new_mu, new_cost]
