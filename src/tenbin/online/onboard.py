"""Taking a new candidate into a fitted router from a handful of its answers, if it helps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import tenbin
from tenbin.artifact import Change
from tenbin.errors import DataError, PriceError, UsageError
from tenbin.online.ask import spread_sample
from tenbin.online.company import Company
from tenbin.online.evidence import Ground, NewcomerEvidence, evidence_of
from tenbin.online.labels import Labels, labels_of
from tenbin.outcomes.identity import prompt_key
from tenbin.prices import PriceBook
from tenbin.reasons import counted
from tenbin.router.crossfit import doubly_robust
from tenbin.router.leanings import AMOUNTS
from tenbin.router.pool import Addition, recorded, with_candidate
from tenbin.router.pricing import DOLLARS, recorded_price
from tenbin.router.router import Router
from tenbin.types import Candidate, Floats, Ints, Panel, Query


@dataclass(frozen=True, slots=True)
class Onboarding:
    """What a handful of answers told of a new candidate, and the router that has it.

    `quality` and `cost_usd` are its expected means over the training prompts, `quality_sd` the first one's standard
    deviation; `quality_of_labels` is the plain mean of its labels, one a prompt. `n_known` labels are on training
    prompts, where the others' answers are known. `multiples` say by how much its tokens, dollars and seconds exceed
    the others' common level (NaN: not measured). `router` has it, whether or not it is to be taken in.
    """

    router: Router
    model: str
    n_labels: int
    n_known: int
    quality: float
    quality_sd: float
    quality_of_labels: float
    cost_usd: float
    multiples: dict[str, float]
    evidence: NewcomerEvidence


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Prompts to ask a new candidate: their places in the list given, each chosen with probability `propensity`.

    `n_known` of the prompts given are training prompts; where these are enough, only they are asked.
    """

    places: Ints
    propensity: float
    n_known: int


def add_model(
    router: Router,
    panel: Panel,
    candidate: Candidate,
    prices: PriceBook | None = None,
    *,
    force: bool = False,
    seed: int = 0,
) -> Onboarding:
    """Learn a new candidate from its labels in `panel`, but those of held-out rows (see `labels_of`).

    `prices` needs a price of it unless the router's own book has one, or the router knows only dollars; prices of other
    models there are not looked at. Deterministic for one seed. Raises UsageError (already a candidate; nothing to lean
    on), DataError (no label, no cost), PriceError.
    """
    _check(router, candidate.name)
    labels = labels_of(router, panel, candidate.name)
    book = _book(router, candidate.name, labels, prices)
    company = Company(router)
    newcomer = company.meet(labels)
    leaning = company.leaning(newcomer, labels, book, candidate.name)
    addition = Addition(
        candidate=candidate,
        leaning=leaning,
        observed=labels.observed(len(router.crossfit.observed.quality)),
        keys=labels.keys,
        label_cost_usd=float(np.nansum(labels.answers * labels.dollars(book, candidate.name))),
        prices=book,
    )
    draft = with_candidate(router, addition)
    ground = _ground(router, draft, company.factors)
    evidence = evidence_of(ground, newcomer, seed)
    change = Change(
        kind="added",
        model=candidate.name,
        version=tenbin.__version__,
        reference=router.manifest.reference,
        n_labels=len(labels),
        data_hash=panel.data_hash,
        gain=round(evidence.gain, 6),
        certainty=round(evidence.certainty, 4),
        forced=force and not evidence.suffices,
    )
    level = ground.quality_of_new.mean(axis=0)
    return Onboarding(
        router=recorded(draft, change),
        model=candidate.name,
        n_labels=len(labels),
        n_known=int((labels.rows >= 0).sum()),
        quality=float(level @ newcomer.centre),
        quality_sd=float(np.sqrt(level @ newcomer.covariance @ level)),
        quality_of_labels=float(labels.quality.mean()),
        cost_usd=float(ground.cost_usd_of_new.mean()),
        multiples=dict(zip(AMOUNTS, leaning.multiples[0].tolist(), strict=True)),
        evidence=evidence,
    )


