"""Labelled options of a question, `A. B. C.`, `(1) (2)` or `ア．イ．`: how many in a row, and where they begin.

A label is a letter, katakana or number of at most two digits: in brackets, or after a space or a separator and before a
dot, colon, comma or bracket that no digit follows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from tenbin.features.labels import (
    BEFORE,
    BEHIND,
    CLOSING,
    DIGIT,
    DIGITS,
    LETTER,
    OPENING,
    ORDERS,
    label_ranks,
    role_table,
)


def _ends(text: str) -> list[int]:
    """Where the signs stand that close a label, in a text that begins with three line breaks and ends with one."""
    roles = role_table().take(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4"), mode="clip")
    own, last, second, third, behind = roles[3:-1], roles[2:-2], roles[1:-3], roles[:-4], roles[4:]
    # What stands in front of a label of one sign, or of two digits.
    front = second * (last & (LETTER | DIGIT) > 0)
    front |= third * (last & second & DIGIT > 0)
    is_end = own & CLOSING > 0
    is_end &= front & OPENING > 0
    is_end |= (own & BEHIND > 0) & (front & BEFORE > 0) & (behind & DIGIT == 0)
    ends: list[int] = (is_end.nonzero()[0] + 3).tolist()
    return ends


def _longest(labels: Iterable[tuple[str, int]]) -> tuple[int, int]:
    """How many labels follow one another in the longest row, the first of equals, and where it starts."""
    counts, firsts = [0] * len(ORDERS), [0] * len(ORDERS)
    rows = [(0, 0)] * len(ORDERS)
    ranks = label_ranks()
    for label, start in labels:
        order, rank = ranks.get(label, (0, -1))
        if rank == 0:
            counts[order], firsts[order] = 1, start
        elif rank > 0 and rank == counts[order]:
            counts[order] = count = rank + 1
            if count > rows[order][0]:
                rows[order] = count, firsts[order]
    return max(rows, key=lambda row: row[0])


def find_options(texts: Sequence[str]) -> list[tuple[int, int]]:
    """How many options each text has, and where the first one starts: at its end where there are none.

    Texts are as `normal_lines` gives them.

    >>> find_options(["which is prime? a. 4 b. 7", "none."])
    [(2, 15), (0, 5)]
    """
    joined = "\n\n\n" + "\n".join(texts) + "\n"
    begins = [*itertools.accumulate((len(text) + 1 for text in texts), initial=3)]
    labels: list[list[tuple[str, int]]] = [[] for _ in texts]
    owner, free = 0, 0
    for end in _ends(joined):
        start = end - 2 - (joined[end - 2] in DIGITS)
        if start < free:  # no sign is part of two labels
            continue
        free = end + 1
        while end >= begins[owner + 1]:
            owner += 1
        labels[owner].append((joined[start + 1 : end], max(start - begins[owner], 0)))
    longest = map(_longest, labels)
    return [(count, start if count else len(text)) for text, (count, start) in zip(texts, longest, strict=True)]


__all__ = ["find_options"]
