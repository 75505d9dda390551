"""The rows that an evaluation may look at: split test, never seen in training, known for every model."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import numpy as np

from tenbin.errors import EvaluationError
from tenbin.reasons import counted
from tenbin.types import Bools, Floats, Ints, Panel, Query

SCALED = 1e-3
PRICE_GAP = 0.1
"""Recorded dollars and tokens at the router's prices may differ by this share before it is worth a note."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Unseen test rows, columns in the router's order, and which of them are complete.

    `panel` holds every unseen row; `cost_usd` [n, M] its realised dollars; `complete` [n] the rows with quality and
    dollars for every model, which all curves use. `weight` [n] is 1 / the probability that the row was labelled
    throughout; `cluster` [n] numbers the independent units (copies of a prompt share one). The counts and
    `notes` say what was left out.
    """

    panel: Panel
    cost_usd: Floats
    complete: Bools
    weight: Floats
    cluster: Ints
    n_rows: int
    n_other_split: int
    n_seen_dropped: int
    cost_source: str
    notes: tuple[str, ...]

    @property
    def n_incomplete(self) -> int:
        """Rows without a quality or a cost for some model."""
        return int((~self.complete).sum())


def draw_sample(
    panel: Panel,
    models: tuple[str, ...],
    seen: Collection[str],
    key: Callable[[Query], str],
    price_tokens: Callable[[Panel], Floats] | None,
    price_recorded: Callable[[Floats], Floats] | None = None,
) -> Sample:
    """Choose and align the rows of `panel` to evaluate a router of `models` on.

    `seen` are the keys of its training prompts, `key` makes them; `price_tokens` turns a panel's tokens into dollars
    [n, M], NaN where they are unknown (None: it cannot), `price_recorded` recorded dollars into those of today (None:
    they stay as they are). EvaluationError where nothing is left.
    """
    notes: list[str] = []
    part = panel.part("test")
    if not len(part):
        raise EvaluationError(
            f"none of the {counted(len(panel), 'query', 'queries')} has split = test",
            fix="mark some as test or leave the split column out",
        )
    aligned, ignored = align_models(part, models)
    if ignored:
        notes.append(f"ignored, because the router does not know them: {', '.join(ignored)}")
    keys = [key(query) for query in aligned.queries]
    known = frozenset(seen)
    fresh = np.array([k not in known for k in keys], dtype=np.bool_)
    if not fresh.any():
        raise EvaluationError(
            f"{'all ' if len(part) > 1 else ''}{counted(len(part), 'query was', 'queries were')} seen in training",
            fix="fit again with some marked split = test, or evaluate on others",
        )
    aligned = aligned.take(fresh)
    notes += price_notes(aligned, price_tokens)
    if price_recorded is not None:
        recorded, aligned = aligned.cost_usd, replace(aligned, cost_usd=price_recorded(aligned.cost_usd))
        notes += scale_notes(models, recorded, aligned.cost_usd)
    cost, source = realised_cost(aligned, price_tokens)
    lacking: Bools = np.isnan(aligned.quality) | np.isnan(cost)
    complete: Bools = np.logical_not(np.any(lacking, axis=1))
    if not complete.any():
        raise EvaluationError(
            f"none of the {counted(len(aligned), 'unseen query', 'unseen queries')} "
            f"has a quality and a cost for each of {', '.join(models)}",
            fix="label some queries for every model, with tokens or cost_usd",
        )
    if not complete.all():
        notes.append(gaps_note(models, lacking))
    return Sample(
        panel=aligned,
        cost_usd=cost,
        complete=complete,
        weight=aligned.label_weight.max(axis=1),  # one draw buys a row: that of its rarest label
        cluster=np.unique(np.array(keys)[fresh], return_inverse=True)[1].reshape(-1).astype(np.int64),
        n_rows=len(panel),
        n_other_split=len(panel) - len(part),
        n_seen_dropped=int((~fresh).sum()),
        cost_source=source,
        notes=tuple(notes),
    )


def align_models(panel: Panel, models: tuple[str, ...]) -> tuple[Panel, tuple[str, ...]]:
    """The panel with exactly `models` as columns, and the names that were ignored.

    EvaluationError where a model has no column or not one quality.
    """
    if missing := [name for name in models if name not in panel.models]:
        raise EvaluationError(
            f"no outcomes of {', '.join(missing)}, which the router chooses among",
            fix="add outcomes of each of the router's models",
        )
    aligned = panel.of_models(models)
    empty = np.isnan(aligned.quality).all(axis=0)
    if empty.any():
        missing = [models[m] for m in np.flatnonzero(empty).tolist()]
        raise EvaluationError(
            f"not one quality of {', '.join(missing)} among the test queries",
            fix="label some answers there, or leave it out: tenbin router retire-model",
        )
    return aligned, tuple(name for name in panel.models if name not in set(models))


def realised_cost(panel: Panel, price_tokens: Callable[[Panel], Floats] | None) -> tuple[Floats, str]:
    """What every call cost [n, M] and where from: its tokens at the router's prices, else the recorded dollars.

    It decides at the prices of the moment: in dollars that were paid at others a model that has become cheap is dear.
    """
    if price_tokens is None:
        return panel.cost_usd, "observed"
    priced = price_tokens(panel)
    gaps = np.isnan(priced)
    cost = np.where(gaps, panel.cost_usd, priced)
    if gaps.all():
        return cost, "observed"
    return cost, "mixed" if (gaps & ~np.isnan(cost)).any() else "tokens"


def price_notes(panel: Panel, price_tokens: Callable[[Panel], Floats] | None) -> list[str]:
    """A sentence where recorded dollars contradict the router's prices: old ones, or tokens that do not say all."""
    if price_tokens is None:
        return []
    priced = price_tokens(panel)
    both = ~np.isnan(priced) & ~np.isnan(panel.cost_usd)
    now, then = (np.where(both, cells, 0.0).sum(axis=0) for cells in (priced, panel.cost_usd))
    apart = times_apart(panel.models, then, now, PRICE_GAP)
    return (
        [f"tokens at the router's prices, which count, cost another sum than the recorded cost_usd (times): {apart}"]
        if apart
        else []
    )


def scale_notes(models: tuple[str, ...], recorded: Floats, priced: Floats) -> list[str]:
    """A sentence where recorded dollars are counted at other prices than those that they were paid at."""
    scaled = times_apart(models, np.nansum(recorded, axis=0), np.nansum(priced, axis=0), SCALED)
    return [f"recorded dollars are counted at the router's prices (times): {scaled}"] if scaled else []


def times_apart(models: tuple[str, ...], then: Floats, now: Floats, gap: float) -> str:
    """The models whose dollars [M] are apart by more than a share of `gap`, each with how many times it is now."""
    ratio = np.divide(now, then, out=np.ones_like(now), where=then > 0.0)
    apart = (f"{m} {r:.2f}" for m, r in zip(models, ratio.tolist(), strict=True) if abs(r - 1.0) > gap)
    return ", ".join(apart)


def gaps_note(models: tuple[str, ...], lacking: Bools) -> str:
    """A sentence on the queries left out because cells [n, M] are lacking, with the model that lacks the most."""
    rows, by_model = int(lacking.any(axis=1).sum()), lacking.sum(axis=0)
    worst = int(by_model.argmax())
    most = f"most often {models[worst]}, {by_model[worst]} of {len(lacking)}"
    lack = counted(str(rows), "query lacks", "queries lack")
    return f"{lack} a quality or a cost for some model ({most}): not in the curves"