def suggest(router: Router, queries: Sequence[Query], count: int, *, seed: int = 0) -> Suggestion:
    """Which of `queries` to ask a new candidate first; copies of a prompt are asked once.

    UsageError where `count` is no number of prompts, or there are none to choose from.
    """
    if count < 1:
        raise UsageError(f"{counted(count, 'prompt tells', 'prompts tell')} nothing", fix="ask for 16 to 64")
    _check_company(router)
    rows = router.seen_prompts.row_of()
    first: dict[str, int] = {}
    for place, query in enumerate(queries):
        first.setdefault(prompt_key(query), place)
    if not first:
        fix = "give a file with prompts; those of a calibration or test split are never asked"
        raise UsageError("there are no prompts to choose from", fix=fix)
    known = {key: place for key, place in first.items() if key in rows}
    chosen_from = known if len(known) >= count else first
    places = np.array(list(chosen_from.values()), dtype=np.int64)
    company = Company(router)
    factors = (
        company.factors[[rows[key] for key in chosen_from]]
        if chosen_from is known
        else company.foreseen([queries[place] for place in places.tolist()])
    )
    taken = spread_sample(factors, count, seed)
    return Suggestion(places[taken], min(1.0, count / len(places)), len(known))


def _check(router: Router, model: str) -> None:
    if model in router.models:
        raise UsageError(
            f'the router has the candidate "{model}" already', fix="retire it first, or fit again on all outcomes"
        )
    if not model.strip():
        raise UsageError("the new candidate has no name", fix="name it as the outcome table does")
    _check_company(router)


def _check_company(router: Router) -> None:
    if not len(router.roster.kept):
        raise UsageError(
            "no candidate of the fit is left, so a new one has nothing to lean on", fix="fit again on all outcomes"
        )


def _book(router: Router, model: str, labels: Labels, prices: PriceBook | None) -> PriceBook:
    """The router's book with the newcomer's prices; its labels must say what these apply to."""
    is_dollars = router.manifest.cost_basis == DOLLARS
    given = next((book for book in (prices, router.prices) if book is not None and model in book.entries), None)
    measured = ~np.isnan(labels.input_tokens) & ~np.isnan(labels.output_tokens)
    if given is None and not is_dollars:
        where = "the router's prices" if prices is None else prices.name
        fix = f'give --prices FILE with [models."{model}"], input_usd_per_mtok and output_usd_per_mtok'
        raise PriceError(f'no price for "{model}"', where=where, fix=fix)
    if not is_dollars and not measured.any():
        fix = "give input_tokens and output_tokens: this router predicts tokens and prices them"
        raise DataError(f'no label of "{model}" has tokens', where="the outcome table", fix=fix)
    if is_dollars and np.isnan(labels.cost_usd).all() and not (measured.any() and given is not None):
        fix = "give cost_usd: this router predicts recorded dollars"
        raise DataError(f'no label of "{model}" has a cost', where="the outcome table", fix=fix)
    history = (recorded_price(float(np.nanmean(labels.cost_usd))),) if given is None else given.entries[model]
    return PriceBook({**router.prices.entries, model: history}, router.prices.name)


def _ground(router: Router, draft: Router, factors: Floats) -> Ground:
    """The training rows with what both pools expect and what the known candidates really did."""
    crossfit = router.crossfit
    dollars = draft.cost_usd(draft.crossfit.estimates)
    known = dollars[:, : len(router.models)]
    return Ground(
        models=draft.models,
        anchors=draft.anchors,
        estimated=draft.crossfit.estimates.quality,
        estimated_usd=dollars,
        quality=crossfit.quality_values(),
        cost_usd=doubly_robust(known, router.observed_cost_usd(), crossfit.observed.weight),
        quality_of_new=np.hstack([np.ones((len(factors), 1)), factors]),
        cost_usd_of_new=dollars[:, -1],
    )
