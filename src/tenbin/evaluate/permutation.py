"""How likely the router's gain is by chance: its choices dealt out to the wrong queries, many times."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tenbin.evaluate.curve import Contender, chosen
from tenbin.evaluate.metrics import FIGURES, Scale, figures_of
from tenbin.evaluate.trial import Ground, distinct
from tenbin.types import Choices, Ints

ROUNDS = 199
ROUNDING = 1e-12


def chance_of(contender: Contender, ground: Ground, scale: Scale, *, seed: int) -> float:
    """The share of permutations whose AIQ + AIQ-log is at least that of `contender` (p-value, the true deal included).

    Every permutation keeps how often each model is called at each mu and breaks only the tie to the query. The lean of
    a hull is in both, hence the test is exact where prompts say nothing. Copies of a prompt are dealt the choice of one
    of them: what comes out alike counts once.
    """
    choices = contender.choices[distinct(contender.choices)]
    return _share_as_high(choices, ground, lambda dealt: _height(dealt, ground, scale), seed)


def chance_of_quality(choice: Choices, ground: Ground, *, seed: int) -> float:
    """The share of permutations of one setting's `choice` [n] whose mean quality is at least its own (p-value)."""
    return _share_as_high(
        choice[None, :], ground, lambda dealt: float(chosen(ground.quality, dealt)[0] @ ground.share), seed
    )


def _share_as_high(choices: Choices, ground: Ground, height: Callable[[Choices], float], seed: int) -> float:
    first, copies = _prompts(ground.cluster)
    rng = np.random.default_rng(seed)
    least = height(choices) - ROUNDING
    as_high = sum(height(choices[:, first[rng.permutation(first.size)][copies]]) >= least for _ in range(ROUNDS))
    return (1 + as_high) / (1 + ROUNDS)


def _prompts(cluster: Ints) -> tuple[Ints, Ints]:
    """The first row [G] of every cluster in the order of rows, and which of these each row [n] is a copy of."""
    _, first, numbered = np.unique(cluster, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    return first[order], place[numbered.reshape(-1)]


def _height(choices: Choices, ground: Ground, scale: Scale) -> float:
    cost, quality = (chosen(cells, choices) @ ground.share for cells in (ground.cost_usd, ground.quality))
    figures = figures_of(cost, quality, scale)
    return math.fsum(figures[FIGURES.index(name)] for name in ("aiq", "aiq_log"))
