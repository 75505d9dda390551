"""From a panel of outcomes to a router: embed, fit out of fold, anchor, and measure what it learnt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np

import tenbin
from tenbin.artifact import Manifest
from tenbin.errors import UsageError
from tenbin.outcomes.identity import prompt_key
from tenbin.prices import PriceBook, Rates
from tenbin.risk import Anchors
from tenbin.router.anchors import anchors_of
from tenbin.router.baselines import learn_baselines
from tenbin.router.calibrate import calibrate
from tenbin.router.card import write_card
from tenbin.router.choose_embedder import EmbedderChoice, Opening, choose_embedder
from tenbin.router.crossfit import column_means
from tenbin.router.learning_curve import measure_learning_curve
from tenbin.router.parts import Parts
from tenbin.router.plugin_predictor import open_predictor
from tenbin.router.pricing import Pricing, cost_basis, labelled_rows, recorded_book, typical_call
from tenbin.router.router import Router
from tenbin.router.seen import SeenPrompts
from tenbin.router.train import MakePredictor, observe, train
from tenbin.router.training_rows import near_folds, training_rows
from tenbin.types import Candidate, Features, Floats, Panel, Progress, silent


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How to fit: every field has a default that is right for most.

    `embedder` "auto" chooses among the installed ones by cross-validation; `reference` None takes the candidate of
    best mean quality; `groups` False ignores group labels; `candidates` adds what is known of some models
    (capabilities, context windows); `learning_curve` False skips measuring how the router grew; `allow_plugins` names
    the packages whose plug-ins may load; `vector_cache` is a file that keeps the vectors of slow embedders.
    """

    embedder: str = "auto"
    predictor: str = "stack"
    seed: int = 0
    reference: str | None = None
    groups: bool = True
    candidates: tuple[Candidate, ...] = ()
    learning_curve: bool = True
    allow_plugins: tuple[str, ...] = ()
    vector_cache: Path | None = None


def fit(
    panel: Panel,
    prices: PriceBook | None = None,
    settings: FitSettings | None = None,
    progress: Progress | None = None,
    *,
    at: date | None = None,
) -> Router:
    """Fit a router on the rows of `panel` with split "train" (all rows where there is no split).

    `prices` may be None where every model has recorded dollars. The same rows in any order give the same router.
    Raises DataError (too few prompts, no labels, no cost), PriceError, UsageError (an unknown reference), PluginError
    (an unknown embedder or predictor, or one that is not allowed), MissingExtraError.
    """
    settings = settings or FitSettings()
    report = progress or silent
    whole, panel = panel, training_rows(panel)
    _costs(panel, prices, at)  # what is missing is said before the long part, not after it
    _maker(settings)
    opening = Opening(settings.seed, settings.vector_cache, settings.allow_plugins)
    choice = choose_embedder(settings.embedder, panel, near_folds(panel), opening, report)
    features = choice.encoder.encode(panel.queries, with_groups=settings.groups, progress=report)
    router = fit_encoded(choice, features, panel, prices, settings, report, at=at)
    if whole.split is not None:
        router.take_calibration(calibrate(router, whole))
    return router


def fit_encoded(
    choice: EmbedderChoice,
    features: Features,
    panel: Panel,
    prices: PriceBook | None,
    settings: FitSettings,
    report: Progress,
    *,
    at: date | None = None,
) -> Router:
    """The rest of `fit`, for training rows whose features are there already: they serve any choice of candidates."""
    weight = observe(panel).weight
    basis, book, rates = _costs(panel, prices, at)
    folds = near_folds(panel)
    make = _maker(settings)
    reference = _reference(panel, weight, settings.reference)
    left_out = choice.encoder.left_out(features)
    estimator, crossfit = train(make, features, panel, folds, basis, reference, settings.seed, report, left_out)
    typical = typical_call(panel, features.text_tokens, weight, basis, rates)
    pricing = Pricing(basis, rates, typical, labelled_rows(panel.quality), len(panel.models))
    anchors = anchors_of(panel.models, pricing, crossfit, reference)
    parts = {
        **estimator.save(),
        "encoder": choice.encoder.save(),
        "typical_call": typical.save(),
        "crossfit": crossfit.save(),
        "baselines": learn_baselines(features, crossfit.observed, folds).save(),
        "seen": SeenPrompts.of_rows([prompt_key(query) for query in panel.queries]).save(),
    }
    if settings.learning_curve:
        curve = measure_learning_curve(make, features, panel, folds, pricing, anchors, crossfit, settings.seed, report)
        parts["learning_curve"] = curve.save()
    manifest = _manifest(panel, settings, choice, basis, anchors, pricing.observed_cost_usd(crossfit.observed))
    router = Router(manifest, choice.encoder, estimator, Parts(manifest, None, parts), book, "", at)
    router.card = write_card(router)
    return router


def _costs(panel: Panel, prices: PriceBook | None, at: date | None) -> tuple[str, PriceBook, Rates]:
    """The cost basis, the book and its rates of the moment."""
    basis = cost_basis(panel, prices)
    book = prices if prices is not None else recorded_book(panel, observe(panel).weight)
    return basis, book, book.rates(panel.models, at)


def _maker(settings: FitSettings) -> MakePredictor:
    """What makes the quality predictor."""
    return partial(open_predictor(settings.predictor, settings.allow_plugins).make, settings.seed)


def _reference(panel: Panel, weight: Floats, asked: str | None) -> int:
    if asked is None:
        means = column_means(panel.quality, weight)
        return int(np.argmax(means))
    if asked not in panel.models:
        raise UsageError(f'the reference "{asked}" is no model of the table', fix=f"models: {', '.join(panel.models)}")
    return panel.models.index(asked)


def _candidates(models: tuple[str, ...], known: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    by_name = {candidate.name: candidate for candidate in known}
    return tuple(by_name.get(model, Candidate(model)) for model in models)


def _manifest(
    panel: Panel, settings: FitSettings, choice: EmbedderChoice, basis: str, anchors: Anchors, cost_usd: Floats
) -> Manifest:
    labelled = ~np.isnan(panel.quality)
    return Manifest(
        version=tenbin.__version__,
        data_hash=panel.data_hash,
        seed=settings.seed,
        candidates=_candidates(panel.models, settings.candidates),
        embedder=choice.form,
        embedder_name=choice.encoder.embedder.name,
        embedder_reason=choice.reason,
        predictor=settings.predictor,
        reference=anchors.reference,
        c_ref_usd=anchors.c_ref_usd,
        t_ref_s=anchors.t_ref_s if np.isfinite(anchors.t_ref_s) else None,
        cost_basis=basis,
        uses_groups=settings.groups and any(query.group is not None for query in panel.queries),
        n_train=len(panel),
        n_labels=int(labelled.sum()),
        label_cost_usd=float(np.nansum(cost_usd[labelled])),
        hashes={},
    )
