"""A predictor by the name of its plug-in: made, or loaded from what it saved; somebody else's is held to its door."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

from numpy.typing import NDArray

from tenbin.errors import PluginError
from tenbin.plugins import Plugin, blamed, find_plugin, load
from tenbin.protocols import Arrays, Predictor
from tenbin.types import Features, Floats, Ints, Prediction

FIX = "run tenbin.testing.check_predictor on it"


@dataclass(frozen=True, slots=True)
class PredictorKind:
    """The class behind a predictor's name."""

    plugin: Plugin
    made: type[Predictor]

    def make(self, seed: int) -> Predictor:
        """A predictor that has learnt nothing yet; those that draw at random take the seed."""
        with blamed(self.plugin.where, "cannot be made", fix=FIX):
            seeded = {"seed": seed} if "seed" in signature(self.made).parameters else {}
            return self._held(self.made(**seeded))

    def load(self, arrays: Arrays, width: int) -> Predictor:
        """The predictor of a saved state, which was fitted on so many candidates."""
        with blamed(self.plugin.where, "cannot load what it saved", fix=FIX):
            return self._held(self.made.load(arrays), width)

    def _held(self, predictor: Predictor, width: int | None = None) -> Predictor:
        return predictor if self.plugin.is_own else PluginPredictor(predictor, self.plugin.where, width)


def open_predictor(name: str, allow_plugins: Collection[str]) -> PredictorKind:
    """The kind of this name; PluginError as `load_plugin`, and for a function, which cannot load what it saved."""
    plugin = find_plugin("predictor", name, allow_plugins)
    made = load(plugin)
    if not isinstance(made, type):
        raise PluginError("is a function, so it cannot load what it saved", where=plugin.where, fix="name a class")
    return PredictorKind(plugin, made)


class PluginPredictor:
    """Somebody else's predictor: all its faults are PluginErrors.

    NaN or a spread below zero would not stop a fit, and then no decision could be made: they are refused. It is given
    copies to learn from, since what it changes there others learn from, too.
    """

    def __init__(self, predictor: Predictor, where: str, width: int | None) -> None:
        from tenbin.testing.predictor import require_prediction  # noqa: PLC0415 (only who has plug-ins)
        from tenbin.testing.storage import require_plain  # noqa: PLC0415

        self.where = where
        self._predictor = predictor
        self._width = width
        self._require_prediction = require_prediction
        self._require_plain = require_plain

    def fit(self, features: Features, target: Floats, weight: Floats, folds: Ints) -> Prediction | None:
        """Learn; the out-of-fold prediction where it has one."""
        self._width = target.shape[1]
        with blamed(self.where, "cannot learn", fix=FIX):
            found = self._predictor.fit(_copied(features), target.copy(), weight.copy(), folds.copy())
        if found is not None:
            self._require_prediction(found, target.shape, "fit", self.where)
        return found

    def predict(self, features: Features) -> Prediction:
        """Mean and standard deviation of the mean, [n, M] each."""
        with blamed(self.where, "cannot predict", fix=FIX):
            found = self._predictor.predict(_copied(features))
        self._require_prediction(found, (len(features), self._width or 0), "predict", self.where)
        return found

    def save(self) -> dict[str, NDArray[Any]]:
        """The learnt state as plain arrays by name."""
        with blamed(self.where, "cannot save", fix=FIX):
            arrays = self._predictor.save()
        self._require_plain(arrays, self.where)
        return arrays

    @classmethod
    def load(cls, arrays: Arrays) -> PluginPredictor:
        """Only the class of the predictor itself can: see `PredictorKind`."""
        raise NotImplementedError("a PredictorKind loads")


def _copied(features: Features) -> Features:
    arrays = ("vectors", "surface", "text_tokens", "input_tokens", "familiarity", "novelty")
    return replace(features, **{name: getattr(features, name).copy() for name in arrays})
