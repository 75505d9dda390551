"""What surface features are logarithms and shares of, counted in texts: by the compiled kernel where there is one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tenbin.features.characters import Kind
from tenbin.features.kernel import load_kernel
from tenbin.features.options import find_options
from tenbin.features.surface_columns import COUNTED, SHARES, SIGNS, length_weights
from tenbin.features.tally import tally
from tenbin.features.token_events import tokens_of
from tenbin.types import Floats


def count_surface(texts: Sequence[str], wholes: Sequence[str], told: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """`COUNTED` of n queries [n, counted], and the tokens [n] of their whole texts as they are billed.

    `texts` are what is read of them, as `normal_lines` gives it, `wholes` the texts as they came; `told` [n, TOLD] is
    known before; `scale` [n] is how many times longer the whole is than what is read. No row knows of the others.
    """
    kernel = load_kernel()
    if kernel is None:
        return count_surface_uncompiled(texts, wholes, told, scale)
    return kernel.count_surface(texts, wholes, told, scale)


def _count_signs(text: str) -> list[int]:
    """How many signs of each of `SIGNS` a text has."""
    # In one pass for each: no other character has the byte of an ASCII sign in UTF-8.
    raw = text.encode("utf-8", "surrogatepass")
    return [len(raw) - len(raw.translate(None, signs.encode())) for signs in SIGNS.values()]


def count_surface_uncompiled(
    texts: Sequence[str], wholes: Sequence[str], told: Floats, scale: Floats
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
    *of_conversation, asked_otherwise, rest_share = told.T
    signs = np.array([_count_signs(text) for text in texts], dtype=np.float64).reshape(n, len(SIGNS))
    questions, quotes, ends, *characters = signs.T
    questions, quotes, lines, *characters = (
        scale * count for count in (questions + asked_otherwise, quotes, ends + 1.0, *characters)
    )
    how_many = np.array([count for count, _ in options], dtype=np.float64)
    shares = np.array([symbols, digits, *characters, option_digits]).reshape(len(SHARES), n)
    wholes_of_shares = np.array([*[tokens] * (len(SHARES) - 1), option_tokens]).reshape(len(SHARES), n)
    rows = (
        *(tokens, tokens / lines, numbers, digits / np.maximum(numbers, 1.0)),
        *(option_tokens / np.maximum(how_many, 1.0), how_many, *of_conversation, questions, quotes, *marks),
        *(shares / np.maximum(shares + wholes_of_shares, 1e-9)),
        *(rest_share, lines),
    )
    return np.array(rows).reshape(len(COUNTED), n).T, text_tokens


__all__ = ["count_surface", "count_surface_uncompiled"]
