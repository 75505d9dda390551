"""Paired labels: by how much the chosen candidate's answer beats a share of the reference's, prompt by prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tenbin.router.crossfit import Observed
from tenbin.types import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The labelled pairs of G distinct prompts at K settings, in an order that no label and no file decides.

    `values` [G, K] are the advantages q_chosen - share x q_reference, each times its weight over the largest weight
    (so none is below -share), NaN where the pair is not labelled. `usual_quality`, `dollars` and `usual_dollars` [G, K]
    are the reference's quality, the choice's dollars and the reference's there, times the same weights, which are in
    `weight` [G, K]. `largest_weight` is 1 where every label was certain to be bought.
    """

    values: Floats
    usual_quality: Floats
    dollars: Floats
    usual_dollars: Floats
    weight: Floats
    groups: tuple[str, ...]
    largest_weight: float

    def take(self, rows: Bools) -> Pairs:
        """The pairs of some prompts."""
        return Pairs(
            self.values[rows],
            self.usual_quality[rows],
            self.dollars[rows],
            self.usual_dollars[rows],
            self.weight[rows],
            tuple(group for group, kept in zip(self.groups, rows.tolist(), strict=True) if kept),
            self.largest_weight,
        )

    @property
    def counts(self) -> Ints:
        """How many prompts [K] have a labelled pair at each setting."""
        return np.asarray((~np.isnan(self.values)).sum(axis=0), dtype=np.int64)


def advantages(observed: Observed, chosen: Ints, reference: int, share: float) -> Floats:
    """q_chosen - share x q_reference [n, K] for the choices [K, n]; NaN where either is not labelled."""
    own = np.take_along_axis(observed.quality, chosen.T, axis=1)
    return own - share * observed.quality[:, reference, None]


def pair_weights(observed: Observed, chosen: Ints, reference: int) -> Floats:
    """1 / the probability [n, K] that both labels of a pair were bought: its rarer one's, since one draw buys a row."""
    own = np.take_along_axis(observed.weight, chosen.T, axis=1)
    return np.maximum(own, observed.weight[:, reference, None])


def pair_up(
    observed: Observed,
    cost_usd: Floats,
    chosen: Ints,
    reference: int,
    share: float,
    keys: Sequence[str],
    groups: Sequence[str],
) -> Pairs:
    """The pairs of calibration rows; `cost_usd` [n, M] are their dollars, `keys` [n] tell copies of a prompt.

    A pair that was not bought by plan (its propensity is below 1) counts as nothing won and nothing lost, as its
    weight has it. A row whose label is missing though it should be there would leave out just the hard prompts where a
    setting needs it: it is left out of all settings. Copies of a prompt are averaged and count once.
    """
    needed = np.union1d(chosen, reference)
    is_lost = (np.isnan(observed.quality) & (observed.weight == 1.0))[:, needed].any(axis=1)
    rows = np.flatnonzero(~is_lost)
    value = advantages(observed, chosen, reference, share)[rows]
    weight = pair_weights(observed, chosen, reference)[rows]
    largest = float(weight.max(initial=1.0))
    weight = weight / largest
    known = ~np.isnan(value)
    # Keys are hashes of the prompts: their order is as good as drawn by lot, and the same for every file.
    found, first, copy = np.unique(np.array(keys, dtype=str)[rows], return_index=True, return_inverse=True)
    size = np.bincount(copy).astype(np.float64)[:, None]

    def once(cells: Floats) -> Floats:
        total = np.zeros((len(found), value.shape[1]))
        np.add.at(total, copy, np.where(known, cells, 0.0))
        return total / size

    return Pairs(
        values=np.where(once(np.ones_like(value)) > 0.0, once(weight * value), np.nan),
        usual_quality=once(weight * observed.quality[rows, reference, None]),
        dollars=once(weight * np.take_along_axis(cost_usd, chosen.T, axis=1)[rows]),
        usual_dollars=once(weight * cost_usd[rows, reference, None]),
        weight=once(weight),
        groups=tuple(groups[int(rows[i])] for i in first),
        largest_weight=largest,
    )
