"""A router with a candidate more or a candidate less: an edit of its roster and of what stands beside it, no refit.

The anchors stay those of the fit; only when the reference itself retires is the router anchored anew, to the named
successor's training means. The learning curve is of the old candidates and is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tenbin
from tenbin.artifact import FORMAT, Change
from tenbin.errors import UsageError, did_you_mean
from tenbin.prices import PriceBook, Rates
from tenbin.protocols import Arrays
from tenbin.router.anchors import anchors_of
from tenbin.router.card import write_card
from tenbin.router.crossfit import Crossfit, Observed
from tenbin.router.gap import gap_sd, residual_correlation
from tenbin.router.leanings import AMOUNTS, Leanings
from tenbin.router.pricing import TypicalCall, call_of_dollars, call_of_tokens
from tenbin.router.router import Router
from tenbin.types import Candidate, Estimates, Floats


@dataclass(frozen=True, slots=True)
class Addition:
    """What was learnt of a new candidate.

    `leaning` is this one's on the fitted columns that are still served, in their order. `observed` [n, 1] holds its
    labels on training rows, `keys` are those of all prompts it was labelled on, `prices` is the book to come.
    """

    candidate: Candidate
    leaning: Leanings
    observed: Observed
    keys: frozenset[str]
    label_cost_usd: float
    prices: PriceBook


def with_candidate(router: Router, addition: Addition) -> Router:
    """The router with one candidate more, the last of its models; the change is not `recorded` yet."""
    manifest, roster = router.manifest, router.roster
    own = newcomer(router, addition.leaning, addition.observed)
    rates = addition.prices.rates([addition.candidate.name])
    typical = _typical(router, own, rates)
    manifest = replace(
        manifest,
        version=tenbin.__version__,
        candidates=(*manifest.candidates, addition.candidate),
        label_cost_usd=manifest.label_cost_usd + addition.label_cost_usd,
        hashes={},
        format=FORMAT,
    )
    parts = {
        "crossfit": _side_by_side(router.crossfit.save(), own.save()),
        "typical_call": _side_by_side(router.pricing.typical.save(), typical.save()),
        "baselines": router.baselines.arranged(_Behind(addition.leaning, len(roster.kept))).save(),
        "seen": router.seen_prompts.with_keys(addition.keys).save(),
    }
    longer = replace(
        roster,
        added=roster.added.joined(addition.leaning.spread(roster.kept.tolist(), roster.width)),
        gap_correlation=np.append(roster.gap_correlation, 0.0),
    )
    return router.changed(manifest, longer, parts, addition.prices)


def without_candidate(router: Router, name: str, reference: str | None = None) -> Router:
    """The router without the candidate `name`; `reference` succeeds it where it is the reference.

    UsageError where it is no candidate, the last one, or the reference without a successor.
    """
    _check_retirement(router, name, reference)
    manifest, roster = router.manifest, router.roster
    gone = router.models.index(name)
    columns = [m for m in range(len(router.models)) if m != gone]
    heir = reference or manifest.reference
    crossfit = {key: cells[:, columns] for key, cells in router.crossfit.save().items()}
    typical = TypicalCall(*(getattr(router.pricing.typical, key)[columns] for key in TypicalCall.__slots__))
    parts: dict[str, Mapping[str, NDArray[Any]]] = {
        "crossfit": crossfit,
        "typical_call": typical.save(),
        "baselines": router.baselines.arranged(lambda _kind, cells: cells[..., columns]).save(),
    }
    left = Crossfit.load(crossfit)
    place = columns.index(router.models.index(heir))
    fitted = len(roster.kept)
    correlation = roster.gap_correlation[columns]
    if heir != manifest.reference:
        correlation = residual_correlation(left.observed.quality - left.estimates.quality, place)
        gap = gap_sd(left.estimates.quality_sd, correlation, place)
        left = replace(left, estimates=replace(left.estimates, gap_sd=gap))
        parts["crossfit"] = left.save()
    shorter = replace(
        roster,
        kept=np.delete(roster.kept, gone) if gone < fitted else roster.kept,
        added=roster.added.take([at for at in range(len(roster.added)) if at != gone - fitted]),
        gap_correlation=correlation,
        reference=place,
    )
    manifest = replace(
        manifest,
        version=tenbin.__version__,
        candidates=tuple(manifest.candidates[m] for m in columns),
        reference=heir,
        changes=(*manifest.changes, Change("retired", name, tenbin.__version__, heir)),
        hashes={},
        format=FORMAT,
    )
    changed = router.changed(manifest, shorter, parts, router.prices)
    if heir != router.manifest.reference:
        anchors = anchors_of(changed.models, changed.pricing, left, place)
        seconds = anchors.t_ref_s if np.isfinite(anchors.t_ref_s) else None
        manifest = replace(manifest, c_ref_usd=anchors.c_ref_usd, t_ref_s=seconds)
        changed = router.changed(manifest, shorter, parts, router.prices)
    return _with_card(changed)


def recorded(router: Router, change: Change) -> Router:
    """The router with the change, and the labels that it rests on, in its manifest and on its card."""
    told = router.manifest
    manifest = replace(told, n_labels=told.n_labels + change.n_labels, changes=(*told.changes, change))
    return _with_card(router.changed(manifest, router.roster, {}, router.prices))


def newcomer(router: Router, leaning: Leanings, observed: Observed) -> Crossfit:
    """The cross-fitted column [n, 1] of a candidate that leans on the fitted ones of a router."""
    estimates, k = router.crossfit.estimates, len(router.roster.kept)
    sd = leaning.quality_sd(estimates.quality[:, :k], estimates.quality_sd[:, :k])
    reference = router.reference
    known = [name for name in AMOUNTS if getattr(estimates, name) is not None]
    amounts = leaning.amounts(known, np.stack([getattr(estimates, name)[:, :k] for name in known]))
    own = Estimates(
        quality=leaning.qualities(estimates.quality[:, :k]),
        quality_sd=sd,
        gap_sd=np.hypot(sd, estimates.quality_sd[:, reference : reference + 1]),
        **dict(zip(known, amounts, strict=True)),
    )
    return Crossfit(own, observed)


@dataclass(frozen=True, slots=True)
class _Behind:
    """Puts the newcomer's figures behind those of the served candidates, the first `fitted` of which it leans on."""

    leaning: Leanings
    fitted: int

    def __call__(self, kind: str, cells: Floats) -> Floats:
        rows = cells.reshape(-1, cells.shape[-1])[:, : self.fitted]
        return np.concatenate([cells, self._column(kind, rows).reshape(*cells.shape[:-1], 1)], axis=-1)

    def _column(self, kind: str, rows: Floats) -> Floats:
        if kind == "quality":
            return self.leaning.qualities(rows)
        if kind == "quality_sd":
            # Of group and neighbour means; they carry no qualities of their own here, so the plain sum must do.
            own = float((self.leaning.doubt[0, :, 0] ** 2).sum())
            return np.asarray(np.sqrt((rows**2) @ self.leaning.quality[0, 1:] ** 2 + own), dtype=np.float64)
        if kind == "weight":
            return np.asarray((rows > 0.0).all(axis=1), dtype=np.float64)
        own_amounts: Floats = self.leaning.amounts(("recorded_cost_usd" if kind == "cost_usd" else kind,), rows[None])
        return own_amounts.ravel()


