"""What a router promises at a setting of its dial: means over its training prompts, decided out of fold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from tenbin.evaluate.comparison import kept_of
from tenbin.evaluate.curve import chosen
from tenbin.evaluate.intervals import Columns, amount_interval, quality_interval, resample
from tenbin.evaluate.prospects import Prospects, next_in_line
from tenbin.evaluate.trial import CHEAPEST, POINTS, SINGLES, Ground
from tenbin.policy import listed
from tenbin.risk import cautious_quality, choose, losses
from tenbin.router.crossfit import Crossfit, doubly_robust, standing
from tenbin.router.router import Router
from tenbin.types import Choices, Figure, Floats, Ints, TradeOff

RESAMPLES = 1000
MOST_UNITS = 1000
"""More prompts than this are drawn in so many heaps made at random: means of heaps vary as their prompts do."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Mean quality and dollars per query at one setting, and both against the reference on the same prompts.

    `saving` is 1 - dollars / the reference's, NaN where that is free.
    """

    quality: Figure
    cost_usd: Figure
    quality_ratio: Figure
    saving: Figure


def promises_of(
    router: Router,
    trade_offs: Sequence[TradeOff],
    *,
    allow: Collection[str] | None = None,
    deny: Collection[str] | None = None,
) -> tuple[Promise, ...]:
    """One promise per trade-off, from the cross-fitted training rows at today's prices; intervals at 95 %.

    They say how far the training prompts settle the figure for prompts of their kind, not how far traffic differs.
    Quality that was estimated, not labelled, is doubted by its sd, one candidate's all together.
    """
    crossfit, models = router.crossfit, router.models
    estimates, weight = crossfit.estimates, crossfit.observed.weight
    cost = router.cost_usd(estimates)
    allowed = np.broadcast_to(listed(models, allow, deny), cost.shape)
    reference = models.index(router.anchors.reference)
    choices, farther = [], []
    for at in trade_offs:
        loss = losses(cautious_quality(estimates, at), cost, estimates.latency_s, at, router.anchors)
        choices.append(choose(loss, cost, router.rank, allowed).astype(np.int32))
        farther.append(next_in_line(np.where(allowed, loss, np.inf), choices[-1], reference))
    quality = crossfit.quality_values()
    ground = Ground(
        quality=quality,
        cost_usd=doubly_robust(cost, router.observed_cost_usd(), weight),
        latency_s=estimates.latency_s,
        weight=crossfit.row_weight(),
        cluster=router.seen_prompts.clusters(),
    )
    doubt = _unlabelled(crossfit)
    prospects = Prospects(estimates.quality, np.array(farther))
    return promised(ground, np.array(choices), reference, prospects, doubt=doubt)


def promised(
    ground: Ground,
    choices: Choices,
    reference: int,
    prospects: Prospects,
    *,
    doubt: Floats | None = None,
    seed: int = 0,
) -> tuple[Promise, ...]:
    """The promises of settings that send the rows of `ground` to `choices` [K, n]; `reference` is an index.

    `doubt` [n, M] is the standard deviation of qualities that are estimates, alike for all of one candidate.
    """
    columns = Columns(len(ground.quality))
    for name, values in (("quality", ground.quality), ("cost", ground.cost_usd)):
        columns.add(f"{SINGLES} {name}", values)
        columns.add(f"{POINTS} {name}", chosen(values, choices).T)
    columns.add(CHEAPEST, ground.cost_usd.min(axis=1))
    units = _heaped(ground.cluster, seed)
    means = resample(columns, ground.weight, units, resamples=RESAMPLES, seed=seed)
    own = np.zeros((len(choices), ground.quality.shape[1])) if doubt is None else _per_candidate(doubt, choices)
    apart = own.copy()
    apart[:, reference] -= 0.0 if doubt is None else doubt[:, reference].mean()
    unsure, unsure_apart = (np.sqrt((shared**2).sum(axis=1)) for shared in (own, apart))
    kept = kept_of(means, POINTS, choices, np.arange(len(choices)), ground, reference, prospects, unsure=unsure_apart)
    quality, cost = means.of(f"{POINTS} quality"), means.of(f"{POINTS} cost")
    return tuple(
        Promise(
            quality_interval(quality[:, k], unsure[k], variance_share=ground.variance_share),
            amount_interval(cost[:, k]),
            ratio,
            saving,
        )
        for k, (ratio, saving) in enumerate(kept)
    )


def _unlabelled(crossfit: Crossfit) -> Floats:
    """The sd [n, M] of estimated quality where it stands for a label; labels that stand for others make up for it."""
    known = ~np.isnan(crossfit.observed.quality)
    if known.all():
        return np.zeros(known.shape)
    stands = np.where(known, standing(known, crossfit.observed.weight), 0.0)
    unlabelled: Floats = (1.0 - stands) * crossfit.estimates.quality_sd
    return unlabelled


def _per_candidate(doubt: Floats, choices: Choices) -> Floats:
    """What the doubt [n, M] adds up to in the means of every setting, candidate by candidate [K, M]."""
    n, width = doubt.shape
    at = np.arange(n)
    means: Floats = np.array([np.bincount(row, weights=doubt[at, row] / n, minlength=width) for row in choices])
    return means


def _heaped(cluster: Ints, seed: int) -> Ints:
    """The units that are drawn: the clusters themselves, or heaps of them where they are many."""
    n = int(cluster.max()) + 1
    if n <= MOST_UNITS:
        return cluster
    heap: Ints = (np.random.default_rng(seed).permutation(n) % MOST_UNITS)[cluster]
    return heap
