"""From numbers to pixels: linear and logarithmic axes with round ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MOST_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps [low, high] to [start, end] pixels; values outside are put on the edge; `log` needs low > 0."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(inside / self.low) / math.log(self.high / self.low)
        else:
            share = (inside - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, about: int) -> list[float]:
        """Round values inside the axis, about that many."""
        return _log_ticks(self.low, self.high, about) if self.log else _linear_ticks(self.low, self.high, about)


def tick_decimals(ticks: Sequence[float]) -> int:
    """How many decimals write every tick as the number it is, at most six."""
    return next((d for d in range(MOST_DECIMALS) if all(abs(t - round(t, d)) < 1e-9 for t in ticks)), MOST_DECIMALS)


def linear(low: float, high: float, start: float, end: float) -> Scale:
    """A linear axis; a range of no width is widened so that it can be drawn."""
    if not high > low:
        low, high = low - 0.5 * max(abs(low), 1e-6), high + 0.5 * max(abs(high), 1e-6)
    return Scale(low, high, start, end)


def logarithmic(low: float, high: float, start: float, end: float, floor: float = 1e-7) -> Scale:
    """A logarithmic axis; values below `floor` (such as free models) are drawn at the floor."""
    low, high = max(low, floor), max(high, floor)
    if not high > low * 1.0001:
        low, high = low / 2.0, high * 2.0
    return Scale(low, high, start, end, log=True)


def _linear_ticks(low: float, high: float, about: int) -> list[float]:
    step = _round_step((high - low) / max(about, 1))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def _round_step(raw: float) -> float:
    size = 10.0 ** math.floor(math.log10(raw))
    return next(size * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if size * factor >= raw * 0.999)


def _log_ticks(low: float, high: float, about: int) -> list[float]:
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    for steps in ((1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0), (1.0, 2.0, 3.0, 5.0), (1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)):
        found = [10.0**d * s for d in decades for s in steps if low * 0.999 <= 10.0**d * s <= high * 1.001]
        if len(found) <= about + 1:
            return found
    return found[:: math.ceil(len(found) / about)]