def _typical(router: Router, own: Crossfit, rates: Rates) -> TypicalCall:
    """The newcomer's call of mean size."""
    estimates = own.estimates
    if estimates.recorded_cost_usd is not None:
        size = float(router.pricing.typical.input_tokens[0])
        return call_of_dollars(size, estimates.recorded_cost_usd.mean(axis=0), rates)
    return call_of_tokens(estimates.input_tokens.mean(axis=0), estimates.output_tokens.mean(axis=0), rates)


def _side_by_side(left: Arrays, right: Arrays) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([cells, right[name]], axis=-1) for name, cells in left.items()}


def _with_card(router: Router) -> Router:
    router.card = write_card(router)
    return router


def _check_retirement(router: Router, name: str, reference: str | None) -> None:
    models = router.models
    if name not in models:
        fix = did_you_mean(name, models) or f"candidates: {', '.join(models)}"
        raise UsageError(f'the router has no candidate "{name}"', fix=fix)
    if len(models) == 1:
        raise UsageError(f'"{name}" is the last candidate', fix="add another one before it retires")
    left = [model for model in models if model != name]
    if reference is not None and reference not in left:
        fix = did_you_mean(reference, left) or f"candidates left: {', '.join(left)}"
        raise UsageError(f'the reference cannot be "{reference}"', fix=fix)
    if name == router.manifest.reference and reference is None:
        raise UsageError(
            f'"{name}" is the reference, which every promise is measured by',
            fix=f"name its successor with --reference ({', '.join(left)})",
        )
