"""The known candidates as a newcomer meets them: the factors of their answers, and how it leans on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tenbin.online.abilities import Abilities
from tenbin.online.labels import Labels
from tenbin.online.multiples import multiple_of
from tenbin.online.newcomer import Newcomer
from tenbin.prices import PriceBook
from tenbin.router.leanings import AMOUNTS, Leanings
from tenbin.router.router import Router
from tenbin.types import Estimates, Floats, Query


class Company:
    """The fitted candidates that a router still serves; `factors` [n, K] of its training rows, `doubt` [n, K, K]."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._size = len(router.roster.kept)
        self._estimates = router.crossfit.estimates
        observed = router.crossfit.observed
        self._quality = observed.quality[:, : self._size]
        estimated = self._estimates.quality[:, : self._size]
        self._abilities = Abilities.learn(self._quality, estimated, observed.weight[:, : self._size])
        self.factors, self.doubt = self._abilities.seen(self._quality, self._abilities.foreseen(estimated))

    def foreseen(self, queries: Sequence[Query]) -> Floats:
        """The factors [n, K] that the text of some queries foretells."""
        estimates = self._router.estimate(self._router.features(queries))
        return self._abilities.foreseen(estimates.quality[:, : self._size])

    def meet(self, labels: Labels) -> Newcomer:
        """What its labels tell of a newcomer."""
        inside = labels.rows >= 0
        k = self.factors.shape[1]
        factors, doubt = np.empty((len(labels), k)), np.empty((len(labels), k, k))
        factors[inside], doubt[inside] = self.factors[labels.rows[inside]], self.doubt[labels.rows[inside]]
        if not inside.all():
            strangers = [query for query, known in zip(labels.queries, inside.tolist(), strict=True) if not known]
            factors[~inside], doubt[~inside] = self.foreseen(strangers), self._abilities.spread
        return Newcomer.learn(self._abilities, factors, doubt, labels.quality, labels.weight)

    def leaning(self, newcomer: Newcomer, labels: Labels, prices: PriceBook, model: str) -> Leanings:
        """How the newcomer leans on the known candidates: what it is expected to do, in terms of what they are."""
        abilities = self._abilities
        turn = np.zeros((len(newcomer.centre), 1 + self._size))
        turn[0, 0] = 1.0
        turn[1:, 0], turn[1:, 1:] = -abilities.projection @ abilities.means, abilities.projection
        size, axes = np.linalg.eigh(newcomer.covariance)
        shares = np.full(self._size, 1.0 / self._size)
        foreseen = self._router.estimate(self._router.features(labels.queries))
        own = {
            "input_tokens": labels.input_tokens,
            "output_tokens": labels.output_tokens,
            "recorded_cost_usd": labels.dollars(prices, model),
            "latency_s": labels.latency_s,
        }
        multiples = [self._multiple(name, own[name], labels, foreseen, shares) for name in AMOUNTS]
        return Leanings(
            quality=(newcomer.centre @ turn)[None],
            doubt=((axes * np.sqrt(np.maximum(size, 0.0))).T @ turn)[None],
            shares=shares[None],
            multiples=np.array([multiples]),
        )

    def _multiple(self, name: str, own: Floats, labels: Labels, foreseen: Estimates, shares: Floats) -> float:
        estimated = getattr(self._estimates, name)
        if estimated is None:
            return np.nan
        observed = getattr(self._router.crossfit.observed, "cost_usd" if name == "recorded_cost_usd" else name)
        return multiple_of(
            own,
            labels.rows,
            getattr(foreseen, name)[:, : self._size],
            observed[:, : self._size],
            estimated[:, : self._size],
            shares,
        )
