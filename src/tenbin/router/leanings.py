"""How candidates that were added after the fit lean on those of the fit.

An added candidate is known from a handful of answers. Its quality is an offset and a weighted sum of the fitted ones';
its tokens, dollars and seconds are a multiple of their geometric mean (a talkative prompt makes every model talk).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tenbin.types import Floats

AMOUNTS = ("input_tokens", "output_tokens", "recorded_cost_usd", "latency_s")
LEAST_AMOUNT = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Leanings:
    """A added candidates on M columns.

    `quality` [A, 1 + M] holds the offset, then the weights; `doubt` [A, r, 1 + M] turns (1, qualities of the columns)
    into r independent errors of the mean, one standard deviation each. `shares` [A, M] are the weights of the geometric
    mean, `multiples` [A, 4] by how much the candidate's `AMOUNTS` exceed it (NaN: never measured).
    """

    quality: Floats
    doubt: Floats
    shares: Floats
    multiples: Floats

    @classmethod
    def none(cls, width: int) -> Leanings:
        """No candidate on `width` columns."""
        return cls(
            np.empty((0, 1 + width)), np.empty((0, 1, 1 + width)), np.empty((0, width)), np.empty((0, len(AMOUNTS)))
        )

    def __len__(self) -> int:
        return len(self.quality)

    def qualities(self, quality: Floats) -> Floats:
        """The expected qualities [n, A] where the columns expect `quality` [n, M]; in [0, 1]."""
        expected = _times(quality, self.quality[:, 1:].T)
        expected += self.quality[:, 0]
        return np.minimum(np.maximum(expected, 0.0), 1.0)

    def quality_sd(self, quality: Floats, sd: Floats) -> Floats:
        """Standard deviations [n, A] of these means: their own, and what they take over from the columns."""
        a, r, m = self.doubt.shape
        errors = _times(quality, self.doubt[:, :, 1:].reshape(a * r, m - 1).T)
        errors += self.doubt[:, :, 0].ravel()
        errors *= errors
        variance = _times(sd * sd, self.quality[:, 1:].T ** 2)
        variance += errors.reshape(len(errors), a, r).sum(axis=2)
        return np.sqrt(variance, out=variance)

    def amounts(self, names: Sequence[str], of_columns: Floats) -> Floats:
        """The expected tokens, dollars or seconds [k, n, A] of these names where the columns expect [k, n, M]."""
        level = geometric_means(of_columns, self.shares)
        level *= self.multiples.T[[AMOUNTS.index(name) for name in names], None]
        return level

    def joined(self, other: Leanings) -> Leanings:
        """These, then the other ones."""
        deepest = max(self.doubt.shape[1], other.doubt.shape[1])
        doubts = (np.pad(d, ((0, 0), (0, deepest - d.shape[1]), (0, 0))) for d in (self.doubt, other.doubt))
        return Leanings(
            np.concatenate([self.quality, other.quality]),
            np.concatenate(list(doubts)),
            np.concatenate([self.shares, other.shares]),
            np.concatenate([self.multiples, other.multiples]),
        )

    def take(self, places: Sequence[int]) -> Leanings:
        """Some of these."""
        kept = list(places)
        return Leanings(self.quality[kept], self.doubt[kept], self.shares[kept], self.multiples[kept])

    def spread(self, columns: Sequence[int], width: int) -> Leanings:
        """The same on `width` columns, of which `columns` are those of now; the others count nothing."""
        inside = [0, *(1 + column for column in columns)]
        quality, doubt = np.zeros((len(self), 1 + width)), np.zeros((*self.doubt.shape[:2], 1 + width))
        shares = np.zeros((len(self), width))
        quality[:, inside], doubt[:, :, inside], shares[:, list(columns)] = self.quality, self.doubt, self.shares
        return Leanings(quality, doubt, shares, self.multiples)


def geometric_means(amounts: Floats, shares: Floats) -> Floats:
    """The weighted geometric means [..., n, A] of `amounts` [..., n, M] under `shares` [A, M]."""
    means = _times(np.log(np.maximum(amounts, LEAST_AMOUNT)), shares.T)
    return np.exp(means, out=means)


def _times(rows: Floats, weights: Floats) -> Floats:
    """`rows` [..., M] times `weights` [M, q], row by row: small enough to need none of the tiles of `product`."""
    return np.asarray(np.matmul(rows[..., None, :], weights)[..., 0, :])
