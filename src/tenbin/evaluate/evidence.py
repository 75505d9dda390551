"""The figures that the verdict rests on, taken from the trial."""

from __future__ import annotations

import numpy as np

from tenbin.evaluate.baselines import Arena, TrainedBaselines
from tenbin.evaluate.comparison import kept_of, share_of
from tenbin.evaluate.curve import Contender
from tenbin.evaluate.intervals import amount_interval
from tenbin.evaluate.permutation import chance_of_quality
from tenbin.evaluate.prospects import Prospects
from tenbin.evaluate.result import Difference, OperatingPoint
from tenbin.evaluate.sample import Sample
from tenbin.evaluate.subject import Subject
from tenbin.evaluate.trial import POINTS, SINGLES, Ground, Trial
from tenbin.evaluate.verdict import Evidence, Single
from tenbin.types import Figure, Floats

GOOD_ENOUGH = 0.99
"""A single model with this share of the best one's mean quality counts as good as it."""


def evidence_of(
    trial: Trial,
    over_zero: Difference,
    points: tuple[OperatingPoint, ...],
    sample: Sample,
    router: Subject,
    trained: TrainedBaselines,
    chance: float,
    at_best: tuple[Figure, float],
) -> Evidence:
    """The evidence: the gain over the zero router (z_test), the best single choice and the operating points.

    `chance` is the p-value of that gain by permutation, `at_best` what `quality_at_best` found.
    """
    n_test = int(np.unique(sample.cluster[sample.complete]).size)
    reference = router.models.index(router.anchors.reference)
    quality, cost = trial.means.of(f"{SINGLES} quality")[0], trial.means.of(f"{SINGLES} cost")[0]
    return Evidence(
        n_models=len(router.models),
        n_test=n_test,
        reference=router.anchors.reference,
        gain=over_zero.aiq,
        gain_log=over_zero.aiq_log,
        chance=chance,
        at_best=at_best[0],
        chance_at_best=at_best[1],
        rivals=tuple(zip(quality.tolist(), cost.tolist(), strict=True)),
        single=cheap_and_good(trial, router.models, reference, trained.mean_quality, trained.mean_cost_usd),
        points=points,
    )


def quality_at_best(
    trial: Trial, points: Contender, ground: Ground, arena: Arena, *, seed: int
) -> tuple[Figure, float]:
    """The quality at mu 0 as a share of the best single model's, and the chance of so much by permutation.

    `points` are the operating points, mu 0 among them, which contended in `arena`.
    """
    at = int(np.flatnonzero(points.mus == 0.0)[0])
    choice, best = points.choices[[at]], trial.scales[0].best
    prospects = Prospects.along(arena.estimates, arena.cost_usd, arena.anchors, points.mus[[at]], choice, best)
    kept = kept_of(trial.means, POINTS, choice, np.array([at]), ground, best, prospects)
    return kept[0][0], chance_of_quality(choice[0], ground, seed=seed)


def cheap_and_good(
    trial: Trial, models: tuple[str, ...], reference: int, mean_quality: Floats, mean_cost_usd: Floats
) -> Single:
    """The cheapest model with at least 99 % of the best one's mean quality, held against the reference (an index).

    The means [M] are those of the training prompts, and the test queries only judge: a model that is picked on the
    queries that it is shown on looks better there than it is. Where these show that it is not as good as the best one
    in training, it is the best one.
    """
    best = int(np.argmax(mean_quality))
    good = mean_quality >= GOOD_ENOUGH * mean_quality[best]
    cheapest = int(np.lexsort((-mean_quality, np.where(good, mean_cost_usd, np.inf)))[0])
    quality, cost = trial.means.of(f"{SINGLES} quality"), trial.means.of(f"{SINGLES} cost")
    beside_best = amount_interval(share_of(quality[:, cheapest], quality[:, best]))
    model = best if beside_best.high < GOOD_ENOUGH else cheapest
    return Single(
        model=models[model],
        saving=amount_interval(share_of(cost[:, model], cost[:, reference])).flipped,
        quality_ratio=amount_interval(share_of(quality[:, model], quality[:, reference])),
    )
