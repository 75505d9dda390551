"""What a fitted router is held against, learnt from the same training rows and stored beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.predictors.group import GroupPredictor
from tenbin.predictors.knn import KnnPredictor
from tenbin.protocols import Arrays, Predictor
from tenbin.router.crossfit import Observed, column_means
from tenbin.types import Features, Floats, Ints

AMOUNTS = ("input_tokens", "output_tokens", "cost_usd")

Arrange = Callable[[str, Floats], Floats]
"""Turns an array [..., M] of a kind ("quality", "quality_sd", "weight", an amount) into one of other candidates."""


@dataclass(frozen=True, slots=True)
class Baselines:
    """Training means per candidate [M], the group table, and CARROT-kNN on the router's own embedding.

    CARROT-kNN (arXiv 2502.03261, section 4) predicts quality and cost by nearest neighbours; here tokens where they
    are known, so that today's prices apply to it as well. `amounts` names the columns that `knn_amounts` predicts
    side by side.
    """

    means: Mapping[str, Floats]
    group_table: GroupPredictor
    knn_quality: KnnPredictor
    knn_amounts: KnnPredictor
    amounts: tuple[str, ...]

    def group_quality(self, features: Features) -> Floats:
        """Quality [n, M] by the group table: the mean of the query's group, shrunk to the candidate's."""
        return self.group_table.predict(features).mean

    def knn(self, features: Features) -> tuple[Floats, dict[str, Floats]]:
        """Quality [n, M] and each amount [n, M] ("input_tokens", "output_tokens", "cost_usd", as recorded)."""
        parts = np.split(self.knn_amounts.predict(features).mean, len(self.amounts), axis=1)
        return self.knn_quality.predict(features).mean, dict(zip(self.amounts, parts, strict=True))

    def arranged(self, arrange: Arrange) -> Baselines:
        """The baselines of other candidates: `arrange` turns every array [..., M] into one [..., M'], kind by kind."""
        held: tuple[Predictor, ...] = (self.group_table, self.knn_quality, self.knn_amounts)
        group, quality, amounts = (predictor.save() for predictor in held)
        group |= {name: arrange("quality", group[name]) for name in ("group_means", "overall")}
        group |= {name: arrange("quality_sd", group[name]) for name in ("group_sd", "overall_sd")}
        quality |= {name: arrange("quality", quality[name]) for name in ("targets", "means")}
        quality |= {
            "mean_sd": arrange("quality_sd", quality["mean_sd"]),
            "weight": arrange("weight", quality["weight"]),
        }
        for name in ("targets", "means", "mean_sd", "weight"):
            blocks = np.split(amounts[name], len(self.amounts), axis=-1)
            kinds = self.amounts if name != "weight" else ("weight",) * len(self.amounts)
            amounts[name] = np.concatenate([arrange(k, b) for k, b in zip(kinds, blocks, strict=True)], axis=-1)
        return Baselines(
            means={name: arrange(name, mean) for name, mean in self.means.items()},
            group_table=GroupPredictor.load(group),
            knn_quality=KnnPredictor.load(quality),
            knn_amounts=KnnPredictor.load(amounts),
            amounts=self.amounts,
        )

    def save(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        arrays: dict[str, NDArray[Any]] = {f"mean_{name}": mean for name, mean in self.means.items()}
        arrays["amounts"] = np.array(self.amounts)
        held: dict[str, Predictor] = {
            "group": self.group_table,
            "knn_quality": self.knn_quality,
            "knn_amounts": self.knn_amounts,
        }
        return arrays | {f"{part}/{name}": array for part, it in held.items() for name, array in it.save().items()}

    @classmethod
    def load(cls, arrays: Arrays) -> Baselines:
        """The baselines of saved arrays."""
        return cls(
            means={name: np.asarray(array, dtype=np.float64) for name, array in _within(arrays, "mean_").items()},
            group_table=GroupPredictor.load(_within(arrays, "group/")),
            knn_quality=KnnPredictor.load(_within(arrays, "knn_quality/")),
            knn_amounts=KnnPredictor.load(_within(arrays, "knn_amounts/")),
            amounts=tuple(arrays["amounts"].tolist()),
        )


def learn_baselines(features: Features, observed: Observed, folds: Ints) -> Baselines:
    """Fit the baselines on the training rows."""
    columns = {name: getattr(observed, name) for name in ("quality", *AMOUNTS, "latency_s")}
    amounts = tuple(name for name in AMOUNTS if not np.isnan(columns[name]).all())
    group, quality, amount = GroupPredictor(), KnnPredictor(), KnnPredictor()
    group.fit(features, observed.quality, observed.weight, folds)
    quality.fit(features, observed.quality, observed.weight, folds)
    side_by_side = np.hstack([columns[name] for name in amounts])
    amount.fit(features, side_by_side, np.hstack([observed.weight] * len(amounts)), folds)
    means = {name: column_means(cells, observed.weight) for name, cells in columns.items()}
    return Baselines(means, group, quality, amount, amounts)


def _within(arrays: Arrays, prefix: str) -> dict[str, NDArray[Any]]:
    """The arrays whose names start with the prefix, without it."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
