"""How many input tokens a text will be, estimated from its characters: no tokenizer, any script.

A linear model over counts of words, digits, punctuation, spaces and characters of unspaced scripts. The coefficients
were fitted once to the relative error against the `o200k_base` vocabulary on English, Japanese, code and JSON.
Providers' vocabularies differ from it by a factor that is nearly constant per model, which the token heads learn;
billing uses the provider's own `usage`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from tenbin.features.characters import Kind, Kinds, Owners, codes_of, kinds_of
from tenbin.types import Bools, Floats, Ints

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
"""Tokens per counted thing, in the order of `_events`."""

_UNSPACED_EVENTS = ("hangul", "unspaced", "ideograph", "hiragana", "katakana")
_BLOCK_CHARACTERS = 1 << 18


def _is(kinds: Kinds, *wanted: Kind) -> Bools:
    member = np.zeros(len(Kind), np.bool_)
    member[list(wanted)] = True
    found: Bools = member[kinds]
    return found


def _position_in_run(mask: Bools, starts: Bools) -> Ints:
    """How many characters before this one belong to the same run (0 outside runs)."""
    index = np.arange(len(mask), dtype=np.int64)
    origin = np.maximum.accumulate(np.where(starts, index, 0))
    return np.where(mask, index - origin, 0)


def _events(kinds: Kinds, owners: Owners) -> dict[str, Bools]:
    """Per character: whether it is one of the countable things named by the keys."""
    fresh = np.ones(len(kinds), np.bool_)
    fresh[1:] = owners[1:] != owners[:-1]

    def starts(mask: Bools) -> Bools:
        begin = mask.copy()
        begin[1:] &= ~mask[:-1] | fresh[1:]
        return begin

    latin = _is(kinds, Kind.LOWER, Kind.UPPER)
    upper = kinds == Kind.UPPER
    humps = upper.copy()
    humps[1:] &= (kinds[:-1] == Kind.LOWER) & ~fresh[1:]
    humps[:1] = False
    word = starts(latin)
    in_word = _position_in_run(latin, word)
    digit = kinds == Kind.DIGIT
    in_number = _position_in_run(digit, starts(digit))
    space, newline = kinds == Kind.SPACE, kinds == Kind.NEWLINE
    punctuation = kinds == Kind.PUNCTUATION
    other = _is(kinds, Kind.LETTER, Kind.MARK)
    events = {
        "latin_words": word,
        "latin_letters_5_to_8": latin & (in_word >= 4) & (in_word < 8),
        "latin_letters_from_9": latin & (in_word >= 8),
        "capitals_within_words": humps,
        "capitals_in_a_row": upper & (in_word >= 1) & ~humps,
        "digit_triples": digit & (in_number % 3 == 0),
        "punctuation_runs": starts(punctuation),
        "punctuation_further": punctuation & ~starts(punctuation),
        "space_runs": starts(space),
        "spaces_further": space & ~starts(space),
        "newline_runs": starts(newline),
        "other_words": starts(other),
        "other_letters": other & ~starts(other),
    }
    for kind in (Kind.HANGUL, Kind.UNSPACED, Kind.IDEOGRAPH, Kind.HIRAGANA, Kind.KATAKANA):
        mask = kinds == kind
        events[f"{kind.name.lower()}_runs"] = starts(mask)
        events[f"{kind.name.lower()}_further"] = mask & ~starts(mask)
    events["wide_punctuation"] = kinds == Kind.WIDE_PUNCTUATION
    events["symbols"] = kinds == Kind.SYMBOL
    return events


def _count_block(texts: Sequence[str], unspaced_weight: float) -> Floats:
    codes, owners = codes_of(texts)
    total = np.zeros(len(texts))
    if len(codes):
        for name, event in _events(kinds_of(codes), owners).items():
            weight = unspaced_weight if name.startswith(_UNSPACED_EVENTS) else 1.0
            total += weight * _COEFFICIENTS[name] * np.bincount(owners[event], minlength=len(texts))
    return total


def count_tokens(texts: Sequence[str], *, unspaced_weight: float = 1.0) -> Floats:
    """Estimated input tokens of each text, float64 [n], 0 for an empty one; a number never depends on the other texts.

    Median error against `o200k_base` on text that was not fitted on: 4 % in English, 4 % in Japanese, 3 % in code
    (characters / 4 is 55 to 70 % off in Japanese). Linear in the length of the text. `unspaced_weight` scales what
    East Asian and other unspaced scripts add: below 1 where the length of what is said is meant, not what is billed.

    >>> count_tokens(["What is the capital of Japan?", "日本の首都はどこですか？"]).round().tolist()
    [7.0, 9.0]
    """
    if isinstance(texts, str):
        raise TypeError("count_tokens takes a list of texts, not one text")
    parts: list[Floats] = []
    block: list[str] = []
    characters = 0
    for text in texts:
        if block and characters + len(text) > _BLOCK_CHARACTERS:
            parts.append(_count_block(block, unspaced_weight))
            block, characters = [], 0
        block.append(text)
        characters += len(text)
    parts.append(_count_block(block, unspaced_weight))
    return np.concatenate(parts)


__all__ = ["count_tokens"]
