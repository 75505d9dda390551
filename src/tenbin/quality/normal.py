"""Two texts that a person calls the same answer have the same normal form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from tenbin.quality.plain import plain

_COMMA_IN_NUMBER = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_COMPARED = re.compile(r"(?<=[\w)]) *(<=|>=|!=|[<>≤≥≠]) *(?=[\w(]|[-.]+\d)")
_TYPED: Mapping[str, str] = MappingProxyType({"≤": "<=", "≥": ">=", "≠": "!="})
_KEPT = re.compile(
    r"(?<= )(?:[<>]=?|!=)(?= )|(?<=\d)[.:/-](?=\d)|(?<!\w)-(?=\.?\d)|(?<!\d)\.(?=\d)|(?<=[^\W\d_])[#+]+|[%&@/+$€£¥]"
)
"""Marks that carry meaning: comparisons, within and before numbers, as in `C#` and `C++`, units and currencies."""
_WIDE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_SPACE_BY_WIDE = re.compile(f"(?<=[{_WIDE}]) | (?=[{_WIDE}])")
_MARKS = re.compile(r"[^\w\s]|_")


def normal(text: str) -> str:
    """Lower-cased NFKC without punctuation, markup, thousands separators and needless space; numbers keep theirs.

    Spaces beside Chinese and Japanese characters say nothing and are left out.

    >>> normal("  The **Answer**: 1,200.50! "), normal("『東京　都』。") == normal("東京都")
    ('the answer 1200.50', True)
    """
    text = _COMMA_IN_NUMBER.sub("", plain(text).casefold())
    text = _COMPARED.sub(lambda found: f" {_TYPED.get(found[1], found[1])} ", text)
    kept = {at for found in _KEPT.finditer(text) for at in range(found.start(), found.end())}
    bare = _MARKS.sub(lambda mark: mark[0] if mark.start() in kept else _instead(mark[0]), text)
    return _SPACE_BY_WIDE.sub("", " ".join(bare.split()))


def _instead(mark: str) -> str:
    """Nothing for an apostrophe (`it's` is `its`), else a space, so that words stay apart."""
    return "" if mark == "'" else " "
