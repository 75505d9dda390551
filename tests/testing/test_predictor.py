"""The predictor check passes what keeps to the door, and catches each way of not keeping to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tenbin.errors import PluginError
from tenbin.protocols import Predictor
from tenbin.testing import check_predictor
from tenbin.types import Features, Floats, Ints, Prediction


class Means:
    """The simplest predictor that keeps to the door: the weighted mean of each model's labels."""

    def fit(self, features: Features, target: Floats, weight: Floats, folds: Ints) -> Prediction | None:  # noqa: ARG002
        self.mean_ = self.learn(target, weight)
        parts = [self.learn(target[folds != fold], weight[folds != fold]) for fold in range(folds.max() + 1)]
        mean = np.array([parts[fold] for fold in folds])
        return Prediction(mean, np.full_like(mean, 0.1))

    def learn(self, target: Floats, weight: Floats) -> Floats:
        order = np.lexsort(np.nan_to_num(target, nan=9.0).T)
        labelled = np.where(np.isnan(target[order]), 0.0, weight[order])
        total: Floats = (labelled * np.nan_to_num(target[order])).sum(axis=0) / labelled.sum(axis=0)
        return total

    def predict(self, features: Features) -> Prediction:
        mean = np.tile(self.mean_, (len(features), 1))
        return Prediction(mean, np.full_like(mean, 0.1))

    def save(self) -> dict[str, Any]:
        return {"mean": self.mean_}

    @classmethod
    def load(cls, arrays: Any) -> Any:
        loaded = cls()
        loaded.mean_ = arrays["mean"]
        return loaded


class Spoiler(Means):
    def fit(self, features: Features, target: Floats, weight: Floats, folds: Ints) -> Prediction | None:
        target[np.isnan(target)] = 0.0
        return super().fit(features, target, weight, folds)


class Silent(Means):
    def fit(self, features: Features, target: Floats, weight: Floats, folds: Ints) -> Prediction | None:
        super().fit(features, target, weight, folds)
        return None


class Unlabelled(Means):
    def learn(self, target: Floats, weight: Floats) -> Floats:  # noqa: ARG002
        mean: Floats = target.mean(axis=0)
        return mean


class Single(Means):
    def predict(self, features: Features) -> Prediction:
        return Prediction(super().predict(features).mean.astype(np.float32), np.ones((len(features), 3)))  # type: ignore[arg-type]


class Negative(Means):
    def predict(self, features: Features) -> Prediction:
        mean = super().predict(features).mean
        return Prediction(mean, -np.ones_like(mean))


class Bare(Means):
    def predict(self, features: Features) -> Any:
        return super().predict(features).mean


class Moody(Means):
    def learn(self, target: Floats, weight: Floats) -> Floats:
        return super().learn(target, weight) + np.random.default_rng().normal()


class ByOrder(Means):
    def learn(self, target: Floats, weight: Floats) -> Floats:
        return super().learn(target[: len(target) // 2], weight[: len(target) // 2])


class ByBatch(Means):
    def predict(self, features: Features) -> Prediction:
        mean = super().predict(features).mean + features.surface.sum() if len(features) else np.zeros((0, 3))
        return Prediction(mean, np.ones_like(mean))


class Forgetful(Means):
    def save(self) -> dict[str, Any]:
        return {"mean": self.mean_.astype(np.float32)}


class Peeking(Means):
    def fit(self, features: Features, target: Floats, weight: Floats, folds: Ints) -> Prediction | None:
        super().fit(features, target, weight, folds)
        mean = np.nan_to_num(target)
        return Prediction(mean, np.ones_like(mean))


class Listed(Means):
    def predict(self, features: Features) -> Prediction:
        found = super().predict(features)
        return Prediction(found.mean.tolist(), found.sd)


class Choosy(Means):
    def predict(self, features: Features) -> Prediction:
        if "never seen" in features.groups:
            raise KeyError("never seen")
        return super().predict(features)


@pytest.mark.parametrize("make", [Means, Silent])
def test_what_keeps_to_the_door_passes(make: type[Means]) -> None:
    check_predictor(make)
    assert isinstance(make(), Predictor)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (Spoiler, "fit changed the arrays"),
        (Unlabelled, "has NaN or infinite cells"),
        (Single, r"mean of predict is float32 \(60, 3\)"),
        (Negative, "sd of predict has negative cells"),
        (Bare, "predict gave ndarray"),
        (Moody, "a second fit of the same data"),
        (ByOrder, "with the order of training rows"),
        (ByBatch, "with the other rows"),
        (Listed, "mean of predict is list"),
        (Choosy, r"^predictor 'Choosy': it raised \(KeyError: 'never seen'\)"),
        (Forgetful, "saved and loaded predicts differently"),
        (Peeking, "out-of-fold prediction of pure noise"),
    ],
)
def test_each_fault_is_caught(make: type[Means], sentence: str) -> None:
    with pytest.raises(PluginError, match=sentence):
        check_predictor(make)
