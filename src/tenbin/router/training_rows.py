"""Which rows a router learns from, and the folds that keep near-duplicates together."""

from __future__ import annotations

from collections import Counter

import numpy as np

from tenbin.errors import DataError
from tenbin.outcomes.columns import LEAST_PROPENSITY, MOST_AMOUNT
from tenbin.outcomes.identity import fold_of, is_hidden, prompt_key
from tenbin.reasons import counted
from tenbin.types import CELLS, Ints, Panel

N_FOLDS = 5
LEAST_PROMPTS = 10
NEAR_KEYS = 2**62
MOST_NEAR = 20
"""A start that more prompts than this share is a template (a system prompt, an instruction), no near-duplicate."""


def training_rows(panel: Panel) -> Panel:
    """The rows to learn from: split "train" where there is a split; DataError where they cannot carry a fit."""
    check_values(panel)
    panel = panel.part("train")
    if len(set(_near_keys(panel))) < LEAST_PROMPTS:
        raise DataError(
            f"{counted(len(panel), 'training prompt is', 'training prompts are')} "
            f"too few to fit on (fewer than {LEAST_PROMPTS} different ones)",
            where="the outcome table",
            fix="collect more, or check the split column",
        )
    for m, model in enumerate(panel.models):
        if np.isnan(panel.quality[:, m]).all():
            raise DataError(
                f'"{model}" has no quality on any training prompt', where="column quality", fix="label some or drop it"
            )
    return panel


def check_values(panel: Panel) -> None:
    """Refuse figures that cannot be, as the reader of outcome tables does: a panel may be made by hand (DataError).

    So is one whose prompts are hashes alone, of which nothing can be learnt and nothing said.

    Quality is in [0, 1], a propensity too and at least LEAST_PROPENSITY, everything else from 0 to MOST_AMOUNT. A
    query has a prompt or messages.
    """
    both = next((query for query in panel.queries if query.prompt and query.messages is not None), None)
    if both is not None:
        what = f"query {both.query_id} has both prompt and messages, and a router reads one of them"
        raise DataError(what, where="the panel", fix="give one of them")
    if panel.queries and all(is_hidden(query) for query in panel.queries):
        fix = "give the one with the prompts, as 'tenbin pilot export' writes it without --hash-prompts"
        raise DataError("has hashes in place of prompts", where="the outcome table", fix=fix)
    for column in CELLS:
        cells = getattr(panel, column)
        most = 1.0 if column in ("quality", "label_propensity") else MOST_AMOUNT
        least = LEAST_PROPENSITY if column == "label_propensity" else 0.0
        bad = (cells > most) | (cells < least)
        if bad.any():
            i, m = np.argwhere(bad)[0]
            raise DataError(
                f'"{panel.models[m]}" has {column} {cells[i, m]:g} on {panel.queries[i].query_id}',
                where="the panel",
                fix="scale it to 0..1" if most == 1.0 else f"give a finite number from 0 to {MOST_AMOUNT:g}, or NaN",
            )


def near_folds(panel: Panel) -> Ints:
    """The fold [n] of every row: near-duplicates share one, sizes are even, the order of rows does not matter."""
    keys = _near_keys(panel)
    rank = {key: i for i, key in enumerate(sorted(set(keys)))}
    return np.array([rank[key] % N_FOLDS for key in keys], dtype=np.int64)


def _near_keys(panel: Panel) -> list[str]:
    """One key [n] per row: equal for prompts that start alike, or are alike where the start is a mere template."""
    starts = [fold_of(query, NEAR_KEYS) for query in panel.queries]
    shared = Counter(starts)
    return [
        f"{start}" if shared[start] <= MOST_NEAR else prompt_key(query)
        for start, query in zip(starts, panel.queries, strict=True)
    ]
