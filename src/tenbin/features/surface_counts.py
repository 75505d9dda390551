"""Surface features counted in texts, as logarithms and shares: by the compiled kernel where there is one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tenbin.features.characters import Kind
from tenbin.features.kernel import load_kernel
from tenbin.features.normal_text import normal_lines
from tenbin.features.options import find_options
from tenbin.features.surface_columns import COUNTED, LOGGED, SHARES, SIGNS, length_weights, surface_order
from tenbin.features.tally import tally
from tenbin.features.token_events import tokens_of
from tenbin.types import Float32s, Floats


def count_surface(plain: Sequence[str], wholes: Sequence[str], told: Floats) -> tuple[Float32s, Floats]:
    """The surface features of n queries, float32 [n, SURFACE_NAMES], and the tokens [n] of their whole texts as they
    are billed.

    `plain` are what is read of them, as `plain_text` gives it, `wholes` the texts as they came; `told` [n, TOLD] is
    known before. No row knows of the others.
    """
    kernel = load_kernel()
    if kernel is None:
        return count_surface_uncompiled(plain, wholes, told)
    return kernel.count_surface(plain, wholes, told)


def _count_signs(text: str) -> list[int]:
    """How many signs of each of `SIGNS` a text has."""
    # In one pass for each: no other character has the byte of an ASCII sign in UTF-8.
    raw = text.encode("utf-8", "surrogatepass")
    return [len(raw) - len(raw.translate(None, signs.encode())) for signs in SIGNS.values()]


def count_surface_uncompiled(plain: Sequence[str], wholes: Sequence[str], told: Floats) -> tuple[Float32s, Floats]:
    """The same without the kernel, to the bit."""
    counted, text_tokens = _counted([*map(normal_lines, plain)], wholes, told)
    # As the library takes them: NumPy's logarithms differ from it, and among processors, in the last bit.
    for column, name in enumerate(COUNTED):
        log = math.log1p if name in LOGGED else math.log if name == "log_lines" else None
        if log is not None:
            counted[:, column] = [*map(log, counted[:, column].tolist())]
    return counted.take(surface_order(), axis=1).astype(np.float32), text_tokens


def _counted(texts: Sequence[str], wholes: Sequence[str], told: Floats) -> tuple[Floats, Floats]:
    """What is counted [n, COUNTED], before logarithms are taken, and the tokens."""
    n, options = len(texts), find_options(texts)
    endings = [text[start:] for text, (_, start) in zip(texts, options, strict=True)]
    counted = tally([*texts, *endings, *wholes], n)
    events = counted.events.reshape(3, n, counted.events.shape[1])
    *of_conversation, asked_otherwise, rest_share, scale = told.T
    tokens, option_tokens, text_tokens = tokens_of(events, length_weights()[:, None])
    tokens, option_tokens, numbers, marks = (
        scale * count for count in (tokens, option_tokens, counted.numbers[:n], counted.marks.T)
    )
    kinds = counted.kinds.T
    symbols, digits, option_digits = (
        scale * count for count in (kinds[Kind.SYMBOL, :n], kinds[Kind.DIGIT, :n], kinds[Kind.DIGIT, n : 2 * n])
    )
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
