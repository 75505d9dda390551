"""Fitting an estimator and, at the same time, the out-of-fold estimates of its training rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from tenbin.predictors.canonical import canonical_order
from tenbin.predictors.group import GroupMeans
from tenbin.predictors.input_tokens import InputTokens
from tenbin.predictors.lengths import LengthHead
from tenbin.protocols import Predictor
from tenbin.router.crossfit import Crossfit, Observed
from tenbin.router.estimator import Estimator, Familiarity
from tenbin.router.gap import residual_correlation
from tenbin.router.likeness import Likeness
from tenbin.router.novelty import Novelty
from tenbin.router.pricing import DOLLARS, TOKENS
from tenbin.types import Features, Floats, Ints, Panel, Prediction, Progress

MakePredictor = Callable[[], Predictor]
P = TypeVar("P", bound=Predictor)

SAME_NOISE = 1e-12
LEAST_SIGNAL = 0.1
"""A model's labels are taken to hold at least this part of their noise as signal, so that no label counts for all."""


def train(
    make: MakePredictor,
    features: Features,
    panel: Panel,
    folds: Ints,
    basis: str,
    reference: int,
    seed: int,
    progress: Progress,
    left_out: tuple[Floats, Floats] | None = None,
) -> tuple[Estimator, Crossfit]:
    """Fit every predictor of a router on the rows of `panel`, whose `features` are given in the same order.

    `make` makes the quality predictor; `folds` [n] keep near-duplicates together; `left_out` [n] are the
    familiarity and the novelty of training texts, each judged without itself (NaN: not so; None: as in `features`).
    """
    observed = observe(panel)
    weight = observed.weight
    progress("quality", 0.0)
    trust = weight * label_trust(panel)
    quality, quality_oof = fit_out_of_fold(make, features, observed.quality, trust, folds)
    progress("tokens and cost", 0.6)
    familiar, novelty = (features.familiarity, features.novelty) if left_out is None else left_out
    is_judged = ~np.isnan(familiar)
    order = canonical_order(features, observed.quality)
    rows = order[is_judged[order]]
    likeness = Likeness.learn(familiar[is_judged], quality_oof.sd[:, reference])
    familiarity = Familiarity(
        likeness=likeness,
        means=GroupMeans.learn(features.groups, observed.quality, weight),
        spread=np.std(quality_oof.mean, axis=0),
    )
    inputs = outputs = dollars = seconds = None
    inputs_oof = outputs_oof = dollars_oof = seconds_oof = None
    if basis == TOKENS:
        inputs, inputs_oof = _fit(InputTokens, features, observed.input_tokens, weight, folds)
        outputs, outputs_oof = _fit(lambda: LengthHead(seed=seed), features, observed.output_tokens, weight, folds)
    if basis == DOLLARS:
        dollars, dollars_oof = _fit(lambda: LengthHead(seed=seed), features, observed.cost_usd, weight, folds)
    if not np.isnan(observed.latency_s).all():
        seconds, seconds_oof = _fit(lambda: LengthHead(seed=seed), features, observed.latency_s, weight, folds)
    estimator = Estimator(
        quality=quality,
        input_tokens=inputs,
        output_tokens=outputs,
        recorded_cost=dollars,
        latency=seconds,
        familiarity=familiarity,
        gap_correlation=residual_correlation(observed.quality - quality_oof.mean, reference),
        reference=reference,
        novelty=Novelty.learn(novelty[rows], features.vectors[rows]),
    )
    p = likeness.p(np.where(is_judged, familiar, features.familiarity), quality_oof.sd[:, reference])
    faded = familiarity.shrink(quality_oof, features.groups, p)  # as when serving
    estimates = estimator.assemble(faded, inputs_oof, outputs_oof, dollars_oof, seconds_oof)
    progress("tokens and cost", 1.0)
    return estimator, Crossfit(estimates, observed)


def observe(panel: Panel) -> Observed:
    """What was measured on a panel's rows, with weights 1 / label propensity."""
    return Observed(
        quality=panel.quality,
        input_tokens=panel.input_tokens,
        output_tokens=panel.output_tokens,
        cost_usd=panel.cost_usd,
        latency_s=panel.latency_s,
        weight=panel.label_weight,
    )


def label_trust(panel: Panel) -> Floats:
    """How much each label [n, M] counts beside the others of its model: signal / (signal + noise variance), mean 1.

    The signal is the variance of the model's labels beyond their noise. All ones where no noise is known, and where it
    is the same for all labels of a model; a label of unknown noise counts as the mean.
    """
    trust: Floats = np.ones_like(panel.quality)
    if panel.label_noise_sd is None:
        return trust
    for m in range(len(panel.models)):
        known = ~np.isnan(panel.quality[:, m]) & ~np.isnan(panel.label_noise_sd[:, m])
        noise = panel.label_noise_sd[known, m] ** 2
        if not known.any() or np.ptp(noise) <= SAME_NOISE:
            continue
        signal = max(float(panel.quality[known, m].var() - noise.mean()), LEAST_SIGNAL * float(noise.max()))
        share = signal / (signal + noise)
        trust[known, m] = share / share.mean()
    return trust


def fit_out_of_fold(
    make: Callable[[], P], features: Features, target: Floats, weight: Floats, folds: Ints
) -> tuple[P, Prediction]:
    """A predictor fitted on all rows and its prediction of each row by a fit that did not see the row's fold."""
    predictor = make()
    own = predictor.fit(features, target, weight, folds)
    if own is not None:
        return predictor, own
    mean, sd = np.empty_like(target), np.empty_like(target)
    for fold in np.unique(folds):
        out = folds == fold
        partial = make()
        partial.fit(features.take(~out), target[~out], weight[~out], folds[~out])
        prediction = partial.predict(features.take(out))
        mean[out], sd[out] = prediction.mean, prediction.sd
    return predictor, Prediction(mean, sd)


def _fit(make: Callable[[], P], features: Features, target: Floats, weight: Floats, folds: Ints) -> tuple[P, Floats]:
    predictor, prediction = fit_out_of_fold(make, features, target, weight, folds)
    return predictor, prediction.mean
