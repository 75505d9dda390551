"""How likely a training prompt of the same kind would bring as much that no other one had: a calibrated p-value.

A subject that training lacked, asked in the form of the others, has a usual share of new words: jurists use many rare
ones, sums few. What tells of it is more than prompts of its kind have. The share of new n-grams that is expected, and
how far it scatters, are ridge regressions on the vector; what lies beyond is ranked among training prompts, each judged
without itself (conformal prediction of a normalised residual: Papadopoulos, Gammerman, Vovk, "Normalized nonconformity
measures for regression conformal prediction", 2008).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.predictors.parts import part, prefixed
from tenbin.predictors.rowwise import Tiled
from tenbin.router.likeness import Tail
from tenbin.types import Float32s, Floats

PENALTY = 30.0
"""Of the regressions, whose rows are unit vectors: some 30 prompts of a kind tell half of what is usual there."""
LEAST_SCATTER = 0.5
"""No kind of prompt is taken to scatter less than this part of the mean."""
LEAST_MEAN = 1e-3
"""Nor less than this, where hardly anything was new in training."""
MATERIAL_SHARE = 0.02
"""A smaller share beyond the usual one says nothing, however rare it was in training."""
LEAST_OFTEN = 0.05
"""Where fewer training prompts than this part brought anything material, as in texts from a template, a first new word
or a longer number is no sign of another subject, and nothing is new.
"""
BEYOND = 1.5
"""At so many times the score of the oddest training prompt p is 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Novelty:
    """The p-value of a text's share of new n-grams, given its vector.

    `usual` [d, 2] and `constants` [2] give the expected share and its mean absolute deviation, `floor` is the least
    that the latter is taken to be (infinite: nothing is new).
    """

    usual: Tiled
    constants: Floats
    floor: float
    tail: Tail

    @classmethod
    def learn(cls, shares: Floats, vectors: Float32s) -> Novelty:
        """From the shares [n] of new n-grams in training prompts, each judged without itself, and their vectors [n, d].

        The last bits depend on the order of the rows.
        """
        x = np.column_stack([np.ones(len(vectors)), vectors.astype(np.float64)])
        penalty = np.full(x.shape[1], PENALTY)
        penalty[0] = 1e-9
        inverse = np.linalg.inv(x.T @ x + np.diag(penalty))
        slopes = inverse @ (x.T @ shares)
        left_out = np.maximum(1.0 - np.einsum("ij,ij->i", x @ inverse, x), 1e-3)
        beyond = (shares - x @ slopes) / left_out
        scatter = inverse @ (x.T @ np.abs(beyond))
        both = np.column_stack([slopes, scatter])
        floor = max(LEAST_SCATTER * float(np.abs(beyond).mean()), LEAST_MEAN)
        if (beyond >= MATERIAL_SHARE).mean() < LEAST_OFTEN:
            floor = np.inf
        scores = _scores(beyond, x @ scatter, floor)
        return cls(Tiled.of(both[1:]), both[0], floor, Tail.learn(scores, BEYOND * float(scores.max())))

    def p(self, shares: Floats, vectors: Float32s) -> Floats:
        """The p-values [n] of shares [n] of new n-grams: of prompts like those of training at most a share p has one
        of p or less.
        """
        expected = self.usual.product(vectors.astype(np.float64)) + self.constants
        return self.tail.p(_scores(shares - expected[:, 0], expected[:, 1], self.floor))

    def save(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        own = {"usual": self.usual.weights, "constants": self.constants, "floor": np.array(self.floor)}
        return own | prefixed("tail", self.tail.save())

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[Any]]) -> Novelty:
        """The novelty of saved arrays."""
        usual, constants, floor = (np.asarray(arrays[name], np.float64) for name in ("usual", "constants", "floor"))
        return cls(Tiled.of(usual), constants, float(floor), Tail.load(part(arrays, "tail")))


def _scores(beyond: Floats, scatter: Floats, floor: float) -> Floats:
    """How far shares lie beyond the usual ones, in mean absolute deviations; 0 where that is not material."""
    scores: Floats = np.where(beyond >= MATERIAL_SHARE, beyond, 0.0) / np.maximum(scatter, floor)
    return scores
