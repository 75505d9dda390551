"""A contender: the choices that the router or a baseline makes along its dial, from estimates alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenbin.risk import Anchors
from tenbin.router.sweep import Sweep
from tenbin.types import Bools, Choices, Estimates, Floats, Ints, TradeOff

LADDER = 101
PLAIN = TradeOff(0.0)
"""What curves are swept with: w, caution and minimax are off."""


@dataclass(frozen=True, slots=True)
class Contender:
    """Choices [K, n] (model indices) at K settings, and what the estimates promised of them (NaN where nothing).

    `mus` [K] is NaN where a setting is no mu; `labels` names the settings; `predicted_…` [K] are mean promises.
    `ladder` [L, n], with two models only, sends ever more queries to the second one, by estimated gap in quality.
    """

    name: str
    title: str
    deployable: bool
    mus: Floats
    labels: tuple[str, ...]
    choices: Choices
    predicted_quality: Floats
    predicted_cost_usd: Floats
    ladder: Choices | None = None


def chosen(values: Floats, choices: Choices) -> Floats:
    """What each query gets: `values` [n, M] at `choices` [K, n], as [K, n]."""
    return values[np.arange(values.shape[0])[None, :], choices]


def swept(
    name: str,
    title: str,
    estimates: Estimates,
    cost_usd: Floats,
    models: tuple[str, ...],
    anchors: Anchors,
    mus: Floats,
    weight: Floats,
    *,
    among: Bools | None = None,
) -> Contender:
    """The contender that applies the rule to these estimates and dollars [n, M]; promises weighted by `weight` [n]."""
    everyone = np.ones(len(models), dtype=np.bool_)
    choices = Sweep.of(estimates, cost_usd, models, anchors, PLAIN, everyone if among is None else among).choices(mus)
    return Contender(
        name=name,
        title=title,
        deployable=True,
        mus=mus,
        labels=tuple(f"mu {mu:.4g}" for mu in mus.tolist()),
        choices=choices,
        predicted_quality=chosen(estimates.quality, choices) @ (weight / weight.sum()),
        predicted_cost_usd=chosen(cost_usd, choices) @ (weight / weight.sum()),
        ladder=ladder_of(estimates.quality) if len(models) == 2 else None,
    )


def ladder_of(quality: Floats) -> Choices:
    """The choices [L, n] that give the second of two models the queries whose estimated gap is above a threshold.

    Thresholds are the percentiles of the gap; equal gaps go together, so that the order of rows plays no part.
    """
    gap = quality[:, 1] - quality[:, 0]
    thresholds = np.unique(np.quantile(gap, np.linspace(0.0, 1.0, LADDER)))
    return (gap[None, :] > thresholds[::-1, None]).astype(np.int32)


def constant(name: str, title: str, picked: Ints, models: tuple[str, ...], n: int, *, deployable: bool) -> Contender:
    """The contender whose settings are single models (indices `picked` [K]), each answering every query."""
    unknown = np.full(picked.size, np.nan)
    choices = np.repeat(picked[:, None].astype(np.int32), n, axis=1)
    return Contender(
        name=name,
        title=title,
        deployable=deployable,
        mus=unknown,
        labels=tuple(models[m] for m in picked.tolist()),
        choices=choices,
        predicted_quality=unknown,
        predicted_cost_usd=unknown,
        ladder=choices if len(models) == 2 else None,
    )
