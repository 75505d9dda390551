"""What is counted for surface features, column by column, and by which tables, with the kernel or without."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from tenbin.features.marks import CHARACTERS, MARKS
from tenbin.features.token_events import event_weights
from tenbin.types import Floats

_UNSPACED_WEIGHT = 0.65
"""Japanese takes about 1.5 times the tokens of what it says in English; here both shall be as long as they mean."""

ASKED = ("user_turns", "system_characters", "tool_messages", "media_parts")
"""What the conversation tells; it does not grow with the text."""
TOLD = (*ASKED, "asked_otherwise", "rest_share")
"""The columns of what is told of each query beside its text: questions that end in no question mark among it."""
SIGNS: Mapping[str, str] = MappingProxyType({"questions": "?", "quotes": '"', "lines": "\n", **CHARACTERS})
"""What single signs are counted for, all of them ASCII, none for two."""

LOGGED = (
    *("log_tokens", "log_tokens_per_line", "log_numbers", "log_digits_per_number", "log_option_tokens", "log_options"),
    *(f"log_{name}" for name in (*ASKED, "questions", "quotes")),
    *MARKS,
)
SHARES = ("symbols_share", "digits_share", *CHARACTERS, "option_digits_share")
COUNTED = (*LOGGED, *SHARES, "rest_share", "lines")
"""The columns of what is counted: what logarithms are taken of, shares, and two that are as they were read."""


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


__all__ = ["ASKED", "COUNTED", "LOGGED", "SHARES", "SIGNS", "TOLD", "length_weights", "sign_table"]
