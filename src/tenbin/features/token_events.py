"""The events of which a text's tokens are estimated, which pairs of characters make them, and what each one costs.

A linear model over counts of words, digits, punctuation, spaces and characters of unspaced scripts. The coefficients
were fitted once to the relative error against the `o200k_base` vocabulary on English, Japanese, code and JSON.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from tenbin.features.characters import Kind
from tenbin.types import Bools, Floats

PAIRS = len(Kind) ** 2
"""A pair of neighbouring characters is 16 x kind before + kind."""

_COEFFICIENTS: Mapping[str, float] = MappingProxyType(
    {
        "latin_words": 0.592,
        "latin_letters_5_to_8": 0.042,
        "latin_letters_from_9": 0.103,
        "capitals_within_words": 0.671,
        "capitals_in_a_row": 0.140,
        "digit_triples": 1.513,
        "punctuation_runs": 0.778,
        "punctuation_further": 0.075,
        "space_runs": 0.428,
        "spaces_further": 0.031,
        "newline_runs": 1.030,
        "other_words": 0.960,
        "other_letters": 0.130,
        "hangul_runs": 1.100,
        "hangul_further": 0.350,
        "unspaced_runs": 1.000,
        "unspaced_further": 0.430,
        "ideograph_runs": 1.039,
        "ideograph_further": 0.544,
        "hiragana_runs": 0.975,
        "hiragana_further": 0.484,
        "katakana_runs": 0.552,
        "katakana_further": 0.653,
        "wide_punctuation": 1.051,
        "symbols": 0.854,
    }
)
"""Tokens per counted thing."""

_LATIN = (Kind.LOWER, Kind.UPPER)
_RUNS: Mapping[str, tuple[Kind, ...]] = MappingProxyType(
    {
        "latin_words": _LATIN,
        "punctuation_runs": (Kind.PUNCTUATION,),
        "space_runs": (Kind.SPACE,),
        "newline_runs": (Kind.NEWLINE,),
        "other_words": (Kind.LETTER, Kind.MARK),
        "hangul_runs": (Kind.HANGUL,),
        "unspaced_runs": (Kind.UNSPACED,),
        "ideograph_runs": (Kind.IDEOGRAPH,),
        "hiragana_runs": (Kind.HIRAGANA,),
        "katakana_runs": (Kind.KATAKANA,),
    }
)
"""Things of which a run of characters is one: counted where a run begins."""
_FURTHER: Mapping[str, str] = MappingProxyType(
    {
        "punctuation_further": "punctuation_runs",
        "spaces_further": "space_runs",
        "other_letters": "other_words",
        "hangul_further": "hangul_runs",
        "unspaced_further": "unspaced_runs",
        "ideograph_further": "ideograph_runs",
        "hiragana_further": "hiragana_runs",
        "katakana_further": "katakana_runs",
    }
)
"""Characters of such a run after its first."""
_SINGLES: Mapping[str, Kind] = MappingProxyType({"wide_punctuation": Kind.WIDE_PUNCTUATION, "symbols": Kind.SYMBOL})
_BY_LENGTH = ("latin_letters_5_to_8", "latin_letters_from_9", "digit_triples")
"""What depends on how long a run is, not only on which kinds of characters stand side by side."""
_UNSPACED_EVENTS = ("hangul", "unspaced", "ideograph", "hiragana", "katakana")


@functools.cache
def pair_events() -> Floats:
    """Which pairs of neighbouring kinds make which event, 0 or 1 [pairs, events]."""
    before, own = np.divmod(np.arange(PAIRS), 16)
    columns: dict[str, Bools] = {}
    for name, kinds in _RUNS.items():
        columns[name] = ~np.isin(before, kinds) & np.isin(own, kinds)
    for name, runs in _FURTHER.items():
        columns[name] = np.isin(before, _RUNS[runs]) & np.isin(own, _RUNS[runs])
    for name, kind in _SINGLES.items():
        columns[name] = own == kind
    columns["capitals_within_words"] = (before == Kind.LOWER) & (own == Kind.UPPER)
    columns["capitals_in_a_row"] = (before == Kind.UPPER) & (own == Kind.UPPER)
    none = np.zeros(PAIRS, np.bool_)
    events = np.stack([columns.get(name, none) for name in _COEFFICIENTS]).astype(np.float64)
    return events.T  # each column in one piece: sums along it take a third of the time


@functools.cache
def length_columns() -> tuple[int, ...]:
    """Where `_BY_LENGTH` stand among the events."""
    names = list(_COEFFICIENTS)
    return tuple(names.index(name) for name in _BY_LENGTH)


@functools.cache
def event_weights(unspaced_weight: float) -> Floats:
    """Tokens per event, [events]; `unspaced_weight` scales what East Asian and other unspaced scripts add.

    It is 1 for what is billed, below 1 where the length of what is said is meant.
    """
    scaled = [c * (unspaced_weight if name.startswith(_UNSPACED_EVENTS) else 1.0) for name, c in _COEFFICIENTS.items()]
    return np.array(scaled)


def tokens_of(events: Floats, weights: Floats) -> Floats:
    """The tokens [...] of the events [..., events] that cost so much each."""
    # One after the other: the last bit of a sum depends on its order, and a text must not depend on its neighbours.
    total: Floats = np.add.accumulate(events * weights, axis=-1)[..., -1]
    return total


__all__ = ["PAIRS", "event_weights", "length_columns", "pair_events", "tokens_of"]
