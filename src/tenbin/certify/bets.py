"""Betting against "the mean is 0 or less": stakes that are settled before the first value is seen.

Whoever stakes the share s of his wealth on a value D >= -low holds (1 + s D) times as much after it. Where the mean of
D is 0 or less and 0 <= s <= 1 / low is chosen before D is seen, wealth is a supermartingale that never falls below 0:
it reaches 1 / level with a chance of at most `level` (Ville). Reaching it is a valid test for every n and every
distribution; wealth is its e-value (Waudby-Smith and Ramdas, arXiv 2010.09686, section 4).

The choice of stakes decides only how often a true advantage is seen. Here they are those with the largest chance to
reach the goal in n rounds if values fall as they did in training, with their mean moved to where n values just about
tell it from 0. They depend on the wealth that is still wanted and the rounds that are left (as in STaR-Bets, arXiv
2505.22422), and are found backwards from the last round, after which whoever is short of the goal holds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tenbin.types import Bools, Floats, Ints

WEALTHS = 192
LEAST_LOG = -9.0
"""Logarithm of the least share of the goal that is told apart; who holds less stakes as if he held this."""
BEND = 1.5
"""Steps of wealth are finer near the goal, where a single round decides."""
STAKES = 20
LEAST_STAKE, MOST_STAKE = 0.02, 0.995
"""Offered besides 0, as shares of what the worst value would lose whole."""
LEAST_GROWN, GROWN = 1e-4, 80
"""Offered where nothing is bet and only growth is asked for, which may be the slowest."""
MOST_ROUNDS = 512
"""So many rounds are planned; with more ahead, stakes shrink with the root of their number, as in the normal limit."""
NEW_PLAN = 0.08
"""Stakes are planned anew when the rounds left have grown by this share."""
DETECTABLE = 2.5
"""Standard errors by which the mean that is planned for exceeds 0: seen in four of five tries."""
TILT = 200.0


@dataclass(frozen=True, slots=True, eq=False)
class Bets:
    """The stakes of K tests side by side.

    `stakes` [J, K, WEALTHS] are shares of the wealth, by the rounds left (`rounds` [J], rising) and by the wealth held
    as a share of the goal.
    """

    rounds: Ints
    stakes: Floats

    def reach(self, values: Floats, level: float) -> Bools:
        """Which tests [..., K] reach 1 / level on `values` [n, ..., K] in the order of rows; on NaN nothing is staked.

        Valid where every value is at least the -low that the stakes were planned with.
        """
        tail = values.shape[1:]
        test = np.broadcast_to(np.arange(tail[-1]), tail)
        log_share = np.full(tail, np.log(level))
        for i, value in enumerate(values):
            left = len(values) - i
            j = int(np.searchsorted(self.rounds, left, side="right")) - 1
            stake = self.stakes[j][test, _place(log_share).astype(np.int64)]
            if left > self.rounds[-1]:
                stake = stake * np.sqrt(self.rounds[-1] / left)
            gain = np.log1p(stake * np.where(np.isnan(value), 0.0, value))
            log_share = np.where(log_share < 0.0, log_share + gain, log_share)
        reached: Bools = log_share >= 0.0
        return reached


def plan_bets(support: Floats, chance: Floats, n: int, low: float) -> Bets:
    """The stakes of K tests on n values that are expected to fall on `support` [A] with the chances [K, A].

    No value may fall below -low; the chances only steer the stakes, nothing that is proved rests on them.
    """
    chance = _moved(support, chance, max(n, 1))
    rounds = _planned_rounds(min(n, MOST_ROUNDS))
    offered = np.concatenate([[0.0], np.geomspace(LEAST_STAKE, MOST_STAKE, STAKES - 1)]) / low
    # Where each stake leads from each wealth, by value [S, A, U]: the same for all tests and rounds.
    lands = _place(_log_share() + np.log1p(offered[:, None, None] * support[:, None]))
    below = np.minimum(lands.astype(np.int64), WEALTHS - 2)
    above = lands - below
    worth = np.zeros((len(chance), WEALTHS))
    worth[:, -1] = 1.0
    stakes = np.empty((len(rounds), *worth.shape))
    value = np.arange(len(support))[:, None]
    for j, first in enumerate(rounds.tolist()):
        best = _best(worth, chance, below, above)
        stakes[j] = offered[best]
        own_below = below[best[:, None], value, np.arange(WEALTHS)]
        own_above = above[best[:, None], value, np.arange(WEALTHS)]
        until = int(rounds[j + 1]) if j + 1 < len(rounds) else first + 1
        for _ in range(first, until):
            worth = _ahead(worth, chance, own_below, own_above)
    return Bets(rounds, stakes)


def best_growth(values: Floats, low: float) -> float:
    """How much the logarithm of wealth grows with each of `values` [n], of mean above 0, at the best single stake."""
    stakes = np.geomspace(LEAST_GROWN, MOST_STAKE, GROWN) / low
    return float(max(np.log1p(stake * values).mean() for stake in stakes))


def _best(worth: Floats, chance: Floats, below: Ints, above: Floats) -> Ints:
    """The stake [K, U] from which the chance of reaching the goal is largest; of equal ones the smallest."""
    best = np.zeros(worth.shape, dtype=np.int64)
    most = np.full(worth.shape, -1.0)
    rise = np.diff(worth, axis=1)
    for s in range(len(below)):
        ahead = np.zeros(worth.shape)
        for a in range(chance.shape[1]):
            ahead += chance[:, a, None] * (worth[:, below[s, a]] + above[s, a] * rise[:, below[s, a]])
        is_better = ahead > most + 1e-12
        most = np.where(is_better, ahead, most)
        best[is_better] = s
    return best


def _ahead(worth: Floats, chance: Floats, below: Ints, above: Floats) -> Floats:
    """The chance [K, U] of reaching the goal with one more round, at the stakes that lead to these places [K, A, U]."""
    test = np.arange(len(worth))[:, None, None]
    here = worth[test, below]
    ahead: Floats = (chance[:, :, None] * (here + above * (worth[test, below + 1] - here))).sum(axis=1)
    return ahead


def _planned_rounds(most: int) -> Ints:
    """The numbers of rounds left at which stakes are planned anew: each of the last ones, then ever fewer."""
    found = [1]
    while (following := found[-1] + max(1, int(found[-1] * NEW_PLAN))) <= most:
        found.append(following)
    return np.array(found, dtype=np.int64)


def _log_share() -> Floats:
    """The wealth of each place, as the logarithm of its share of the goal: from LEAST_LOG up to 0."""
    return LEAST_LOG * (1.0 - np.arange(WEALTHS) / (WEALTHS - 1)) ** BEND


def _place(log_share: Floats) -> Floats:
    """Where wealth stands among the places: 0 for LEAST_LOG or less, WEALTHS - 1 for the goal or more."""
    place: Floats = (1.0 - np.clip(log_share / LEAST_LOG, 0.0, 1.0) ** (1.0 / BEND)) * (WEALTHS - 1)
    return place


def _moved(support: Floats, chance: Floats, n: int) -> Floats:
    """The chances, tilted by exp(t x) so that their mean is DETECTABLE standard errors of n values above 0."""
    mean = chance @ support
    spread = np.sqrt(np.maximum(chance @ support**2 - mean**2, 0.0))
    wanted = DETECTABLE * spread / np.sqrt(n)
    low, high = np.full(len(chance), -TILT), np.full(len(chance), TILT)
    tilted = chance
    for _ in range(50):
        middle = (low + high) / 2.0
        tilted = chance * np.exp(middle[:, None] * support)
        tilted /= tilted.sum(axis=1, keepdims=True)
        is_over = tilted @ support > wanted
        low, high = np.where(is_over, low, middle), np.where(is_over, middle, high)
    return tilted
