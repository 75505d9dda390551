"""The three doors for other people's code; what Tenbin ships goes through the same ones.

Each has at most four members. They are found by the entry-point groups `tenbin.embedders`, `tenbin.predictors` and
`tenbin.metrics`; third-party ones load only when listed under `[plugins] allow`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self, runtime_checkable

from numpy.typing import NDArray

from tenbin.types import Features, Float32s, Floats, Ints, Prediction

Arrays = Mapping[str, NDArray[Any]]
"""State as plain arrays by name (settings as 0-d arrays); what an artifact stores. No pickled objects."""


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into vectors. `name` identifies weights and settings: equal names give equal vectors."""

    @property
    def name(self) -> str: ...

    @property
    def dim(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Float32s:
        """Unit-length (or zero) vectors float32 [len(texts), dim]; a row never depends on the other texts."""
        ...


@runtime_checkable
class Predictor(Protocol):
    """Learns one target matrix [n, M] (quality, log tokens, ...) from features."""

    def fit(self, features: Features, target: Floats, weight: Floats, folds: Ints) -> Prediction | None:
        """Learn from `target` [n, M] (NaN = unlabelled) with `weight` [n, M] (1 / label propensity).

        `folds` [n] int names the fold of each row (near-duplicates share one; the same for any row order). Returns
        the out-of-fold prediction of the training rows, or None where the predictor has none: the caller then
        refits in folds.
        """
        ...

    def predict(self, features: Features) -> Prediction:
        """Mean and standard deviation of the mean, [n, M] each; a row never depends on the other rows."""
        ...

    def save(self) -> dict[str, NDArray[Any]]:
        """The learnt state as plain arrays by name."""
        ...

    @classmethod
    def load(cls, arrays: Arrays) -> Self:
        """The predictor of that state; predictions are identical to the bit."""
        ...


@runtime_checkable
class QualityMetric(Protocol):
    """Scores one answer as the business means it."""

    @property
    def name(self) -> str: ...

    def score(self, query: str, answer: str, reference: str | None) -> float | None:
        """Quality in [0, 1], or None where the metric cannot tell; a TenbinError says in its sentence why it cannot."""
        ...


__all__ = ["Arrays", "Embedder", "Predictor", "QualityMetric"]
