"""Regression columns from features: centred embedding, surface features, group indicators, each at its own scale.

A ridge penalty is only as fair as the scales it sees. The blocks get mean squared lengths that were equally good over
a wide range on three sets (docs/LOG.md): the embedding `VECTOR_SCALE`, each surface column `SURFACE_SCALE`; a group
indicator counts `GROUP_SCALE`, so that a known label is penalised little next to text.

A query without a known group counts as of the group that its text speaks for. As of no group, it would get coefficients
of text that were learnt with the group held fixed: the text's own message about the group would be lost (on real
outcomes that moved means by .03 and turned two models round).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tenbin.predictors.linear import fit_linear
from tenbin.predictors.rowwise import Tiled
from tenbin.protocols import Arrays
from tenbin.types import Features, Floats, Ints

VECTOR_SCALE = 4.0
SURFACE_SCALE = 1.0
GROUP_SCALE = 6.0
LARGEST_SURFACE = 4.0
"""Standard deviations at which a surface feature is cut: an odd prompt must not swing a prediction."""
MOST_GROUPS = 256
LEAST_ROWS_OF_GROUP = 2


@dataclass(frozen=True, slots=True)
class Design:
    """Turns features into regression columns [n, p]: `text` columns (vectors, surface), then one per known group."""

    vector_mean: Floats
    vector_scale: float
    surface_mean: Floats
    surface_scale: Floats
    groups: tuple[str, ...]
    group_share: Floats
    group_guess: Tiled
    index: dict[str, int]

    @classmethod
    def learn(cls, features: Features) -> Design:
        """Centres, scales and known groups of the training rows; constant columns get the scale 0."""
        vectors = features.vectors.astype(np.float64)
        surface = features.surface.astype(np.float64)
        mean = vectors.mean(axis=0)
        length = float(np.sqrt(((vectors - mean) ** 2).sum(axis=1).mean())) if vectors.size else 0.0
        surface_spread = surface.std(axis=0)
        counts = Counter(group for group in features.groups if group is not None)
        common = sorted((-c, g) for g, c in counts.items() if c >= LEAST_ROWS_OF_GROUP)[:MOST_GROUPS]
        groups = tuple(sorted(g for _, g in common))
        share = np.array([counts[g] for g in groups], dtype=np.float64) / max(len(features), 1)
        blind = cls(
            vector_mean=mean,
            vector_scale=VECTOR_SCALE / length if length > 1e-9 else 0.0,
            surface_mean=surface.mean(axis=0),
            surface_scale=np.where(surface_spread > 1e-9, SURFACE_SCALE / np.maximum(surface_spread, 1e-9), 0.0),
            groups=groups,
            group_share=share,
            group_guess=Tiled.of(np.zeros((len(mean) + len(surface_spread), len(groups)))),
            index={g: i for i, g in enumerate(groups)},
        )
        return replace(blind, group_guess=blind._learn_guess(features))

    def _learn_guess(self, features: Features) -> Tiled:
        """Coefficients [n_text, G] by which the text foretells the group indicators, from the rows of known groups."""
        known = features.take(self.members(features.groups) >= 0)
        columns = self.columns(known)
        if not self.groups or not columns.size:
            return self.group_guess
        text, indicators = columns[:, : self.n_text], columns[:, self.n_text :]
        return Tiled.of(fit_linear(text, indicators, np.zeros(len(known), dtype=np.int64)).slopes)

    @property
    def n_text(self) -> int:
        """How many leading columns come from the text."""
        return len(self.vector_mean) + len(self.surface_mean)

    @property
    def width(self) -> int:
        """How many columns there are."""
        return self.n_text + len(self.groups)

    def columns(self, features: Features, out: Floats | None = None) -> Floats:
        """The regression columns [n, p]; an unknown group or None counts as what the text speaks for."""
        d, s = len(self.vector_mean), len(self.surface_mean)
        if out is None:
            out = np.empty((len(features), self.width))
        np.multiply(features.vectors - self.vector_mean, self.vector_scale, out=out[:, :d])
        bound = LARGEST_SURFACE * SURFACE_SCALE
        surface = (features.surface - self.surface_mean) * self.surface_scale
        np.minimum(np.maximum(surface, -bound), bound, out=out[:, d : d + s])
        if self.groups:
            out[:, d + s :] = self._indicators(features, out[:, : d + s])
        return out

    def members(self, groups: Sequence[str | None]) -> Ints:
        """The number of each row's group, -1 where unknown."""
        return np.array([self.index.get(g, -1) if g is not None else -1 for g in groups], dtype=np.int64)

    def _indicators(self, features: Features, text: Floats) -> Floats:
        member = self.members(features.groups)
        unknown = np.flatnonzero(member < 0)
        if unknown.size:
            foretold = self.group_guess.product(text[unknown])
            member[unknown] = (foretold / GROUP_SCALE + self.group_share).argmax(axis=1)
        out = np.tile(-GROUP_SCALE * self.group_share, (len(features), 1))
        out[np.arange(len(features)), member] += GROUP_SCALE
        return out

    def save(self) -> dict[str, NDArray[np.generic]]:
        """The state as arrays."""
        return {
            "vector_mean": self.vector_mean,
            "vector_scale": np.array(self.vector_scale),
            "surface_mean": self.surface_mean,
            "surface_scale": self.surface_scale,
            "group_names": np.array(self.groups, dtype=np.str_),
            "group_share": self.group_share,
            "group_guess": self.group_guess.weights,
        }

    @classmethod
    def load(cls, arrays: Arrays) -> Design:
        """The design of saved arrays."""
        groups = tuple(str(g) for g in arrays["group_names"])
        names = ("vector_mean", "surface_mean", "surface_scale", "group_share")
        kept = {name: np.asarray(arrays[name], dtype=np.float64) for name in names}
        scale, guess = float(arrays["vector_scale"]), Tiled.of(np.asarray(arrays["group_guess"], dtype=np.float64))
        index = {g: i for i, g in enumerate(groups)}
        return cls(**kept, vector_scale=scale, groups=groups, group_guess=guess, index=index)
