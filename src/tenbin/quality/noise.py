"""How noisy labels are: from answers that were graded twice, and queries that were answered twice.

A label is the quality that a model shows on a query in the mean, plus the luck of this answer, plus the whim of its
grading. Two gradings of one answer differ by the whim alone; two answers to one query by both. What was never done
twice cannot be told, and is not guessed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tenbin.types import NORMAL_95, UNKNOWN, Figure, Floats

LENT_PAIRS = 8.0
"""All models' pairs tell of one model's noise as much as so many of its own."""
LEAST_PAIRS = 3
WHOLE_SCALE = 0.5
"""Half the squared difference of a pair from 0 to 1."""


@dataclass(frozen=True, slots=True)
class LabelNoise:
    """Standard deviations of the noise in one label, over all models; NaN where it is not identifiable.

    `label_sd` is all of it, `grading_sd` the part of the grading, `answering_sd` that of the answer. `reliability` is
    the share of the spread of labels (within models) that is no noise, the intraclass correlation ICC(1, 1).
    `label_sd_of` [M] is what a label of each model is to be believed by: its own noise, drawn to that of all.
    `n_regraded`, `n_reanswered` count pairs; `notes` say in a sentence each what cannot be told.
    """

    label_sd: Figure
    grading_sd: Figure
    answering_sd: float
    reliability: float
    label_sd_of: Floats
    n_regraded: int
    n_reanswered: int
    notes: tuple[str, ...]


def label_noise(quality: Floats, again: Floats, regraded: Floats) -> LabelNoise:
    """The noise of the labels `quality` [n, M], NaN where there are none.

    `again` [n, M] are labels of second, independent answers to the same queries; `regraded` [n, M] second grades of
    the first answers.
    """
    reanswered, regrades = _halves(quality, again), _halves(quality, regraded)
    whole, grading = _pooled(reanswered), _pooled(regrades)
    label_variance, grading_variance = whole.value**2, grading.value**2
    answering_variance = label_variance - grading_variance  # NaN where either is not known
    spread = _within_models(quality)
    known = not math.isnan(label_variance) and spread > 0.0
    return LabelNoise(
        label_sd=whole,
        grading_sd=grading,
        answering_sd=math.nan if math.isnan(answering_variance) else math.sqrt(max(answering_variance, 0.0)),
        reliability=min(max(1.0 - label_variance / spread, 0.0), 1.0) if known else math.nan,
        label_sd_of=_per_model(reanswered, label_variance),
        n_regraded=int((~np.isnan(regrades)).sum()),
        n_reanswered=int((~np.isnan(reanswered)).sum()),
        notes=_notes(whole, grading),
    )


def _halves(first: Floats, second: Floats) -> Floats:
    """Half the squared difference [n, M] of every pair: its mean is the variance of the noise of one."""
    half: Floats = 0.5 * (first - second) ** 2
    return half


def _pooled(halves: Floats) -> Figure:
    """Root of the mean with its interval; pairs of one query count as one, since a hard query is noisy for all."""
    rows = np.flatnonzero(~np.isnan(halves).all(axis=1))
    count = (~np.isnan(halves[rows])).sum(axis=1)
    if count.sum() < LEAST_PAIRS:
        return UNKNOWN
    sums = np.nansum(halves[rows], axis=1)
    mean = float(sums.sum() / count.sum())
    if len(rows) < 2:
        return Figure(math.sqrt(mean), math.nan, math.nan)
    if mean == 0.0:
        # Of n queries none has differed: one in 3 / n still may, 95 times in 100, and then from 0 to 1.
        return Figure(0.0, 0.0, math.sqrt(WHOLE_SCALE * (1.0 - 0.05 ** (1.0 / len(rows)))))
    off = sums - mean * count
    error = math.sqrt(len(rows) / (len(rows) - 1.0) * float((off**2).sum())) / float(count.sum())
    # On the scale of logarithms: a variance is positive, and a few pairs leave it open upwards rather than down.
    factor = math.exp(NORMAL_95 * error / mean)
    return Figure(math.sqrt(mean), math.sqrt(mean / factor), math.sqrt(mean * factor))


def _per_model(halves: Floats, pooled: float) -> Floats:
    """The noise of each model [M], drawn to the pooled variance."""
    count = (~np.isnan(halves)).sum(axis=0)
    drawn: Floats = np.sqrt((np.nansum(halves, axis=0) + LENT_PAIRS * pooled) / (count + LENT_PAIRS))
    return drawn


def _within_models(quality: Floats) -> float:
    """The variance of labels around their model's mean."""
    known = ~np.isnan(quality)
    count = known.sum(axis=0)
    values = np.where(known, quality, 0.0)
    means = values.sum(axis=0) / np.maximum(count, 1)
    squares = float((np.where(known, values - means, 0.0) ** 2).sum())
    freedom = int(np.maximum(count - 1, 0).sum())
    return squares / freedom if freedom else 0.0


def _notes(whole: Figure, grading: Figure) -> tuple[str, ...]:
    notes = []
    if math.isnan(whole.value):
        notes.append("the luck of answers is not identifiable: no query was answered twice by one model")
    if math.isnan(grading.value):
        notes.append("the whim of grading is not identifiable: no answer was graded twice")
    return tuple(notes)
