"""What a fitted router is held against, learnt from the same training rows and stored beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.predictors.group import GroupPredictor
from tenbin.predictors.knn import KnnPredictor
from tenbin.router.crossfit import Observed
from tenbin.router.train import column_means
from tenbin.types import Features, Floats, Ints

_KNN_TARGETS = ("quality", "input_tokens", "output_tokens", "cost_usd")


@dataclass(frozen=True, slots=True)
class Baselines:
    """Training means per candidate [M], the group table, and CARROT-kNN on the router's own embedding.

    CARROT-kNN (arXiv 2502.03261, section 4) predicts quality and cost by the same neighbours; here tokens where they
    are known, so that today's prices apply to it as well.
    """

    means: Mapping[str, Floats]
    group_table: GroupPredictor
    knn: Mapping[str, KnnPredictor]

    def group_quality(self, features: Features) -> Floats:
        """Quality [n, M] by the group table: the mean of the query's group, shrunk to the candidate's."""
        return self.group_table.predict(features).mean

    def knn_prediction(self, target: str, features: Features) -> Floats:
        """A target [n, M] ("quality", "input_tokens", "output_tokens" or "cost_usd") by the nearest neighbours.

        KeyError where the training rows had no such column.
        """
        return self.knn[target].predict(features).mean

    def save(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        arrays = {f"mean_{name}": mean for name, mean in self.means.items()}
        arrays |= {f"group_{name}": array for name, array in self.group_table.save().items()}
        for target, predictor in self.knn.items():
            arrays |= {f"knn_{target}/{name}": array for name, array in predictor.save().items()}
        return arrays

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[Any]]) -> Baselines:
        """The baselines of saved arrays."""
        means = {
            name.removeprefix("mean_"): np.asarray(array, dtype=np.float64)
            for name, array in arrays.items()
            if name.startswith("mean_")
        }
        group = {name.removeprefix("group_"): a for name, a in arrays.items() if name.startswith("group_")}
        knn = {}
        for target in _KNN_TARGETS:
            own = {
                name.removeprefix(f"knn_{target}/"): a
                for name, a in arrays.items()
                if name.startswith(f"knn_{target}/")
            }
            if own:
                knn[target] = KnnPredictor.load(own)
        return cls(means, GroupPredictor.load(group), knn)


def learn_baselines(features: Features, observed: Observed, folds: Ints) -> Baselines:
    """Fit the baselines on the training rows."""
    columns = {name: getattr(observed, name) for name in (*_KNN_TARGETS, "latency_s")}
    group = GroupPredictor()
    group.fit(features, observed.quality, observed.weight, folds)
    knn = {}
    for target in _KNN_TARGETS:
        if not np.isnan(columns[target]).all():
            knn[target] = KnnPredictor()
            knn[target].fit(features, columns[target], observed.weight, folds)
    return Baselines({name: column_means(cells, observed.weight) for name, cells in columns.items()}, group, knn)
