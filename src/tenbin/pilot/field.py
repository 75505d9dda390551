"""The ground on which a pilot's routers are measured: its training prompts, whatever was asked of each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields

import numpy as np

from tenbin.prices import PriceBook
from tenbin.router.crossfit import doubly_robust
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router
from tenbin.types import Bools, Estimates, Floats, Panel

IN_PLAY = 0.5
"""A candidate stays in play while it has at least this share of the reference's labels: ladders set aside what stands
off the hull, and what was asked of the first few prompts only tells too little of the others."""
LEAST_PROMPTS = 10
"""Fewer prompts than this say nothing at all."""


@dataclass(frozen=True, slots=True)
class Field:
    """Training prompts of which all that was planned is bought, over the candidates in play: `panel` [n, M].

    `reference` is the column that savings are held against. A cell was chosen with `label_propensity` p, a prompt
    with that of its likeliest cell, P: `weight` [n] is 1 / P and `cell_weight` [n, M] P / p, so that it does not
    matter whether the propensities of a table count from all prompts or from those that were drawn; the labels of a
    candidate that was set aside after some of the prompts stand for all of them. `aside` names the candidates with a
    label that are not in play.
    """

    panel: Panel
    reference: int
    weight: Floats
    cell_weight: Floats
    aside: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.panel)


@dataclass(frozen=True, slots=True)
class Worth:
    """Quality and dollars [n, M] of every prompt with every candidate, as observed where nothing is missing.

    Else doubly robust (Dudik et al., arXiv 1103.4601): unbiased for the choices of any router that has not seen it.
    """

    quality: Floats
    cost_usd: Floats


def field_of(train: Panel, reference: str, open_ids: Collection[str] = ()) -> Field | None:
    """The field of the training rows of a pilot; None while the reference has no label.

    `open_ids` are the prompts of which something is still to be bought: what was asked first is no fair sample of them.
    """
    labels = dict(zip(train.models, (~np.isnan(train.quality)).sum(axis=0).tolist(), strict=True))
    least = IN_PLAY * labels.get(reference, 0)
    models = tuple(model for model in train.models if labels[model] > 0 and labels[model] >= least)
    if reference not in models:
        return None
    rows = columns(train, models)
    rows = rows.take(np.array([query.query_id not in open_ids for query in rows.queries], dtype=np.bool_))
    if not len(rows) or np.isnan(rows.quality).all(axis=0).any():
        return None
    known = ~np.isnan(rows.quality)
    likeliest = np.where(known, rows.label_propensity, 0.0).max(axis=1)
    weight, cell_weight = 1.0 / likeliest, likeliest[:, None] / rows.label_propensity
    # What was set aside has no chance to be asked the later prompts: the earlier ones, drawn by lot, speak for these.
    stood = weight @ (cell_weight * known)
    return Field(
        panel=rows,
        reference=models.index(reference),
        weight=weight,
        cell_weight=cell_weight * np.maximum(weight.sum() / stood, 1.0),
        aside=tuple(model for model in train.models if labels[model] > 0 and model not in models),
    )


def worth_of(field: Field, router: Router, estimates: Estimates) -> Worth:
    """What the field's prompts are worth, from estimates that have not seen their labels."""
    panel, weight = field.panel, field.cell_weight
    return Worth(
        quality=doubly_robust(estimates.quality, panel.quality, weight),
        cost_usd=doubly_robust(router.cost_usd(estimates), panel.cost_usd, weight),
    )


def learn(train: Panel, field: Field, prices: PriceBook | None, seed: int) -> Router:
    """A router of what is in play from all labels there are (DataError where too few)."""
    models = field.panel.models
    settings = FitSettings(
        embedder="base", reference=models[field.reference], learning_curve=False, groups=True, seed=seed
    )
    return fit(columns(train, models), prices, settings)


def columns(panel: Panel, models: tuple[str, ...]) -> Panel:
    """The rows that have a label of one of these models, with only these columns."""
    narrow = panel.of_models(models)
    labelled: Bools = np.any(~np.isnan(narrow.quality), axis=1)
    return narrow.take(labelled)


def unseen_estimates(router: Router, learnt_from: Panel, field: Field) -> Estimates:
    """What the router expects on every row of the field without having seen its labels.

    Out of fold where the row was learnt from, as for any other query where not.
    """
    inside = {query.query_id: i for i, query in enumerate(learnt_from.queries)}
    rows = np.array([inside.get(query.query_id, -1) for query in field.panel.queries])
    strange = rows < 0
    own = router.crossfit.estimates.take(np.where(strange, 0, rows))
    if not strange.any():
        return own
    others = router.estimate(router.features([q for q, out in zip(field.panel.queries, strange, strict=True) if out]))
    for item in fields(Estimates):
        mine, theirs = getattr(own, item.name), getattr(others, item.name)
        if mine is not None and theirs is not None:
            mine[strange] = theirs
    return own
