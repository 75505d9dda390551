"""The labels of one new candidate, and which training prompts they are on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenbin.errors import DataError, did_you_mean
from tenbin.outcomes.identity import prompt_key
from tenbin.prices import PriceBook
from tenbin.router.crossfit import Observed
from tenbin.router.router import Router
from tenbin.types import Floats, Ints, Panel, Query

TRAIN = "train"


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of one candidate on L different prompts: qualities, amounts (NaN = unknown), weights 1 / propensity, [L].

    `rows` [L] is the training row of each prompt, -1 where it is none. Where copies of a prompt were answered, its
    label is the mean of that many `answers` [L].
    """

    queries: tuple[Query, ...]
    rows: Ints
    quality: Floats
    input_tokens: Floats
    output_tokens: Floats
    cost_usd: Floats
    latency_s: Floats
    weight: Floats
    answers: Ints

    def __len__(self) -> int:
        return len(self.queries)

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the prompts."""
        return frozenset(prompt_key(query) for query in self.queries)

    def dollars(self, book: PriceBook, model: str) -> Floats:
        """What each answer cost [L]: what was recorded, else its tokens at the book's prices; NaN: neither is known."""
        priced = book.rates([model]).cost_usd(self.input_tokens[:, None], self.output_tokens[:, None])[:, 0]
        return np.where(np.isnan(self.cost_usd), priced, self.cost_usd)

    def observed(self, n: int) -> Observed:
        """The same as a column [n, 1] of the training rows; weights relative, since the estimates are the ground.

        A label that stands for many prompts would move a whole curve by its own luck.
        """
        inside = self.rows >= 0
        columns = {}
        for name in ("quality", "input_tokens", "output_tokens", "cost_usd", "latency_s"):
            columns[name] = np.full((n, 1), np.nan)
            columns[name][self.rows[inside], 0] = getattr(self, name)[inside]
        return Observed(**columns, weight=np.ones((n, 1)))


def labels_of(router: Router, panel: Panel, model: str) -> Labels:
    """The labels of `model` in a panel that may be learnt from, one per prompt (DataError where there is none).

    Rows held out (split calibration or test) are kept for proof, unless the router has learnt from that prompt already:
    a pilot that asks training prompts draws a hold-out of its own.
    """
    if model not in panel.models:
        fix = did_you_mean(model, panel.models) or f"models there: {', '.join(panel.models)}"
        raise DataError(f'has no rows of "{model}"', where="the outcome table", fix=fix)
    m = panel.models.index(model)
    at = np.flatnonzero(~np.isnan(panel.quality[:, m]))
    if not at.size:
        raise DataError(f'has no quality of "{model}"', where="the outcome table", fix="label 16 to 64 of its answers")
    row_of = router.seen_prompts.row_of()
    keys = np.array([prompt_key(panel.queries[i]) for i in at.tolist()])
    rows = np.array([row_of.get(key, -1) for key in keys.tolist()], dtype=np.int64)
    if panel.split is not None:
        free = np.array([panel.split[i] == TRAIN for i in at.tolist()]) | (rows >= 0)
        at, rows, keys = at[free], rows[free], keys[free]
    if not at.size:
        fix = "label 16 to 64 answers to training prompts; calibration and test rows are kept for proof"
        raise DataError(f'has no quality of "{model}" on a row with split = train', where="the outcome table", fix=fix)
    propensity = np.where(np.isnan(panel.label_propensity[at, m]), 1.0, panel.label_propensity[at, m])
    places = {key: place for place, key in enumerate(dict.fromkeys(keys.tolist()))}
    prompt = np.array([places[key] for key in keys.tolist()], dtype=np.int64)
    first = np.unique(prompt, return_index=True)[1]
    return Labels(
        queries=tuple(panel.queries[i] for i in at[first].tolist()),
        rows=rows[first],
        quality=_once(panel.quality[at, m], prompt),
        input_tokens=_once(panel.input_tokens[at, m], prompt),
        output_tokens=_once(panel.output_tokens[at, m], prompt),
        cost_usd=_once(panel.cost_usd[at, m], prompt),
        latency_s=_once(panel.latency_s[at, m], prompt),
        weight=_once(1.0 / propensity, prompt),
        answers=np.bincount(prompt),
    )


def _once(cells: Floats, prompt: Ints) -> Floats:
    """The mean of the known cells [n] of every prompt [L]; NaN where none is known."""
    known = ~np.isnan(cells)
    count = np.bincount(prompt, known)
    total = np.bincount(prompt, np.where(known, cells, 0.0))
    return np.where(count > 0.0, total / np.maximum(count, 1.0), np.nan)
