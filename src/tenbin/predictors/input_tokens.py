"""Input tokens: what the text counts, at each model's own rate, plus what the prompt does not show.

System prompts, few-shot examples and tool definitions travel with a group of queries without standing in the text,
so every group x candidate has an offset, shrunk to the candidate's. A count given with the query is taken as it is.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from tenbin.predictors.group import GroupMeans
from tenbin.predictors.parts import part, prefixed
from tenbin.protocols import Arrays
from tenbin.types import Features, Floats, Ints, Prediction

LEAST_RATE, LARGEST_RATE = 0.3, 3.0
PRIOR_RATE_ROWS = 20.0


class InputTokens:
    """N_m(x) = rate_m x estimated tokens of the text + offset of the query's group."""

    def fit(self, features: Features, target: Floats, weight: Floats, folds: Ints) -> Prediction:
        """Learn `target` [n, M] input tokens (NaN = unknown); returns the out-of-fold prediction."""
        mean, sd = np.empty_like(target), np.empty_like(target)
        for fold in np.unique(folds):
            out = folds == fold
            if not out.all():
                self._learn(features.take(~out), target[~out], weight[~out])
            else:
                self._learn(features, target, weight)
            held_out = self.predict(features.take(out))
            mean[out], sd[out] = held_out.mean, held_out.sd
        self._learn(features, target, weight)
        return Prediction(mean, sd)

    def predict(self, features: Features) -> Prediction:
        """Expected input tokens and standard deviation of that mean, [n, M] each."""
        sd = self.offset_.predict(features.groups).sd
        return Prediction(self.mean(features), np.where(np.isnan(features.input_tokens)[:, None], sd, 0.0))

    def mean(self, features: Features) -> Floats:
        """The expected input tokens alone [n, M], for who needs no more."""
        estimated: Floats = features.text_tokens[:, None] * self.rate_
        estimated += self.offset_.mean(features.groups)
        np.maximum(estimated, 1.0, out=estimated)
        unknown = np.isnan(features.input_tokens)
        if np.count_nonzero(unknown) == len(unknown):
            return estimated
        return np.where(unknown[:, None], estimated, features.input_tokens[:, None])

    def _learn(self, features: Features, target: Floats, weight: Floats) -> None:
        w = np.where(np.isnan(target), 0.0, weight)
        counts = np.nan_to_num(target)
        text = np.broadcast_to(features.text_tokens[:, None], target.shape)
        within = [_within_groups(values, w, features.groups) for values in (text, counts)]
        moment, power = (w * within[0] * within[1]).sum(axis=0), (w * within[0] ** 2).sum(axis=0)
        total = float(power.sum())
        pooled = float(np.clip(moment.sum() / total, LEAST_RATE, LARGEST_RATE)) if total > 0.0 else 1.0
        prior = PRIOR_RATE_ROWS * total / max(float((w > 0.0).sum()), 1.0)
        own = (moment + prior * pooled) / np.maximum(power + prior, 1e-300) if total > 0.0 else pooled + 0.0 * power
        self.rate_ = np.clip(own, LEAST_RATE, LARGEST_RATE)
        self.offset_ = GroupMeans.learn(features.groups, target - features.text_tokens[:, None] * self.rate_, weight)

    def save(self) -> dict[str, NDArray[np.generic]]:
        """The learnt state as plain arrays."""
        return {"rate": self.rate_} | prefixed("offset", self.offset_.save())

    @classmethod
    def load(cls, arrays: Arrays) -> Self:
        """The predictor of saved arrays."""
        self = cls()
        self.rate_ = arrays["rate"]
        self.offset_ = GroupMeans.load(part(arrays, "offset"))
        return self


def _within_groups(values: Floats, weight: Floats, groups: tuple[str | None, ...]) -> Floats:
    """Values [n, M] less the weighted mean of their group (None being a group of its own)."""
    names = {name: i for i, name in enumerate(sorted({g or "" for g in groups}))}
    member = np.array([names[g or ""] for g in groups], dtype=np.int64)
    total, summed = np.zeros((len(names), values.shape[1])), np.zeros((len(names), values.shape[1]))
    np.add.at(total, member, weight)
    np.add.at(summed, member, weight * values)
    return values - (summed / np.where(total > 0.0, total, 1.0))[member]
