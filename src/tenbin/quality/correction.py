"""A cheap judge corrected by a few people: prediction-powered means and differences that are right if the people are.

The judge graded every answer, people a random few. What the judge says of all is worth as much as it goes along with
the people on those few, and no more (Angelopoulos et al., arXiv 2301.09633; power tuning: arXiv 2311.01453):

    mean = (1/n) sum over labelled i of  y_i - slope_(-i) * (f_i - F)        F: the judge's mean over all answers

`slope` is fitted without the label that it is applied to, so that ten labels do not flatter themselves, and drawn to
0 as far as the evidence is thin: a judge that is worth nothing leaves the mean of the labels. The labelled answers are
a part of the graded ones; the variance is that of this two-phase sample (docs/explanation/judging.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tenbin.quality.interval import LEVEL, t_interval
from tenbin.types import Bools, Figure, Floats

STEEPEST = 2.0
"""No judge is believed to understate differences by more than that."""
LUCK_OF_SLOPE = 1.0
"""What a slope on a worthless judge explains by luck, in units of its noise."""
LENT_LABELS = 4.0
"""Other candidates' residuals tell of a candidate's spread as much as so many of its own."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """The mean quality of one candidate: as the judge said, as people said on the few, and corrected.

    `slope` is what a point of the judge is worth in points of the people (0: nothing), `n_graded` and `n_labelled`
    count answers. Intervals are NaN where a candidate has too few labels.
    """

    judged: float
    labelled: Figure
    corrected: Figure
    slope: float
    n_graded: int
    n_labelled: int


@dataclass(frozen=True, slots=True)
class Correction:
    """All candidates' means in the order given, and what a difference of two needs.

    `covariance` [M, M] is that of the corrected means, `freedom` [M] their degrees of freedom.
    """

    arms: tuple[Corrected, ...]
    covariance: Floats
    freedom: Floats

    def believed(self) -> Floats:
        """The best guess of every candidate's mean quality [M]: corrected, but not further than the evidence bears.

        With few labels each, what the judge is wrong by is drawn to what it is wrong by in the mean over candidates
        (empirical Bayes, DerSimonian and Laird, 1986). A candidate without labels gets that mean correction.
        """
        judged = np.array([arm.judged for arm in self.arms])
        wrong = np.array([arm.corrected.value for arm in self.arms]) - judged
        known = ~np.isnan(wrong)
        if not known.any():
            return judged
        own, variance = wrong[known], np.maximum(np.diagonal(self.covariance)[known], 1e-12)
        weight = 1.0 / variance
        common = float(weight @ own / weight.sum())
        excess = float(weight @ (own - common) ** 2) - (own.size - 1)
        between = max(excess / float(weight.sum() - weight @ weight / weight.sum()), 0.0) if own.size > 1 else 0.0
        if own.size > 1:
            common = float((own / (between + variance)).sum() / (1.0 / (between + variance)).sum())
        moved = np.full(judged.shape, common)
        moved[known] = common + between / (between + variance) * (own - common)
        drawn: Floats = np.clip(judged + moved, 0.0, 1.0)
        return drawn

    def difference(self, first: int, second: int, level: float = LEVEL) -> Figure:
        """Corrected mean of candidate `first` minus that of `second`, paired where both answered the same query."""
        own = self.covariance[[first, second], [first, second]]
        variance = float(own.sum() - 2.0 * self.covariance[first, second])
        parts = float((own**2 / self.freedom[[first, second]]).sum())
        freedom = float(own.sum()) ** 2 / parts if parts > 0.0 else math.nan
        value = self.arms[first].corrected.value - self.arms[second].corrected.value
        return _within(t_interval(value, variance, freedom, level), -1.0, 1.0)


@dataclass(frozen=True, slots=True)
class _Sample:
    """Judge's grades, people's labels (0 where none), which answers have either, and the weights of both, [n, M]."""

    judged: Floats
    human: Floats
    graded: Bools
    labelled: Bools
    of_graded: Floats
    of_labelled: Floats

    @property
    def counts(self) -> Floats:
        """How many labels each candidate has, [M]."""
        total: Floats = self.labelled.sum(axis=0).astype(np.float64)
        return total


def correct(
    judged: Floats,
    human: Floats,
    label_propensity: Floats | float = 1.0,
    human_propensity: Floats | float = 1.0,
    *,
    level: float = LEVEL,
) -> Correction:
    """Correct the judge's mean of every candidate from `judged` and `human` [n, M] (NaN: no grade, no label).

    `label_propensity` [n, M] is the probability with which an answer was bought, `human_propensity` that with which
    a bought one was given to people; a common factor of either changes nothing. A label on an answer without a grade
    is left out. Means are in [0, 1].
    """
    sample = _sample(judged, human, label_propensity, human_propensity)
    slopes = _slopes(sample)
    variance_alone, freedom_alone, alone = _means(sample, np.zeros_like(slopes))
    covariance, freedom, means = _means(sample, slopes)
    of_judge = _column_means(sample.judged, sample.of_graded)
    slope = _column_means(slopes, sample.of_labelled)
    arms = tuple(
        Corrected(
            judged=float(of_judge[m]),
            labelled=_within(t_interval(alone[m], variance_alone[m, m], freedom_alone[m], level), 0.0, 1.0),
            corrected=_within(t_interval(means[m], covariance[m, m], freedom[m], level), 0.0, 1.0),
            slope=float(slope[m]),
            n_graded=int(sample.graded[:, m].sum()),
            n_labelled=int(sample.counts[m]),
        )
        for m in range(judged.shape[1])
    )
    return Correction(arms, covariance, freedom)


def _sample(
    judged: Floats, human: Floats, label_propensity: Floats | float, human_propensity: Floats | float
) -> _Sample:
    graded = ~np.isnan(judged)
    labelled = graded & ~np.isnan(human)
    weight = 1.0 / np.broadcast_to(np.asarray(label_propensity, dtype=np.float64), judged.shape)
    chosen = 1.0 / np.broadcast_to(np.asarray(human_propensity, dtype=np.float64), judged.shape)
    return _Sample(
        judged=np.where(graded, judged, 0.0),
        human=np.where(labelled, human, 0.0),
        graded=graded,
        labelled=labelled,
        of_graded=_shares(np.where(graded, weight, 0.0)),
        of_labelled=_shares(np.where(labelled, weight * chosen, 0.0)),
    )


def _shares(weight: Floats) -> Floats:
    """Weights that sum to 1 in every column that has any."""
    total = weight.sum(axis=0)
    return weight / np.where(total > 0.0, total, 1.0)


def _column_means(values: Floats, share: Floats) -> Floats:
    """Weighted means [M], NaN in a column without weight."""
    means: Floats = np.where(share.sum(axis=0) > 0.0, (share * values).sum(axis=0), np.nan)
    return means


def _slopes(sample: _Sample) -> Floats:
    """What a point of the judge is worth [n, M], fitted over all candidates without the label in question."""
    share, counts = sample.of_labelled, sample.counts
    x, y = (
        np.where(sample.labelled, values - (share * values).sum(axis=0), 0.0)
        for values in (sample.judged, sample.human)
    )
    weight = share * counts
    # What taking a label out of its candidate's sums takes off, means included.
    off = weight * np.where(sample.labelled, 1.0 / np.maximum(1.0 - share, 1e-9), 0.0)
    xx, xy, yy = ((weight * a * b).sum() - off * a * b for a, b in ((x, x), (x, y), (y, y)))
    safe = np.where(xx > 1e-12, xx, np.inf)
    explained = xy**2 / safe
    freedom = counts.sum() - 1.0 - (counts > 0).sum() - 1.0
    if freedom < 1.0:
        return np.zeros_like(x)
    noise = np.maximum(yy - explained, 0.0) / freedom
    trust = np.maximum(1.0 - LUCK_OF_SLOPE * noise / np.maximum(explained, 1e-300), 0.0)
    slopes: Floats = np.clip(trust * xy / safe, 0.0, STEEPEST)
    return slopes


def _means(sample: _Sample, slopes: Floats) -> tuple[Floats, Floats, Floats]:
    """Covariance [M, M] of the corrected means, their degrees of freedom [M], and the means [M] (NaN: no label)."""
    share = sample.of_labelled
    beyond = np.where(sample.graded, sample.judged - (sample.of_graded * sample.judged).sum(axis=0), 0.0)
    adjusted = sample.human - slopes * beyond
    means = _column_means(adjusted, share)
    residual = np.where(sample.labelled, adjusted - means, 0.0)
    spread, freedom = _spread(sample, residual)
    of_labels = share * residual
    of_grades = sample.of_graded * beyond * (share * slopes).sum(axis=0)
    by_labels = spread * (share**2).sum(axis=0)
    # What the finite number of graded answers adds; those that are labelled too are in both sums.
    by_grades = np.maximum((of_grades * (of_grades + 2.0 * of_labels)).sum(axis=0), 0.0)
    variance = by_labels + by_grades
    influence = of_labels + of_grades
    bound = np.sqrt(np.outer(variance, variance))
    covariance = np.clip(influence.T @ influence, -bound, bound)
    np.fill_diagonal(covariance, variance)
    parts = by_labels**2 / np.where(freedom > 0.0, freedom, np.nan)
    parts += by_grades**2 / np.maximum(sample.graded.sum(axis=0) - 1.0, 1.0)
    return covariance, variance**2 / np.where(parts > 0.0, parts, np.nan), means


def _spread(sample: _Sample, residual: Floats) -> tuple[Floats, Floats]:
    """Variance of the residuals [M] and its degrees of freedom: own ones, and those of others in part."""
    share, counts = sample.of_labelled, sample.counts
    own = counts * (share * residual**2).sum(axis=0)
    freedom = np.maximum(counts - 1.0, 0.0)
    others = freedom.sum() - freedom
    lent = np.minimum(others, LENT_LABELS)
    of_others = (own.sum() - own) / np.maximum(others, 1.0)
    spread = (own + lent * of_others) / np.maximum(freedom + lent, 1.0)
    # Residuals that are all the same (every label says right, or what the judge says) have no spread; with that of
    # two labels more on either side, "plus four", the interval covers (Agresti and Coull, 1998).
    same = (counts > 0.0) & (np.abs(residual).max(axis=0, initial=0.0) < 1e-9)
    guess = (counts + 2.0) / (counts + 4.0)
    spread = np.where(same, np.maximum(spread, counts * guess * (1.0 - guess) / (counts + 4.0)), spread)
    effective = 1.0 / np.where(counts > 0.0, (share**2).sum(axis=0), 1.0)
    return spread, np.where(counts > 0.0, np.maximum(effective - 1.0, 0.0) + lent, 0.0)


def _within(interval: Figure, least: float, most: float) -> Figure:
    """The interval inside the range that is possible; NaN stays."""
    ends = np.clip([interval.value, interval.low, interval.high], least, most).tolist()
    return Figure(*ends)
