"""A router's card, manifest and dial, for people and for programs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from tenbin.artifact import MANIFEST, read_manifest
from tenbin.cli.output import caution, faint, number, strong, table
from tenbin.cli.promise_text import promise_cells, promises_at
from tenbin.errors import ArtifactError, DecisionError
from tenbin.router.crossfit import DialCurve
from tenbin.router.dials import Dial, turn
from tenbin.router.router import Router

SHARES = (1.0, 0.99, 0.97, 0.95, 0.9)


def listing(folder: Path) -> list[dict[str, Any]]:
    """One entry per router in a folder, by name; a damaged one carries its `error` (ArtifactError: no folder)."""
    if not folder.is_dir():
        raise ArtifactError("is no folder", where=str(folder), fix="name the folder that holds your routers")
    places = [folder, *sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))]
    return [entry(place) for place in places if (place / MANIFEST).is_file()]


def entry(place: Path) -> dict[str, Any]:
    """What a listing says of the router in a folder."""
    try:
        manifest = read_manifest(place)
    except ArtifactError as error:
        return {"router": str(place), "error": str(error)}
    return {
        "router": str(place),
        "artifact_hash": manifest.artifact_hash,
        "n_train": manifest.n_train,
        "models": list(manifest.models),
        "reference": manifest.reference,
        "embedder": manifest.embedder,
        "predictor": manifest.predictor,
    }


def list_text(folder: Path, entries: list[dict[str, Any]]) -> str:
    """The listing as a table."""
    if not entries:
        return f"no routers in {folder}; make one: {strong('tenbin fit OUTCOMES --out ROUTER')}"
    whole = [found for found in entries if "error" not in found]
    headers = ["router", "reference", "embedder", "hash", "models", "prompts"]
    cells = [
        [
            found["router"],
            found["reference"],
            found["embedder"],
            found["artifact_hash"][:12],
            str(len(found["models"])),
            f"{found['n_train']:,}",
        ]
        for found in whole
    ]
    broken = [f"{caution('damaged')} {found['error']}" for found in entries if "error" in found]
    return "\n".join([*([table(headers, cells, left=(0, 1, 2, 3))] if cells else []), *broken])


def dial_rows(curve: DialCurve) -> list[dict[str, float]]:
    """Per share of the reference's quality: the mu of least cost that keeps it out of fold (NaN: none does)."""
    rows = []
    for share in SHARES:
        try:
            mu = turn(Dial(min_quality=share), curve).mu
        except DecisionError:
            mu = quality = cost = math.nan
        else:
            at = int(np.argmin(np.abs(curve.mu - mu)))
            quality, cost = float(curve.quality[at]), float(curve.cost_usd[at])
        saving = 1.0 - cost / curve.reference_cost_usd if curve.reference_cost_usd > 0.0 else math.nan
        rows.append({"min_quality": share, "mu": mu, "quality": quality, "cost_usd": cost, "saving": saving})
    return rows


def show_json(router: Router, curve: DialCurve) -> dict[str, Any]:
    """The fields of the `--json` document of a router."""
    rows = dial_rows(curve)
    promises = promises_at(router, [row["mu"] for row in rows])
    return {
        "artifact_hash": router.manifest.artifact_hash,
        "prices_version": router.prices.version,
        "manifest": router.manifest,
        "dial": [{**row, "promise": promise} for row, promise in zip(rows, promises, strict=True)],
        "curve": {"mu": curve.mu, "quality": curve.quality, "cost_usd": curve.cost_usd},
    }


def show_text(router: Router, curve: DialCurve) -> str:
    """The card, then the dial."""
    rows = dial_rows(curve)
    cells = [
        [f"--min-quality {row['min_quality']:g}", number(row["mu"], 4), *promise_cells(promise)]
        for row, promise in zip(rows, promises_at(router, [row["mu"] for row in rows]), strict=True)
    ]
    drawn = table(["dial", "mu", "quality kept", "per 1,000", "saving"], cells, indent=2)
    note = (
        f"Out of fold on the training prompts, against {router.manifest.reference} for every query "
        "(95% intervals over prompts in brackets, – where that quality is not reached):"
    )
    hashes = f"artifact {router.manifest.artifact_hash[:12]}, prices {router.prices.version[:12]}"
    return "\n\n".join([router.card.strip(), note, drawn, faint(hashes)])
