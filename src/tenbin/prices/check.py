"""What in a price book a person should look at: figures that are possible, but seldom meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from itertools import pairwise

from tenbin.types import Price

STALE_DAYS = 365
JUMP = 10.0
"""A rate that moves by this factor from one entry to the next is rather a slip of the unit than a price change."""
DEAR_USD_PER_MTOK = 1000.0
"""No listed rate has been this high (the dearest of 1,790 list prices was 720): dollars per thousand tokens?"""
CHEAP_USD_PER_MTOK = 0.01
"""No listed price of answers has both rates below (of 2,332): the price of a thousand tokens, or of one?"""
OWN_RATES = (
    *("cached_input_usd_per_mtok", "cache_write_usd_per_mtok", "cache_write_1h_usd_per_mtok"),
    *("reasoning_usd_per_mtok", "audio_input_usd_per_mtok", "audio_output_usd_per_mtok"),
)
"""Rates without which these tokens cost what others do; five of 2,039 published models lost one (long tiers go)."""


@dataclass(frozen=True, slots=True)
class PriceFinding:
    """Something a person should look at: `is_error` where the model cannot be priced at all."""

    model: str
    what: str
    is_error: bool = False


def oddities(price: Price, day: date, *, answers: bool) -> Iterable[str]:
    """What is unusual in one price: zero, output below input, a cache dearer than none, an old date, a wrong unit."""
    input_usd, output_usd = price.input_usd_per_mtok, price.output_usd_per_mtok
    if not any(dollars(price)):
        yield "has all prices at zero: free, or not filled in?"
    elif answers and (input_usd == 0) != (output_usd == 0):
        yield f"has a price of zero (input {input_usd:g}, output {output_usd:g}): not filled in?"
    if answers and output_usd < input_usd:
        yield f"has output ({output_usd:g}) cheaper than input ({input_usd:g}): swapped?"
    dearer = max(input_usd, output_usd)
    if dearer >= DEAR_USD_PER_MTOK:
        yield f"costs ${dearer:g} per million tokens: was that meant per thousand?"
    elif answers and 0 < dearer < CHEAP_USD_PER_MTOK:
        yield f"costs ${dearer:g} per million tokens: is that the price of a thousand, or of one?"
    if price.cached_input_usd_per_mtok is not None and price.cached_input_usd_per_mtok > input_usd:
        yield f"has cached input ({price.cached_input_usd_per_mtok:g}) dearer than plain input ({input_usd:g})"
    if price.long_input_usd_per_mtok is not None and price.long_input_usd_per_mtok < input_usd:
        yield f"has long-context input ({price.long_input_usd_per_mtok:g}) cheaper than plain input ({input_usd:g})"
    if price.priority_factor is not None and price.priority_factor < 1:
        yield f"has priority cheaper than standard (priority_factor {price.priority_factor:g})"
    if price.flex_factor is not None and price.flex_factor > 1:
        yield f"has flex dearer than standard (flex_factor {price.flex_factor:g})"
    if price.since is not None and (age := (day - price.since).days) > STALE_DAYS:
        yield f"has a price of {price.since}, {age} days old: still true?"


def dollars(price: Price) -> Iterable[float]:
    """Every rate and fee that a price names."""
    named = (getattr(price, field.name) for field in fields(price) if "_usd" in field.name)
    return (amount for amount in named if amount is not None)


def jumps(history: Sequence[Price]) -> Iterable[str]:
    """Rates that move by a factor of ten or more from one entry to the next, or that the next one does not have."""
    for old, new in pairwise(history):
        for key in OWN_RATES:
            if getattr(old, key) is not None and getattr(new, key) is None:
                yield f"has no {key} from {new.since} on, which the entry before has: every entry stands alone"
        for key in ("input_usd_per_mtok", "output_usd_per_mtok"):
            before, after = getattr(old, key), getattr(new, key)
            if before > 0 and after > 0 and max(before, after) >= JUMP * min(before, after):
                yield f"has {key} going from {before:g} to {after:g} on {new.since}: a slip of the unit?"
