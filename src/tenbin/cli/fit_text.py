"""What a fit came to, for people and for programs."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tenbin.cli.output import TEXTS, faint, good, number, pad, percent, strong, table, usd
from tenbin.report.catalogue import Catalogue, load_catalogue
from tenbin.router.pricing import TOKENS

if TYPE_CHECKING:
    from tenbin.router.router import Router

PROMISE = 0.97
MOST_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Measured:
    """Training means per candidate [M], and what the rule reached out of fold at 97 % of the reference's quality.

    `saving` is 1 - its dollars / the reference's; NaN where that quality is not reached.
    """

    quality: tuple[float, ...]
    cost_usd: tuple[float, ...]
    reached: float
    promise_cost_usd: float
    saving: float


def measured(router: Router) -> Measured:
    """The figures of a fresh fit, from its cross-fitted rows at the router's prices."""
    crossfit = router.crossfit
    observed = router.observed_cost_usd()
    curve = router.dial_curve()
    kept = curve.quality >= PROMISE * curve.reference_quality
    cost = float(curve.cost_usd[kept].min()) if kept.any() else math.nan
    spent = curve.reference_cost_usd
    weight = np.where(np.isnan(observed), 0.0, crossfit.observed.weight)
    dollars = np.nansum(observed * crossfit.observed.weight, axis=0) / np.maximum(weight.sum(axis=0), 1e-300)
    return Measured(
        quality=tuple(router.baselines.means["quality"].tolist()),
        cost_usd=tuple(dollars.tolist()),
        reached=float(curve.quality.max() / curve.reference_quality),
        promise_cost_usd=cost,
        saving=1.0 - cost / spent if spent > 0.0 else math.nan,
    )


def fit_json(router: Router, out: Path, found: Measured) -> dict[str, Any]:
    """The fields of the `--json` document of a fit."""
    manifest = router.manifest
    return {
        "router": out,
        "artifact_hash": manifest.artifact_hash,
        "data_hash": manifest.data_hash,
        "n_train": manifest.n_train,
        "n_labels": manifest.n_labels,
        "predictor": manifest.predictor,
        "embedder": manifest.embedder,
        "embedder_name": manifest.embedder_name,
        "embedder_reason": manifest.embedder_reason,
        "uses_groups": manifest.uses_groups,
        "cost_basis": manifest.cost_basis,
        "reference": manifest.reference,
        "c_ref_usd": manifest.c_ref_usd,
        "t_ref_s": manifest.t_ref_s,
        "seed": manifest.seed,
        "candidates": [
            {"model": name, "quality": found.quality[m], "cost_usd": found.cost_usd[m]}
            for m, name in enumerate(router.models)
        ],
        "crossfit": {"quality_ratio": PROMISE, "cost_usd": found.promise_cost_usd, "saving": found.saving},
    }


def fit_text(router: Router, out: Path, found: Measured, lang: str = "en", *, next_step: bool = True) -> str:
    """The summary of a fit in one language, ending with the next command."""
    words, manifest = load_catalogue(lang, TEXTS), router.manifest
    order = sorted(range(len(router.models)), key=lambda m: (-found.quality[m], router.models[m]))
    reference = faint(f" ({words('fit.reference')})")
    rows = [
        [
            router.models[m] + (reference if router.models[m] == manifest.reference else ""),
            number(found.quality[m]),
            usd(1000 * found.cost_usd[m]),
        ]
        for m in order[:MOST_SHOWN]
    ]
    more = len(order) - MOST_SHOWN
    groups = "fit.with_groups" if manifest.uses_groups else "fit.without_groups"
    told = {
        "embedder": f"{manifest.embedder_name}: {manifest.embedder_reason}",
        "predictor": words(groups, predictor=manifest.predictor),
        "cost": words("fit.tokens" if manifest.cost_basis == TOKENS else "fit.dollars"),
    }
    parts = [
        words(
            "fit.head",
            fitted=good(words("fit.fitted")),
            router=strong(str(out)),
            n=f"{manifest.n_train:,}",
            models=str(len(order)),
            labels=f"{manifest.n_labels:,}",
        ),
        table([words(f"fit.{key}") for key in ("model", "quality", "per_thousand")], rows, indent=2)
        + (faint(f"\n  {words('fit.more', n=str(more))}") if more > 0 else ""),
        "\n".join(f"  {pad(words(f'fit.{key}'), 9)}  {value}" for key, value in told.items()),
        promise_text(manifest.reference, found, words),
    ]
    if next_step:
        command = f"tenbin evaluate {shlex.quote(str(out))} OUTCOMES --report report.html"
        parts.append(f"{words('fit.next', command=strong(command))}{faint('  ' + words('fit.unseen'))}")
    return "\n\n".join(parts)


def promise_text(reference: str, found: Measured, words: Catalogue) -> str:
    """The cross-fitted saving in a sentence."""
    share = percent(PROMISE, 0)
    if math.isnan(found.promise_cost_usd):
        return words("fit.unreached", share=share, model=reference, best=percent(found.reached))
    kind = "fit.cheaper" if found.saving >= 0.0 else "fit.dearer"
    return words(kind, share=share, model=reference, change=good(percent(abs(found.saving))))
