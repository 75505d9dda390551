"""What a fit came to, for people and for programs."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tenbin.cli.evaluate_text import per_thousand
from tenbin.cli.output import faint, good, number, pad, percent, prose, strong, table, usd, words_of
from tenbin.cli.promise_text import promise_cells, promises_at
from tenbin.cli.router_text import dial_rows
from tenbin.reasons import Reason
from tenbin.report.catalogue import Catalogue
from tenbin.router.pricing import TOKENS

if TYPE_CHECKING:
    from tenbin.evaluate.promise import Promise
    from tenbin.router.router import Router

PROMISE = 0.97
MOST_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Measured:
    """Training means per candidate [M], and what the dial promises out of fold, by share of the reference's quality.

    A promise is None where that share is not reached; `reached` is the largest that is.
    """

    quality: tuple[float, ...]
    cost_usd: tuple[float, ...]
    reached: float
    promises: dict[float, Promise | None]


def measured(router: Router) -> Measured:
    """The figures of a fresh fit, from its cross-fitted rows at the router's prices."""
    crossfit = router.crossfit
    observed = router.observed_cost_usd()
    curve = router.dial_curve()
    dials = dial_rows(curve)
    promises = promises_at(router, [row["mu"] for row in dials])
    weight = np.where(np.isnan(observed), 0.0, crossfit.observed.weight)
    dollars = np.nansum(observed * crossfit.observed.weight, axis=0) / np.maximum(weight.sum(axis=0), 1e-300)
    return Measured(
        quality=tuple(router.baselines.means["quality"].tolist()),
        cost_usd=tuple(dollars.tolist()),
        reached=float(curve.quality.max() / curve.reference_quality) if curve.reference_quality > 0.0 else math.nan,
        promises={row["min_quality"]: promise for row, promise in zip(dials, promises, strict=True)},
    )


def fit_json(router: Router, out: Path, found: Measured) -> dict[str, Any]:
    """The fields of the `--json` document of a fit."""
    manifest, promise = router.manifest, found.promises[PROMISE]
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
        "crossfit": {
            "quality_ratio": PROMISE,
            "cost_usd": None if promise is None else promise.cost_usd.value,
            "saving": None if promise is None else promise.saving.value,
        },
        "promises": [{"min_quality": share, "promise": found.promises[share]} for share in found.promises],
    }


def fit_text(
    router: Router,
    out: Path,
    found: Measured,
    lang: str = "en",
    *,
    next_step: bool = True,
    test_table: Sequence[str] = (),
) -> str:
    """The summary of a fit in one language, ending with the next command, on `test_table` where that can prove it."""
    words, manifest = words_of(lang), router.manifest
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
    reason = manifest.embedder_reason  # which remembers its parts until it is read from the disk again
    said = reason.said(lang) if isinstance(reason, Reason) else reason
    told = {
        "embedder": f"{manifest.embedder_name}: {said}",
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
        "\n".join(prose(f"  {pad(words(f'fit.{key}'), 9)}  {value}", hang=13) for key, value in told.items()),
        promise_text(manifest.reference, found, words),
    ]
    if next_step:
        command = shlex.join(["tenbin", "evaluate", str(out), *(test_table or ["OUTCOMES"]), "--report", "report.html"])
        unseen = "" if test_table else faint(f"  {words('fit.unseen')}")
        parts.append(f"{words('fit.next', command=strong(command))}{unseen}")
    return "\n\n".join(parts)


def promise_text(reference: str, found: Measured, words: Catalogue) -> str:
    """The cross-fitted saving in a sentence, then the dial with intervals."""
    share, promise = percent(PROMISE, 0), found.promises[PROMISE]
    if promise is None:
        said = words("fit.unreached", share=share, model=reference, best=percent(found.reached))
    elif math.isnan(promise.saving.value):
        said = words("fit.free", share=share, model=reference, cost=per_thousand(promise.cost_usd.value))
    else:
        change = percent(abs(promise.saving.value))
        kind = "fit.cheaper" if promise.saving.value >= 0.0 else "fit.dearer"
        if change == percent(0.0):
            kind = "fit.same"
        said = words(kind, share=share, model=reference, change=good(change))
    headers = [words(f"fit.{key}") for key in ("asked", "kept", "per_thousand", "saving")]
    rows = [[percent(asked, 0), *promise_cells(kept)] for asked, kept in found.promises.items()]
    return f"{prose(said)}\n\n{table(headers, rows, indent=2)}\n  {faint(words('fit.brackets'))}"
