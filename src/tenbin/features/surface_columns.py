"""What surface features are and what is counted for them, column by column, and by which tables."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from tenbin.features.marks import CHARACTERS, MARKS
from tenbin.features.token_events import event_weights
from tenbin.types import Floats, Ints

_UNSPACED_WEIGHT = 0.65
"""Japanese takes about 1.5 times the tokens of what it says in English; here both shall be as long as they mean."""

ASKED = ("user_turns", "system_characters", "tool_messages", "media_parts")
"""What the conversation tells; it does not grow with the text."""
TOLD = (*ASKED, "asked_otherwise", "rest_share", "scale")
"""The columns of what is told of each query beside its text: questions that end in no question mark among it, and how
many times longer the whole is than what is read of it.
"""
SIGNS: Mapping[str, str] = MappingProxyType({"questions": "?", "quotes": '"', "lines": "\n", **CHARACTERS})
"""What single signs are counted for, all of them ASCII, none for two."""

LOGGED = (
    *("log_tokens", "log_tokens_per_line", "log_numbers", "log_digits_per_number", "log_option_tokens", "log_options"),
    *(f"log_{name}" for name in (*ASKED, "questions", "quotes")),
    *MARKS,
)
SHARES = ("symbols_share", "digits_share", *CHARACTERS, "option_digits_share")
COUNTED = (*LOGGED, *SHARES, "rest_share", "log_lines")
"""The columns of what is counted: what log(1 + x) is taken of, shares, a share that is told, lines, whose log(x) is."""

_COUNTS = ("log_questions", "log_quotes", "log_numbers", "log_digits_per_number", "log_options", "log_option_tokens")
_WHOLE = (
    "log_tokens", "log_lines", "log_tokens_per_line", "symbols_share", "option_digits_share", "log_user_turns",
    "log_system_characters", "log_tool_messages", "log_media_parts", "rest_share", "digits_share",
)  # fmt: skip
SURFACE_NAMES: tuple[str, ...] = (*_WHOLE, *CHARACTERS, *_COUNTS, *MARKS)
"""What each column of `surface_and_tokens` is."""


@functools.cache
def surface_order() -> Ints:
    """Where each of `SURFACE_NAMES` stands among what is counted; all of that is there."""
    return np.array([COUNTED.index(name) for name in SURFACE_NAMES], np.int64)


@functools.cache
def length_weights() -> Floats:
    """Tokens per event of texts and of their options, whose length is meant, and of texts as billed, [3, events]."""
    meant, billed = event_weights(_UNSPACED_WEIGHT), event_weights(1.0)
    return np.array([meant, meant, billed])


@functools.cache
def sign_table() -> NDArray[np.uint8]:
    """1 + the place among `SIGNS` of what each ASCII character is counted for, 0 for nothing, [128]."""
    table = np.zeros(128, np.uint8)
    for number, signs in enumerate(SIGNS.values(), 1):
        table[[ord(sign) for sign in signs]] = number
    table.flags.writeable = False
    return table


__all__ = [
    "ASKED",
    "COUNTED",
    "LOGGED",
    "SHARES",
    "SIGNS",
    "SURFACE_NAMES",
    "TOLD",
    "length_weights",
    "sign_table",
    "surface_order",
]
