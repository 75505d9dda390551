"""Dollars of estimates at the prices of one moment, whether tokens or recorded dollars are predicted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.errors import DataError
from tenbin.predictors.shares import share_borne
from tenbin.prices import PriceBook, Rates
from tenbin.reasons import counted
from tenbin.router.crossfit import Observed, column_means
from tenbin.types import Estimates, Floats, Panel, Price

TOKENS = "tokens"
DOLLARS = "dollars"
DIGITS = 6
ROWS_PER_DIFFERENCE = 12.0
"""With so few labelled rows for each difference between candidates, nothing that differs in their dollars is kept."""


@dataclass(frozen=True, slots=True)
class TypicalCall:
    """A call of mean size per candidate [M] and its dollars at the prices of the fit: what scales recorded dollars."""

    input_tokens: Floats
    output_tokens: Floats
    cost_usd: Floats

    def save(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        return {name: getattr(self, name) for name in TypicalCall.__slots__}

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[Any]]) -> TypicalCall:
        """The typical call of saved arrays."""
        return cls(**{name: np.asarray(arrays[name], dtype=np.float64) for name in cls.__slots__})


@dataclass(frozen=True)
class Pricing:
    """The prices of one moment for the candidates of one router, fitted on `rows` labelled queries per candidate.

    The first `fitted` of the candidates are those of the fit; the amounts of added ones are multiples of theirs.
    """

    basis: str
    rates: Rates
    typical: TypicalCall
    rows: float
    fitted: int

    @property
    def is_plain(self) -> bool:
        """Whether dollars are tokens at these rates, and nothing else."""
        return self.basis == TOKENS and self._borne == 1.0

    def cost_usd(self, estimates: Estimates, cached_tokens: Floats | float = 0.0) -> Floats:
        """Expected dollars [n, M]; `cached_tokens` of the input, at most all of it, are billed at the cached rates.

        Recorded dollars do not say how many tokens they bought, so cached ones save nothing there.
        """
        if estimates.recorded_cost_usd is not None:
            return estimates.recorded_cost_usd * self._scale
        return self._bill_usd(estimates.input_tokens, estimates.output_tokens, cached_tokens)

    def _bill_usd(self, input_tokens: Floats, output_tokens: Floats, cached_tokens: Floats | float) -> Floats:
        if isinstance(cached_tokens, float) and cached_tokens == 0.0:
            return self.rates.cost_usd(input_tokens, output_tokens)
        cached = np.minimum(cached_tokens, input_tokens)
        return self.rates.cost_usd(input_tokens, output_tokens, cached_input_tokens=cached)

    def expected_cost_usd(
        self, estimates: Estimates, cached_tokens: Floats | float = 0.0, output_caps: Floats | None = None
    ) -> Floats:
        """The dollars [n, M] to decide by: as far as the training rows do not bear differences, a call is so many
        times the typical one for every candidate alike; never more than with the longest answers `output_caps` [n, M].

        Where candidates are many and rows few, what one query is said to cost here more than there is mostly noise,
        and nearly equal candidates would be mixed by it. An added candidate has no differences of its own, so it
        moves nobody's dollars. Unknown and free calls stay as they are.
        """
        if output_caps is None or self.basis == DOLLARS:
            return self._borne_cost_usd(estimates, cached_tokens)
        if self._borne == 1.0:  # nothing is cheaper for being longer
            capped = np.minimum(estimates.output_tokens, output_caps)
            return self._bill_usd(estimates.input_tokens, capped, cached_tokens)
        dollars = self._borne_cost_usd(estimates, cached_tokens)
        is_capped = np.isfinite(output_caps)
        longest = replace(estimates, output_tokens=np.where(is_capped, output_caps, 0.0))
        return np.where(is_capped, np.minimum(dollars, self.cost_usd(longest, cached_tokens)), dollars)

    def _borne_cost_usd(self, estimates: Estimates, cached_tokens: Floats | float) -> Floats:
        dollars = self.cost_usd(estimates, cached_tokens)
        borne = self._borne
        if borne == 1.0:
            return dollars
        cached = not (isinstance(cached_tokens, float) and cached_tokens == 0.0)
        whole = self.cost_usd(estimates) if cached else dollars
        typical = self.typical.cost_usd * self._scale
        size = whole / np.where(typical > 0.0, typical, np.nan)
        known = size > 0.0
        logs = np.log(np.where(known, size, 1.0))
        told = known[:, : self.fitted].sum(axis=1, keepdims=True)
        common = logs[:, : self.fitted].sum(axis=1, keepdims=True) / np.maximum(told, 1)
        known &= told > 0
        drawn: Floats = np.where(known, dollars * np.exp((1.0 - borne) * (common - logs)), dollars)
        return drawn

    def observed_cost_usd(self, observed: Observed) -> Floats:
        """What the measured calls cost at these prices [n, M], NaN where neither tokens nor dollars were measured."""
        if self.basis == DOLLARS:
            return observed.cost_usd * self._scale
        return self.rates.cost_usd(observed.input_tokens, observed.output_tokens)

    @cached_property
    def _borne(self) -> float:
        """How much of the differences between candidates' dollars the training rows bear."""
        return share_borne(self.rows, max(self.fitted - 1, 0), ROWS_PER_DIFFERENCE)

    @cached_property
    def _scale(self) -> Floats:
        now = self.rates.cost_usd(self.typical.input_tokens[None, :], self.typical.output_tokens[None, :])[0]
        then = self.typical.cost_usd
        return np.where(then > 0.0, now / np.where(then > 0.0, then, 1.0), 1.0)


