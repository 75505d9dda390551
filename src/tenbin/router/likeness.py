"""How likely a training prompt would look as odd as a query: calibrated p-values of being like the training prompts.

Two signs are read, neither of which costs anything extra: the share of the text that the embedder does not know (other
scripts, random letters), and the standard deviation of the estimated quality, which is the distance to
the mass of the training prompts (repeated words, odd lengths, other kinds of request). Each is ranked among the same
figure of the training prompts, as in conformal prediction (Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random
World", 2005, chapter 2); twice the smaller rank is a p-value by Bonferroni's inequality, however the two hang together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.predictors.parts import part, prefixed
from tenbin.types import Floats

MOST_KNOTS = 256
"""Of the largest scores each is a knot, of the others about as many quantiles: only the tail is looked at closely."""
BEYOND_SD = 1.5
"""At so many times the largest standard deviation of training nothing is like the training prompts any more."""
MATERIAL_SD = 0.05
"""Below so much of quality a standard deviation decides nothing, however rare it was in training: where all prompts
were alike, the least departure from them would else make a stranger."""
GRID = 1e-9
ROUNDING = 1e-6
"""Scores that differ by a smaller share of themselves are equal: sums in another order must make no text odd."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The p-values `chances` [k] (falling to 0) of the scores `scores` [k] (rising): larger scores are odder.

    Between knots p is interpolated, which is never below the rank's. Beyond the oddest training prompt, where ranks say
    1 / (n + 1) of everything, it falls to that and on to 0 at the last knot.
    """

    scores: Floats
    chances: Floats

    @classmethod
    def learn(cls, scores: Floats, end: float) -> Tail:
        """From the scores [n] of training prompts; p is 0 from `end` on, and the least rank half the way there."""
        # Rounded up, so that no rank is lost: knots that nearly touch would make slopes beyond all numbers.
        ordered, first = np.unique(np.sort(np.ceil(scores / GRID) * GRID), return_index=True)
        chances = (1.0 + scores.size - first) / (scores.size + 1.0)
        head = max(len(ordered) - MOST_KNOTS, 0)
        few = np.linspace(0, head - 1, min(MOST_KNOTS, head)).astype(np.int64)
        kept = np.concatenate([few, np.arange(head, len(ordered))])
        knots = ordered[kept] * (1.0 + ROUNDING)
        last = max(end, float(knots[-1]) * (1.0 + ROUNDING) + ROUNDING)
        beyond = [(float(knots[-1]) + last) / 2.0, last]
        return cls(np.append(knots, beyond), np.append(chances[kept], [1.0 / (scores.size + 1.0), 0.0]))

    def p(self, scores: Floats) -> Floats:
        """The chance [n] that a training prompt scores as much."""
        found: Floats = np.interp(scores, self.scores, self.chances, left=1.0)
        return found

    def save(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        return {"scores": self.scores, "chances": self.chances}

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[Any]]) -> Tail:
        """The tail of saved arrays."""
        return cls(*(np.asarray(arrays[name], dtype=np.float64) for name in cls.__slots__))


@dataclass(frozen=True, slots=True)
class Likeness:
    """The p-value of "like the training prompts", from what is unknown of a text and from the sd of its quality.

    `deviation` is of the reference's estimated quality, before anything is shrunk.
    """

    unknown: Tail
    deviation: Tail

    @classmethod
    def learn(cls, familiarity: Floats, sd: Floats) -> Likeness:
        """From the familiarity [n] of training prompts judged without themselves, and their sd [m] of quality."""
        material = np.maximum(sd, MATERIAL_SD)
        return cls(Tail.learn(1.0 - familiarity, 1.0), Tail.learn(material, BEYOND_SD * float(material.max())))

    def p(self, familiarity: Floats, sd: Floats) -> Floats:
        """The p-value [n], in [0, 1]: of prompts like those of training at most a share p has one of p or less."""
        material = np.maximum(sd, MATERIAL_SD)
        twice = 2.0 * np.minimum(self.unknown.p(1.0 - familiarity), self.deviation.p(material))
        return np.minimum(twice, 1.0)

    def save(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        return prefixed("unknown", self.unknown.save()) | prefixed("deviation", self.deviation.save())

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[Any]]) -> Likeness:
        """The likeness of saved arrays."""
        return cls(Tail.load(part(arrays, "unknown")), Tail.load(part(arrays, "deviation")))
