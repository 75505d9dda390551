"""The group table: each group's mean per candidate, as far as its rows bear it (empirical Bayes).

A known label (the dataset, the product, the customer) is worth up to three times the data. Small groups are drawn to
the candidate's mean by the ratio of noise within groups to variance between them, estimated by moments for each
candidate (Efron and Morris, JASA 1975).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tenbin.predictors.factors import weighted_means
from tenbin.protocols import Arrays
from tenbin.types import Features, Floats, Ints, Prediction

Groups = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class GroupMeans:
    """Shrunk means and their standard deviations [G, M] of known groups, and those of all rows [M] for any other."""

    names: tuple[str, ...]
    means: Floats
    sd: Floats
    overall: Floats
    overall_sd: Floats
    index: dict[str, int]

    @classmethod
    def learn(cls, groups: Groups, target: Floats, weight: Floats) -> GroupMeans:
        """From `target` [n, M] (NaN = unknown) under `weight` [n, M]."""
        overall, overall_sd = weighted_means(target, weight)
        names = tuple(sorted({g for g in groups if g is not None}))
        index = {g: i for i, g in enumerate(names)}
        member = np.array([index.get(g, -1) if g is not None else -1 for g in groups], dtype=np.int64)
        w = np.where(np.isnan(target) | (member < 0)[:, None], 0.0, weight)
        centred = np.where(w > 0.0, target - overall, 0.0)
        total, squared, summed, power = (
            _by_group(v, member, len(names)) for v in (w, w**2, w * centred, w * centred**2)
        )
        raw = summed / np.where(total > 0.0, total, 1.0)
        effective = np.where(total > 0.0, total**2 / np.where(squared > 0.0, squared, 1.0), 0.0)
        within, between = _variances(raw, effective, total, power)
        noise = within / np.where(effective > 0.0, effective, 1.0)
        trust = np.where((effective > 0.0) & (between > 0.0), between / np.maximum(between + noise, 1e-300), 0.0)
        sd = np.sqrt(between * (1.0 - trust) + overall_sd**2)
        return cls(names, overall + trust * raw, sd, overall, np.sqrt(between + overall_sd**2), index)

    def predict(self, groups: Groups) -> Prediction:
        """Means and standard deviations [n, M]; an unknown group or None gets those of all rows."""
        member = [self.index.get(g, len(self.names)) if g is not None else len(self.names) for g in groups]
        return Prediction(self.levels[member], np.vstack([self.sd, self.overall_sd])[member])

    @property
    def levels(self) -> Floats:
        """The means of all groups [G + 1, M], behind them those of none that is known."""
        return np.vstack([self.means, self.overall])

    def mean(self, groups: Groups) -> Floats:
        """The means alone, [n, M] or [1, M] for all where none is of a known group."""
        if not any(group in self.index for group in groups):
            return self.overall[None]
        return self.predict(groups).mean

    def save(self) -> dict[str, NDArray[np.generic]]:
        """The state as arrays."""
        return {
            "group_names": np.array(self.names, dtype=np.str_),
            "group_means": self.means,
            "group_sd": self.sd,
            "overall": self.overall,
            "overall_sd": self.overall_sd,
        }

    @classmethod
    def load(cls, arrays: Arrays) -> GroupMeans:
        """The means of saved arrays."""
        names = tuple(str(name) for name in arrays["group_names"])
        means, sd, overall, overall_sd = (
            np.asarray(arrays[k]) for k in ("group_means", "group_sd", "overall", "overall_sd")
        )
        return cls(names, means, sd, overall, overall_sd, {g: i for i, g in enumerate(names)})


class GroupPredictor:
    """The group table as a predictor."""

    def fit(self, features: Features, target: Floats, weight: Floats, folds: Ints) -> Prediction:
        """Learn `target` [n, M] (NaN = unknown); returns the out-of-fold prediction."""
        mean, sd = np.empty_like(target), np.empty_like(target)
        for fold in np.unique(folds):
            out = folds == fold
            rest = features.take(~out).groups
            held_out = GroupMeans.learn(rest, target[~out], weight[~out]).predict(features.take(out).groups)
            mean[out], sd[out] = held_out.mean, held_out.sd
        self.table_ = GroupMeans.learn(features.groups, target, weight)
        return Prediction(mean, sd)

    def predict(self, features: Features) -> Prediction:
        """Mean and standard deviation of the mean, [n, M] each."""
        return self.table_.predict(features.groups)

    def save(self) -> dict[str, NDArray[np.generic]]:
        """The learnt state as plain arrays."""
        return self.table_.save()

    @classmethod
    def load(cls, arrays: Arrays) -> Self:
        """The predictor of saved arrays."""
        self = cls()
        self.table_ = GroupMeans.load(arrays)
        return self


def _by_group(values: Floats, member: Ints, count: int) -> Floats:
    out = np.zeros((count, values.shape[1]))
    known = member >= 0
    np.add.at(out, member[known], values[known])
    return out


def _variances(raw: Floats, effective: Floats, total: Floats, power: Floats) -> tuple[Floats, Floats]:
    """Variance within groups and between their true means, [M] each, by the method of moments."""
    weight = total.sum(axis=0)
    groups = (effective > 0.0).sum(axis=0)
    rows = effective.sum(axis=0)
    spread = np.maximum(power.sum(axis=0) - (total * raw**2).sum(axis=0), 0.0)
    freedom = np.maximum(rows - groups, 1.0) / np.maximum(rows, 1.0)
    within = spread / np.where(weight > 0.0, weight, 1.0) / freedom
    seen = (effective * raw**2).sum(axis=0)
    balance = rows - (effective**2).sum(axis=0) / np.maximum(rows, 1.0)
    between = (seen - np.maximum(groups - 1.0, 0.0) * within) / np.where(balance > 0.0, balance, 1.0)
    return within, np.where((balance > 0.0) & (groups > 1), np.maximum(between, 0.0), 0.0)
