"""How far along the path the proof goes: setting by setting, ending at the first that is not proved.

Every setting is tested at the full level; since no later one is looked at after a failure, the chance of proving any
false one stays at most that level (fixed sequence). Several groups share the level: each walks the path at an equal
part of it, and hands its part on once it has come to the end (Holm; Bretz et al. 2009, doi 10.1002/sim.3495).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tenbin.certify.bets import Bets, plan_bets
from tenbin.types import Floats, Ints

MOST_VALUES = 16
EXTREME = 0.5
"""The worst and the best value count half a time more than they were seen, so that no stake trusts in their absence."""


def steps_proved(values: Floats, bets: Bets, level: float) -> Ints:
    """How many settings are proved in a row, [...] for values [n, ..., K] in the order of the path."""
    return np.asarray(np.cumprod(bets.reach(values, level), axis=-1).sum(axis=-1), dtype=np.int64)


def steps_by_group(values: Mapping[str, Floats], bets: Mapping[str, Bets], level: float) -> dict[str, int]:
    """How many settings each group proves, all these claims together with a chance of at most `level` to be wrong."""
    names = list(values)
    levels = [level / (len(names) - ended) for ended in range(len(names))]
    proved = {name: [int(steps_proved(values[name], bets[name], part)) for part in levels] for name in names}
    for found in proved.values():
        # What a small part of the level proves must be proved by a larger one too: stakes for another goal may differ.
        found[:] = np.minimum.accumulate(found[::-1])[::-1].tolist()
    ended = 0
    while ended < len(names):
        now = sum(proved[name][ended] == values[name].shape[-1] for name in names)
        if now <= ended:
            break
        ended = now
    part = min(ended, len(names) - 1)
    return {name: proved[name][part] for name in names}


def bets_like(training: Floats, values: Floats, share: float) -> Bets:
    """Stakes for `values` [n, K] that are expected to fall as the `training` ones [m, K] do; none is below -share.

    Of the values themselves nothing is looked at but which are missing.
    """
    known = training[~np.isnan(training)]
    support = np.unique(np.round(np.concatenate([[-share, 0.0, 1.0], known]), 9))
    if len(support) > MOST_VALUES:
        support = np.union1d(np.linspace(-share, 1.0, MOST_VALUES), [0.0])
    nearest = np.searchsorted((support[1:] + support[:-1]) / 2.0, training)
    counts = np.stack([((nearest == a) & ~np.isnan(training)).sum(axis=0) for a in range(len(support))], axis=1)
    chance = counts.astype(np.float64)
    chance[:, [0, -1]] += EXTREME
    chance /= chance.sum(axis=1, keepdims=True)
    missing = np.isnan(values).mean(axis=0)
    chance *= 1.0 - missing[:, None]
    chance[:, np.searchsorted(support, 0.0)] += missing
    return plan_bets(support, chance, len(values), share)
