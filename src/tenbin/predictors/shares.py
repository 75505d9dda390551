"""How far to believe each head: non-negative stacking weights, shrunk as far as the evidence is thin.

Heads are weighed by how well they predicted rows they had not seen. The common factor has its own weights; deviations
pool theirs, since sixteen candidates' worth of separate weights would be sixteen chances to win by luck. A positive
part James-Stein factor then takes off what an equally good fit to pure noise would have earned.
"""

from __future__ import annotations

import numpy as np

from tenbin.types import Floats

SLOPE_PRIOR_SD = 0.3
"""How far, a priori, one direction's slope lies from the pooled one."""
LARGEST_SLOPE = 1.25
LUCK_OF_DIRECTION = 1.5
"""What one direction explains by luck, in units of its noise."""
EVIDENCE_TO_EXCEED = 50.0
"""Below that much explained (in units of noise), weights add up to one at most."""
SELECTION = 0.25
"""What choosing the best-looking of several costs of a predicted advantage, where deviations are all but noise."""
SELECTION_POWER = 4
"""How fast that falls as more of the deviations is explained: a tenth explained leaves two thirds of it."""
ROWS_PER_DIRECTION = 4.0
"""With so few rows for each difference between candidates, nothing of what they say is kept."""
LOADING_ROWS = 200.0
"""A loading is believed like n / (n + 200)."""
SPARE = 0.05
"""What may be lacking (see `share_borne`) before anything is taken off."""
STEPS = 200


def share_borne(rows: float, directions: int, rows_per_direction: float = ROWS_PER_DIRECTION) -> float:
    """How much of what is learnt about `directions` differences between candidates that many labelled rows bear.

    In [0, 1]: nothing up to `rows_per_direction`, all from 4.5 times as many on, in the form of James and Stein's
    positive part. Cross-fitting cannot tell this: on 50 prompts and 14 near-tied models the gain that it saw did not
    go with the one that came true (docs/LOG.md).
    """
    lack = (rows_per_direction * directions / max(rows, 1.0)) ** 2
    return min(max((1.0 - lack) / (1.0 - SPARE), 0.0), 1.0)


def stacking_weights(heads: list[Floats], scores: Floats, rows: float) -> Floats:
    """Weights [k, T] of k heads' out-of-fold predictions [n, T] of `scores` [n, T], from that many labelled rows."""
    stacked = np.stack(heads)
    variance = np.maximum(scores.var(axis=0), 1e-300)
    weights = np.zeros((len(heads), scores.shape[1]))
    for columns in (slice(0, 1), slice(1, None)):
        part, target, noise = stacked[:, :, columns], scores[:, columns], variance[columns]
        if target.size == 0:
            continue
        normal = np.einsum("ant,bnt,t->ab", part, part, 1.0 / noise, optimize=True)
        moment = np.einsum("ant,nt,t->a", part, target, 1.0 / noise, optimize=True)
        pooled = non_negative(normal, moment)
        combined = np.tensordot(pooled, part, axes=1)
        trust = _trust(float((pooled * moment).sum()), float(pooled.sum()), target.shape[1])
        weights[:, columns] = trust * pooled[:, None] * _slopes(combined, target, noise)
    weights[:, 1:] *= share_borne(rows, scores.shape[1] - 1)
    return weights


def loadings(common: Floats, left: Floats, rows: float) -> Floats:
    """By how much each of T - 1 deviations follows the common factor, from its predictions `common` [n] out of fold.

    `left` [n, T - 1] is what the heads leave over of the deviations, `rows` the labelled rows. Candidates differ in how
    fast they fall with difficulty: one figure each, which few rows settle, while heads learn deviations by hundreds of
    columns and are shrunk for it. Gaps between weak and strong candidates came out too small by that, so that
    dollars, whose differences are known better, decided against them (docs/LOG.md).
    """
    n, directions = left.shape
    power = float(common @ common)
    if power <= 1e-12 or directions == 0:
        return np.zeros(directions)
    believed = n / (n + LOADING_ROWS) * share_borne(rows, directions)
    followed: Floats = (common @ left) * (believed / power)
    return followed


def non_negative(normal: Floats, moment: Floats) -> Floats:
    """The w >= 0 [k] that minimises w'Nw - 2 m'w, by coordinate descent; a unit of noise is added to every head."""
    w = np.zeros(len(moment))
    diagonal = np.diag(normal)
    # A standard normal prior with the noise of one: nothing with plenty of rows, caution with fifty.
    for _ in range(STEPS):
        before = w.copy()
        for k in range(len(w)):
            if diagonal[k] > 1e-12:
                w[k] = max(0.0, (moment[k] - normal[k] @ w + diagonal[k] * w[k]) / (diagonal[k] + 1.0))
        if np.abs(w - before).max() < 1e-10:
            break
    return w


def trust_in_choice(predicted: Floats, observed: Floats) -> float:
    """How much of the predicted deviations to keep, so that the best-looking of many is not believed too far.

    `predicted` (out of fold) and `observed` [n, M] are deviations from the row's common level. Even where each
    candidate's predictions are calibrated, the one that looks best is over-rated where it matters (the winner's
    curse): among the rows with the largest predicted advantage, 55 to 85 % of it came true on real outcomes whose
    deviations are hard to predict, all of it where they are easy. So the share taken off falls with the share of
    variance explained.
    """
    power = float((observed**2).sum())
    explained = 1.0 - float(((observed - predicted) ** 2).sum()) / power if power > 0.0 else 0.0
    return 1.0 - SELECTION * (1.0 - min(max(explained, 0.0), 1.0)) ** SELECTION_POWER


def _trust(gained: float, total: float, directions: int) -> float:
    """What to multiply pooled weights by, given what they explain in units of noise (an F statistic) and their sum.

    Every direction chose its penalty on the same rows, which earns something from pure noise as well; and heads are
    shrunk already: to believe more than they say takes far more evidence.
    """
    if gained <= 0.0:
        return 0.0
    worth = max(0.0, 1.0 - (1.0 + LUCK_OF_DIRECTION * directions) / gained)
    if total <= 1.0:
        return worth
    return worth * (1.0 + (total - 1.0) * max(0.0, 1.0 - EVIDENCE_TO_EXCEED / gained)) / total


def _slopes(combined: Floats, target: Floats, noise: Floats) -> Floats:
    """For each direction the slope of the truth on the pooled combination, drawn to one as far as it is uncertain."""
    power = (combined**2).sum(axis=0)
    alive = power > 1e-12
    safe = np.where(alive, power, 1.0)
    raw = np.where(alive, (combined * target).sum(axis=0) / safe, 0.0)
    error = noise / safe
    own = (SLOPE_PRIOR_SD**2 * raw + error) / (SLOPE_PRIOR_SD**2 + error)
    return np.where(alive, np.clip(own, 0.0, LARGEST_SLOPE), 0.0)
