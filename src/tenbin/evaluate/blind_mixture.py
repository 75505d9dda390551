"""What mixing models without reading the prompts would save at the quality of a setting; where that is unknown, why.

Where next to all queries go to one candidate, the mixture of that quality is next to that candidate alone: what the
others add hangs on the few queries that go to them. Of so few an interval holds nearly always, or seldom, whatever it
is made of, for a sample that shows none of them is the same whether they bring much or nothing. So nothing is said
there (docs/explanation/metrics.md, "Intervals").
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tenbin.evaluate.comparison import share_of, shares_of
from tenbin.evaluate.curve import Contender
from tenbin.evaluate.intervals import interval, within
from tenbin.evaluate.trial import POINTS, SINGLES, Ground, Trial
from tenbin.reasons import Reason
from tenbin.types import UNKNOWN, Choices, Figure, Floats, Ints

LEAST_ELSEWHERE = 10
"""Queries (copies once) that must go elsewhere: the count that a share must rest on before its interval is believed.

Two more are imagined gone (`lent_sd`): beside ten they widen an interval by a tenth, at most to 97 % for 95.
"""
LENT_QUERIES = 2.0
UNSEEN_SEED = 0


@dataclass(frozen=True, slots=True)
class BlindMixture:
    """What the zero router (z_test) saves at the quality of one setting; where NaN, `note` says why ("en", "ja").

    No note where the reference is free: nothing can be saved there, by whatever means.
    """

    saving: Figure
    note: Mapping[str, str]


def blind_mixtures(
    trial: Trial, contender: Contender, ground: Ground, models: tuple[str, ...], reference: int
) -> tuple[BlindMixture, ...]:
    """One per operating point (`contender`); savings against the model `reference` (an index)."""
    quality = trial.means.of(f"{POINTS} quality")
    reference_cost = trial.means.of(f"{SINGLES} cost")[:, reference]
    usual = shares_of(contender.choices, ground).argmax(axis=1)
    cost = _cost(trial, quality + _unseen(contender.choices, usual, ground, len(quality)))
    return tuple(
        _mixture(cost[:, k], reference_cost, _gone(contender.choices[k], usual[k], ground), models[usual[k]], ground)
        for k in range(len(usual))
    )


def _gone(choice: Choices, usual: int, ground: Ground) -> int:
    """How many queries do not go to the usual candidate, copies counted once."""
    return int(np.unique(ground.cluster[choice != usual]).size)


def _mixture(cost: Floats, reference_cost: Floats, gone: int, usual: str, ground: Ground) -> BlindMixture:
    if gone < LEAST_ELSEWHERE:
        return BlindMixture(UNKNOWN, _too_few(gone, int(np.unique(ground.cluster).size), usual).in_all())
    saving = within(interval(share_of(cost, reference_cost)), 0.0).flipped
    return BlindMixture(saving, Reason("blind_not_reached").in_all() if math.isnan(cost[0]) else {})


def _too_few(gone: int, n: int, usual: str) -> Reason:
    most = Reason("blind_all") if gone == 0 else Reason("blind_all_but", gone=str(gone))
    return Reason("blind_too_few", most=most, n=f"{n:,}", usual=usual, least=str(LEAST_ELSEWHERE))


def _cost(trial: Trial, quality: Floats) -> Floats:
    """Least dollars [1 + R, K] at which each resample's zero router reaches these qualities; NaN where it does not."""
    reached = ([scale.zero.cost_at(q) for q in row] for scale, row in zip(trial.scales, quality.tolist(), strict=True))
    return np.array(list(reached))


def _unseen(choices: Choices, usual: Ints, ground: Ground, rows: int) -> Floats:
    """Noise [rows, K] in the qualities of resamples: what the few that go elsewhere might hide. None in row 0."""
    lent = [lent_sd(ground, choices[k], int(m)) for k, m in enumerate(usual)]
    noise = np.random.default_rng(UNSEEN_SEED).standard_normal(rows)
    noise[0] = 0.0
    return np.outer(noise, lent)


def lent_sd(ground: Ground, choice: Choices, usual: int) -> float:
    """What the mean quality of `choice` [n] against the usual candidate's might hide, as a standard deviation.

    Two more of the queries that stayed are imagined gone (Agresti and Coull, American Statistician 52:2, 1998): each
    comes out otherwise with the chance that such outcomes differ over all queries, by as much as those did that went.
    """
    share, gone = ground.share, choice != usual
    if not gone.any():
        return 0.0
    gap = ground.quality - ground.quality[:, [usual]]
    among = np.bincount(choice[gone], weights=share[gone], minlength=gap.shape[1]) / share[gone].sum()
    moved = gap[np.arange(len(choice)), choice]
    seen = float(share @ (moved != 0.0))
    bring = float(among @ (share @ gap**2))
    if seen > 0.0:
        bring = float(among @ (share @ (gap != 0.0))) * float(share @ moved**2) / seen
    return math.sqrt(LENT_QUERIES * float(share[~gone].sum()) * bring) * ground.variance_share
