"""From stage 2 on: the pairs whose label can change a decision, and hold-out prompts beside them.

A router is fitted on what was bought. Every fresh prompt gets the worth of each of its labels (`worth`); prompts come
in by lot, candidates by a probability that follows worth per dollar (`draw`). So the sample of prompts is uniform, and
each label's weight 1 / propensity makes means of candidates unbiased. Candidates that hardly ever change a decision
are set aside as a whole, which biases nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tenbin.errors import DataError, UsageError
from tenbin.pilot.field import IN_PLAY
from tenbin.pilot.plan.certainty import saving_sd_of, trade_offs_near
from tenbin.pilot.plan.draft import Draft
from tenbin.pilot.plan.draw import even_rows, in_cluster_order, propensities, systematic
from tenbin.pilot.plan.ground import Ground
from tenbin.pilot.plan.worth import label_worth
from tenbin.predictors.factors import weighted_means
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router
from tenbin.types import Bools, Floats, Ints

NOTHING_LEFT = "the budget left does not buy one more prompt"
HELD_OUT_SHARE = 0.25
"""Of a stage's dollars, until every held-out prompt is asked."""
HELD_OUT = ("calibration", "test")
MOST_WEIGHED = 3_000
"""Fresh prompts that are looked at, drawn by lot; more than a stage buys."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """Fresh prompts `rows` [k], the probability with which each pair [k, M] would be bought, and its dollars."""

    rows: Ints
    propensity: Floats
    cost_usd: Floats
    live: tuple[int, ...]
    saving_sd: float


def chosen_stage(ground: Ground, dollars: float, rng: np.random.Generator) -> Draft:
    """The stage that spends so many expected `dollars` on what can change a decision (UsageError: too few answers)."""
    weighed = weigh(ground, rng)
    # Without the reference a held-out prompt shows no saving, whether or not more is to be learnt about it.
    shown = np.array(sorted({*weighed.live, ground.reference}))
    held_out = _held_out_cells(ground, shown, HELD_OUT_SHARE * dollars, rng)
    left = dollars - float(ground.expected_usd[held_out].sum())
    per_prompt = (weighed.propensity * weighed.cost_usd).sum(axis=1)
    count = int(np.searchsorted(np.cumsum(per_prompt), left, side="right"))
    if count == 0:
        raise UsageError(NOTHING_LEFT, fix=f"the next one costs about ${per_prompt[0]:.2g}: give a larger --budget")
    cells, propensity, expected = held_out, held_out.astype(np.float64), ground.expected_usd
    propensity[weighed.rows] = weighed.propensity
    expected[weighed.rows] = weighed.cost_usd
    rows = in_cluster_order(ground.cluster, weighed.rows[:count], rng)
    for m in weighed.live:
        cells[rows[systematic(propensity[rows, m], rng)], m] = True
    return Draft.of_cells(
        "chosen",
        cells,
        expected,
        rng,
        propensity=propensity,
        live=weighed.live,
        saving_sd=weighed.saving_sd,
    )


def held_out_stage(ground: Ground, dollars: float, rng: np.random.Generator) -> Draft:
    """The stage for when every training prompt was asked: held-out prompts alone (UsageError where none is left).

    They are asked of what is in play: the candidates with at least half as many labels as the reference (UsageError
    where it has none).
    """
    _check_reference(ground)
    labels = (~np.isnan(ground.panel.quality[ground.train])).sum(axis=0)
    live = np.flatnonzero(labels >= IN_PLAY * labels[ground.reference])
    if not any(ground.fresh_held_out(split).any() for split in HELD_OUT):
        fix = "plan another pilot with other prompts, then merge the two"
        raise UsageError("every prompt of this pilot was asked already", fix=fix)
    cells = _held_out_cells(ground, live, dollars, rng)
    if not cells.any():
        raise UsageError(NOTHING_LEFT, fix="give a larger --budget")
    in_play = tuple(live.tolist())
    return Draft.of_cells("held_out", cells, ground.expected_usd, rng, live=in_play, saving_sd=_saving_sd(ground))


def weigh(ground: Ground, rng: np.random.Generator) -> Weighed:
    """Fresh prompts, by lot, and how much the labels of each are wanted."""
    router, columns = _router(ground)
    rows = rng.permutation(np.flatnonzero(ground.fresh))[:MOST_WEIGHED]
    features = router.features([ground.panel.queries[int(i)] for i in rows])
    estimates = router.estimate(features)
    routed_usd = router.cost_usd(estimates)
    mus = trade_offs_near(router, ground.promise)
    _, mean_sd = weighted_means(router.crossfit.observed.quality, router.crossfit.observed.weight)
    worth = label_worth(estimates, mean_sd, router.gap_correlation, routed_usd, router.anchors, mus)
    cost_usd = routed_usd + ground.grading_usd[rows][:, columns]
    asked = np.zeros((len(rows), len(ground.panel.models)))
    asked[:, columns] = propensities(worth, cost_usd)
    live = np.flatnonzero(asked.any(axis=0))
    dollars = ground.expected_usd[rows]
    dollars[:, columns] = cost_usd
    return Weighed(rows, asked, dollars, tuple(live.tolist()), saving_sd_of(router, ground.promise))


def _saving_sd(ground: Ground) -> float | None:
    """What the answers bought so far say of `Draft.saving_sd`; None where they are too few to learn from."""
    try:
        router, _ = _router(ground)
    except DataError:
        return None
    return saving_sd_of(router, ground.promise)


def _check_reference(ground: Ground) -> None:
    if np.isnan(ground.panel.quality[ground.train, ground.reference]).all():
        what = f'the reference "{ground.panel.models[ground.reference]}" has no graded answer'
        raise UsageError(what, fix="see 'tenbin pilot status' for what failed")


def _router(ground: Ground) -> tuple[Router, Ints]:
    """A router fitted on the training rows that have a label, and the columns of its candidates."""
    _check_reference(ground)
    labelled = ~np.isnan(ground.panel.quality)
    rows = np.flatnonzero(ground.train & labelled.any(axis=1))
    columns = np.flatnonzero(labelled[rows].any(axis=0))
    sample = replace(ground.panel.take(rows), split=None).of_models([ground.panel.models[m] for m in columns])
    reference = ground.panel.models[ground.reference]
    settings = FitSettings(embedder="base", reference=reference, learning_curve=False)
    return fit(sample, ground.prices, settings), columns


def _held_out_cells(ground: Ground, live: Ints, dollars: float, rng: np.random.Generator) -> Bools:
    """As many held-out prompts as the dollars pay for, by lot in both splits alike, for every candidate in play."""
    cells = np.zeros(ground.planned.shape, dtype=np.bool_)
    left = sum(int(ground.fresh_held_out(split).sum()) for split in HELD_OUT)
    for split in HELD_OUT:
        among = ground.fresh_held_out(split)
        if not among.any():
            continue
        per_prompt = float(ground.expected_usd[among][:, live].sum(axis=1).mean())
        count = int(among.sum())
        if per_prompt > 0.0:
            count = int(count / left * dollars / per_prompt)
        cells[np.ix_(even_rows(ground.cluster, among, count, rng), live)] = True
    return cells
