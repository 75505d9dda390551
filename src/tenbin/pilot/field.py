"""The ground on which a pilot's routers are measured: training prompts labelled for every candidate in play."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from tenbin.evaluate.sample import align_models, row_weights
from tenbin.prices import PriceBook
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router
from tenbin.types import Bools, Estimates, Floats, Ints, Panel

IN_PLAY = 0.6
"""A candidate stays in play while it has at least this share of the reference's labels: ladders drop what is off the
hull, and prompts count only where everything in play was labelled."""
LEAST_PROMPTS = 10
"""Fewer complete prompts than this say nothing at all."""


@dataclass(frozen=True, slots=True)
class Field:
    """Complete training prompts, `panel` [n, M] over the candidates in play, with the realised dollars `cost_usd`.

    `reference` is the column that savings are held against, `weight` [n] what each prompt stands for; `aside` names
    the candidates that are not in play.
    """

    panel: Panel
    cost_usd: Floats
    reference: int
    weight: Floats
    aside: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.panel)


def training_part(panel: Panel) -> Panel:
    """The rows that a router may learn from."""
    return panel if panel.split is None else panel.take(np.array([split == "train" for split in panel.split]))


def field_of(train: Panel, reference: str) -> Field | None:
    """The field of the training rows of a pilot; None while no prompt is complete, or the reference has no label."""
    labels = dict(zip(train.models, (~np.isnan(train.quality)).sum(axis=0).tolist(), strict=True))
    least = IN_PLAY * labels.get(reference, 0)
    models = tuple(model for model in train.models if labels[model] > 0 and labels[model] >= least)
    if reference not in models:
        return None
    aligned, aside = align_models(train, models)
    complete: Bools = np.logical_not(np.any(np.isnan(aligned.quality) | np.isnan(aligned.cost_usd), axis=1))
    if not complete.any():
        return None
    rows = aligned.take(complete)
    return Field(rows, rows.cost_usd, models.index(reference), row_weights(rows.label_propensity), aside)


def learn(train: Panel, field: Field, prices: PriceBook | None, seed: int) -> Router:
    """A router of what is in play from all labels there are, complete prompts or not (DataError where too few)."""
    models = field.panel.models
    settings = FitSettings(
        embedder="base", reference=models[field.reference], learning_curve=False, groups=True, seed=seed
    )
    return fit(columns(train, models), prices, settings)


def columns(panel: Panel, models: tuple[str, ...]) -> Panel:
    """The rows that have a label of one of these models, with only these columns."""
    at = [panel.models.index(model) for model in models]
    cells = ("quality", "input_tokens", "output_tokens", "cost_usd", "latency_s", "label_propensity")
    narrow = replace(panel, models=models, **{name: getattr(panel, name)[:, at] for name in cells})
    labelled: Bools = np.any(~np.isnan(narrow.quality), axis=1)
    return narrow.take(labelled)


def unseen_estimates(router: Router, learnt_from: Panel, field: Field) -> Estimates:
    """What the router expects on every row of the field without having seen its labels.

    Out of fold where the row was learnt from, as for any other query where not.
    """
    inside = {query.query_id: i for i, query in enumerate(learnt_from.queries)}
    rows = np.array([inside.get(query.query_id, -1) for query in field.panel.queries])
    strange = rows < 0
    own = _pick(router.crossfit.estimates, np.where(strange, 0, rows))
    if not strange.any():
        return own
    others = router.estimate(router.features([q for q, out in zip(field.panel.queries, strange, strict=True) if out]))
    for item in fields(Estimates):
        mine, theirs = getattr(own, item.name), getattr(others, item.name)
        if mine is not None and theirs is not None:
            mine[strange] = theirs
    return own


def _pick(estimates: Estimates, rows: Ints) -> Estimates:
    """Copies of some rows."""
    cells: dict[str, Any] = {item.name: getattr(estimates, item.name) for item in fields(Estimates)}
    picked: dict[str, Any] = {name: None if it is None else it[rows].copy() for name, it in cells.items()}
    return Estimates(**picked)
