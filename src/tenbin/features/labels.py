"""The labels that options have, `a.`, `12)` or `ア．`: in which order they come, and what each sign is to one."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

LAST_NUMBER = 30
ORDERS = (
    tuple("abcdefghijklmnopqrstuvwxyz"),
    tuple(str(i) for i in range(1, LAST_NUMBER + 1)),
    tuple("アイウエオカキクケコ"),
)
LETTER, DIGIT, OPENING, CLOSING, BEFORE, BEHIND = (1 << bit for bit in range(6))
_SIGNS: Mapping[int, str] = MappingProxyType(
    {
        LETTER: "abcdefghijklmnopqrstuvwxyzアイウエオカキクケコ",
        DIGIT: "0123456789",
        OPENING: "([",
        CLOSING: ")]",
        BEFORE: " \n,、。:;?",
        BEHIND: ").:、",
    }
)
DIGITS = frozenset(_SIGNS[DIGIT])


@functools.cache
def role_table() -> NDArray[np.uint8]:
    """What a character can be to a label, as the sum of the keys of `_SIGNS`."""
    roles = np.zeros(1 << 16, np.uint8)
    for role, signs in _SIGNS.items():
        for sign in signs:
            roles[ord(sign)] |= role
    return roles


@functools.cache
def label_ranks() -> Mapping[str, tuple[int, int]]:
    """The order of each label, and which one of it it is, from 0."""
    return {label: (order, rank) for order, labels in enumerate(ORDERS) for rank, label in enumerate(labels)}


@functools.cache
def label_table() -> NDArray[np.uint8]:
    """1 + rank + 32 x order of every label of one sign, 0 for what is none, [65536]."""
    table = np.zeros(1 << 16, np.uint8)
    for label, (order, rank) in label_ranks().items():
        if len(label) == 1:
            table[ord(label)] = 1 + rank + 32 * order
    return table


__all__ = [
    "BEFORE",
    "BEHIND",
    "CLOSING",
    "DIGIT",
    "DIGITS",
    "LAST_NUMBER",
    "LETTER",
    "OPENING",
    "ORDERS",
    "label_ranks",
    "label_table",
    "role_table",
]