def labelled_rows(quality: Floats) -> float:
    """How many queries the labels of `quality` [n, M] (NaN = none) would fill."""
    return float((~np.isnan(quality)).sum() / quality.shape[1])


def cost_basis(panel: Panel, prices: PriceBook | None) -> str:
    """ "tokens" where every candidate has token counts and there are prices, "dollars" where all have recorded dollars.

    DataError where neither holds.
    """
    labelled = [~np.isnan(cells).all(axis=0) for cells in (panel.input_tokens, panel.output_tokens, panel.cost_usd)]
    if prices is not None and labelled[0].all() and labelled[1].all():
        return TOKENS
    if labelled[2].all():
        return DOLLARS
    tokens = labelled[0] & labelled[1]
    known = labelled[2] | tokens
    if known.all():  # some by tokens, some by dollars, or all by tokens without prices
        known = labelled[2]
    first, *others = (panel.models[m] for m in np.flatnonzero(np.logical_not(known)).tolist())
    more = f" and {counted(len(others), 'more model', 'more models')}" if others else ""
    fix = "give input_tokens, output_tokens and --prices, or cost_usd; if they have other names, add --map OURS=THEIRS"
    fix = "give --prices FILE" if tokens.all() else fix
    raise DataError(f'no cost is known for "{first}"{more}', where="the outcome table", fix=fix)


def recorded_price(mean_usd: float) -> Price:
    """The price of a model of which only dollars are known; rounded, since it is for people."""
    return Price(0.0, 0.0, request_usd=float(f"{mean_usd:.{DIGITS}g}"))


def recorded_book(panel: Panel, weight: Floats) -> PriceBook:
    """A book for tables that have only dollars: each model's mean recorded dollars as its price per request.

    Editing a price there scales that model's predicted dollars by the same factor. The figures are for people, hence
    rounded; the typical call is priced with this very book, so that unedited prices scale by exactly 1.
    """
    means = column_means(panel.cost_usd, weight).tolist()
    return PriceBook({m: (recorded_price(mean),) for m, mean in zip(panel.models, means, strict=True)})


def typical_call(panel: Panel, text_tokens: Floats, weight: Floats, basis: str, rates: Rates) -> TypicalCall:
    """The call of mean size of every candidate; where only dollars are known, the size that those dollars buy."""
    if basis == DOLLARS:
        return call_of_dollars(float(np.mean(text_tokens)), column_means(panel.cost_usd, weight), rates)
    return call_of_tokens(column_means(panel.input_tokens, weight), column_means(panel.output_tokens, weight), rates)


def call_of_tokens(input_tokens: Floats, output_tokens: Floats, rates: Rates) -> TypicalCall:
    """The call of these sizes [M]."""
    cost = rates.cost_usd(input_tokens[None, :], output_tokens[None, :])[0]
    return TypicalCall(input_tokens, output_tokens, cost)


def call_of_dollars(input_tokens: float, cost_usd: Floats, rates: Rates) -> TypicalCall:
    """The call with that much input and as much output as these dollars [M] buy."""
    inputs, zero = np.full(len(cost_usd), input_tokens), np.zeros(len(cost_usd))
    without, per_token = (rates.cost_usd(inputs[None, :], (zero + t)[None, :])[0] for t in (0.0, 1.0))
    slope = per_token - without
    excess = np.maximum(cost_usd - without, 0.0)
    return call_of_tokens(inputs, np.where(slope > 0.0, excess / np.where(slope > 0.0, slope, 1.0), 0.0), rates)
