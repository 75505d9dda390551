"""What surface features are logarithms and shares of, counted in texts: by the compiled kernel where there is one."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from tenbin.features.characters import Kind
from tenbin.features.kernel import load_kernel
from tenbin.features.marks import CHARACTERS, MARKS
from tenbin.features.options import find_options
from tenbin.features.tally import tally
from tenbin.features.token_events import event_weights, tokens_of
from tenbin.types import Floats

_UNSPACED_WEIGHT = 0.65
"""Japanese takes about 1.5 times the tokens of what it says in English; here both shall be as long as they mean."""

ASKED = ("user_turns", "system_characters", "tool_messages", "media_parts")
"""What the conversation tells; it does not grow with the text."""
GROWING = ("questions", "quotes", "lines", *CHARACTERS)
"""What is read in the text by other means."""
READ = (*ASKED, *GROWING, "rest_share")
"""The columns of what is read before."""

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


def count_surface(texts: Sequence[str], wholes: Sequence[str], read: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """`COUNTED` of n queries [n, counted], and the tokens [n] of their whole texts as they are billed.

    `texts` are what is read of them, as `normal_lines` gives it, `wholes` the texts as they came; `read` [n, READ]
    is read already; `scale` [n] is how many times longer the whole is than what is read. No row knows of the others.
    """
    kernel = load_kernel()
    if kernel is None:
        return count_surface_uncompiled(texts, wholes, read, scale)
    return kernel.count_surface(texts, wholes, read, scale, length_weights(), len(COUNTED))


def count_surface_uncompiled(
    texts: Sequence[str], wholes: Sequence[str], read: Floats, scale: Floats
) -> tuple[Floats, Floats]:
    """The same without the kernel."""
    n, options = len(texts), find_options(texts)
    endings = [text[start:] for text, (_, start) in zip(texts, options, strict=True)]
    counted = tally([*texts, *endings, *wholes], n)
    events = counted.events.reshape(3, n, counted.events.shape[1])
    tokens, option_tokens, text_tokens = tokens_of(events, length_weights()[:, None])
    tokens, option_tokens, numbers, marks = (
        scale * count for count in (tokens, option_tokens, counted.numbers[:n], counted.marks.T)
    )
    kinds = counted.kinds.T
    symbols, digits, option_digits = (
        scale * count for count in (kinds[Kind.SYMBOL, :n], kinds[Kind.DIGIT, :n], kinds[Kind.DIGIT, n : 2 * n])
    )
    grown, how_many = scale * read.T[len(ASKED) : -1], np.array([count for count, _ in options], dtype=np.float64)
    questions, quotes, lines, *characters = grown
    shares = np.array([symbols, digits, *characters, option_digits]).reshape(len(SHARES), n)
    wholes_of_shares = np.array([*[tokens] * (len(SHARES) - 1), option_tokens]).reshape(len(SHARES), n)
    rows = (
        *(tokens, tokens / lines, numbers, digits / np.maximum(numbers, 1.0)),
        *(option_tokens / np.maximum(how_many, 1.0), how_many, *read.T[: len(ASKED)], questions, quotes, *marks),
        *(shares / np.maximum(shares + wholes_of_shares, 1e-9)),
        *(read.T[-1], lines),
    )
    return np.array(rows).reshape(len(COUNTED), n).T, text_tokens


__all__ = ["ASKED", "COUNTED", "GROWING", "LOGGED", "READ", "count_surface", "count_surface_uncompiled"]
