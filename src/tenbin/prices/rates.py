"""The bill: dollars of n queries by M candidates at one day's rates.

    cost = request_usd + (  plain input  x input rate        plain = input_tokens - cached - cache writes
                          + cached       x cached rate
                          + cache writes x cache-write rate
                          + answer       x output rate       answer = output_tokens - reasoning
                          + reasoning    x reasoning rate ) / 1e6

`input_tokens` counts everything that was sent, cached tokens too, and `output_tokens` everything that was produced,
hidden reasoning too: that is how OpenAI and Google report usage; for providers that report the parts apart, add them
up first. A rate that is not given is the plain input or output rate, so reasoning costs what any output costs unless
a separate rate says otherwise. Above `long_context_tokens` of input the whole call is billed at the long rates.

What a provider reports of a call may say more: cache writes that are kept for an hour, and audio, have rates of their
own. No estimate tells them, so only `bill_usd` knows them.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from tenbin.types import Floats, Price, Usage

TOKENS_PER_MTOK = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """The prices of some models on one day, as arrays ready for billing.

    `short` and `long` [5, M] are dollars per million tokens of plain input, cached input, cache writes, answer and
    reasoning; `long` holds above `long_above_tokens` [M] of input (infinite where there is no long-context tier).
    `plain` is the same per model as plain numbers, for one call at a time: threshold, dollars per call, both rates with
    those of one-hour cache writes, audio input and audio output behind, and the factors of the tiers.
    """

    models: tuple[str, ...]
    short: Floats
    long: Floats
    long_above_tokens: Floats
    request_usd: Floats
    plain: tuple[tuple[float, float, list[float], list[float], Mapping[str, float]], ...]

    @classmethod
    def of(cls, models: Sequence[str], prices: Sequence[Price]) -> Self:
        """The rates of these prices, one per model."""
        columns = [_columns(price) for price in prices]
        short = np.array([short for short, _ in columns], dtype=np.float64).reshape(len(prices), 5)
        long = np.array([long for _, long in columns], dtype=np.float64).reshape(len(prices), 5)
        above = [math.inf if price.long_context_tokens is None else price.long_context_tokens for price in prices]
        request = [price.request_usd for price in prices]
        plain = [
            (float(a), float(r), [*s, *_rare(price, s)], [*x, *_rare(price, x)], _tiers(price))
            for price, a, r, (s, x) in zip(prices, above, request, columns, strict=True)
        ]
        return cls(
            tuple(models), short.T.copy(), long.T.copy(), np.array(above, float), np.array(request, float), tuple(plain)
        )

    def cost_usd(
        self,
        input_tokens: Floats,
        output_tokens: Floats,
        *,
        cached_input_tokens: Floats | float = 0.0,
        cache_write_tokens: Floats | float = 0.0,
        reasoning_tokens: Floats | float = 0.0,
    ) -> Floats:
        """Dollars [n, M] of calls with these tokens (each [n, M], or of a shape that NumPy stretches to it).

        Cached and cache-write tokens are part of the input, reasoning tokens part of the output; where the parts
        exceed the whole, the rest counts as zero, never as a credit. NaN tokens cost NaN.
        """
        plain = _rest(input_tokens, cached_input_tokens, cache_write_tokens)
        answer = _rest(output_tokens, reasoning_tokens)
        parts = (plain, cached_input_tokens, cache_write_tokens, answer, reasoning_tokens)
        # Zeros would be added for a kind of tokens that no call has.
        billed = [(i, part) for i, part in enumerate(parts) if not _is_none(part)]
        cost = np.asarray(_bill(billed, self.short))
        is_long = input_tokens > self.long_above_tokens
        if np.count_nonzero(is_long):  # `any` takes five times as long
            cost = np.where(is_long, _bill(billed, self.long), cost)
        cost += self.request_usd
        return cost

    def bill_usd(self, m: int, usage: Usage) -> float:
        """Dollars of one call of model `m` with the usage that its provider reported."""
        hour, heard, spoken = usage.cache_write_1h_tokens, usage.audio_input_tokens, usage.audio_output_tokens
        plain = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens - heard
        fresh = usage.cache_write_tokens - hour
        answer = usage.output_tokens - usage.reasoning_tokens - spoken
        above, request_usd, short, long, tiers = self.plain[m]
        rates = long if usage.input_tokens > above else short
        # In the order of `_bill`, and every request is billed twice: as reserved and as used: `max` costs more.
        bill = (plain if plain > 0 else 0) * rates[0] + usage.cached_tokens * rates[1]
        bill += (fresh if fresh > 0 else 0) * rates[2]
        bill += (answer if answer > 0 else 0) * rates[3] + usage.reasoning_tokens * rates[4]
        if hour or heard or spoken:
            bill += hour * rates[5] + heard * rates[6] + spoken * rates[7]
        if usage.tier is not None:
            bill *= tiers.get(usage.tier, 1.0)
        return bill / TOKENS_PER_MTOK + request_usd

    def ceiling_usd(self, m: int, input_tokens: int, output_tokens: int) -> float:
        """The most that one call of model `m` with at most so many tokens of text can cost, whatever kinds they are of;
        one that asks for a cache of an hour, or for priority, may cost more.
        """
        above, request_usd, short, long, _ = self.plain[m]
        tables = [short, long] if input_tokens > above else [short]
        into = max(rate for table in tables for rate in table[:3])
        out = max(rate for table in tables for rate in table[3:5])
        return request_usd + (input_tokens * into + output_tokens * out) / TOKENS_PER_MTOK


def _rest(whole: Floats, *parts: Floats | float) -> Floats:
    """What is left of the whole without these parts, at least 0."""
    left = [part for part in parts if not _is_none(part)]
    return np.maximum(functools.reduce(operator.sub, left, whole), 0.0) if left else whole


def _bill(billed: Iterable[tuple[int, Any]], rates: Floats) -> Any:
    """Dollars of so many tokens each at the rates of these kinds."""
    return functools.reduce(operator.add, [part * rates[kind] for kind, part in billed]) / TOKENS_PER_MTOK


def _is_none(part: Any) -> bool:
    return type(part) is float and part == 0.0


def _columns(price: Price) -> tuple[list[float], list[float]]:
    """The five rates up to the long-context threshold and above it."""
    input_usd, output_usd = price.input_usd_per_mtok, price.output_usd_per_mtok
    cached = _or(price.cached_input_usd_per_mtok, input_usd)
    write = _or(price.cache_write_usd_per_mtok, input_usd)
    reasoning = _or(price.reasoning_usd_per_mtok, output_usd)
    long_input = _or(price.long_input_usd_per_mtok, input_usd)
    long_output = _or(price.long_output_usd_per_mtok, output_usd)
    # Of 229 published tiers that also raise cached input or cache writes, 228 raise them by the factor of the input.
    dearer_input = long_input / input_usd if input_usd > 0 else 1.0
    dearer_output = long_output / output_usd if output_usd > 0 else 1.0
    long_cached = _or(price.long_cached_input_usd_per_mtok, cached * dearer_input)
    long_write = _or(price.long_cache_write_usd_per_mtok, write * dearer_input)
    short = [input_usd, cached, write, output_usd, reasoning]
    return short, [long_input, long_cached, long_write, long_output, reasoning * dearer_output]


def _rare(price: Price, rates: Sequence[float]) -> list[float]:
    """The rates of one-hour cache writes, audio input and audio output beside these five rates of the same price."""
    # Of 79 published prices of one-hour writes all are twice the input.
    hour = _or(price.cache_write_1h_usd_per_mtok, 2.0 * price.input_usd_per_mtok)
    dearer = rates[0] / price.input_usd_per_mtok if price.input_usd_per_mtok > 0 else 1.0
    heard, spoken = _or(price.audio_input_usd_per_mtok, rates[0]), _or(price.audio_output_usd_per_mtok, rates[3])
    return [hour * dearer, heard, spoken]


def _tiers(price: Price) -> Mapping[str, float]:
    # Of 300 published prices of priority none is above 2.5 times the plain one (GPT-5.5), three quarters are 1.75 to 2
    # times; Anthropic's fast mode is twice. Booking too much keeps budgets, booking too little overspends them.
    return {"priority": _or(price.priority_factor, 2.5), "flex": _or(price.flex_factor, 1.0)}


def _or(rate: float | None, otherwise: float) -> float:
    return otherwise if rate is None else rate
