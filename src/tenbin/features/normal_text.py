"""Text with its typographic noise removed, so that how a prompt was typed decides nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

_PLAIN: Mapping[str, str] = MappingProxyType(
    {
        "'": "‘’‚‛´`′ʼ",
        '"': "“”„‟«»″「」『』",
        "-": "–—‒―−‐‑﹣",
        "~": "〜∼",
        "...": "…‥",
        "": "\u00ad\u200b\u200c\u200d\u2060\ufeff\ufe0e\ufe0f",
    }
)
_TRANSLATION: Mapping[str, str] = MappingProxyType(
    {odd: plain for plain, odds in _PLAIN.items() for odd in odds}
    | {chr(0x2460 + i): f"({i + 1})" for i in range(20)}  # circled numbers, which label options in Japanese
)
_ODD = re.compile(f"[{''.join(_TRANSLATION)}]")
"""Looked for by a pattern: `str.translate` would ask a dictionary for every character."""
_ASCII_BLANKS = "\t\x1f"
_BLANKS = (
    f"{_ASCII_BLANKS}\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
"""White space that is neither a space nor the end of a line."""
_ASCII_ENDS = "\n\r\v\f\x1c\x1d\x1e"
_ENDS = f"{_ASCII_ENDS}\x85\u2028\u2029"
"""What `str.splitlines` splits at."""


def _translated(text: str) -> str:
    return _ODD.sub(lambda odd: _TRANSLATION[odd[0]], text)


def _plain(text: str) -> str:
    if text.isascii():
        return text.replace("`", "'")
    text = _translated(text)
    normal = unicodedata.normalize("NFKC", text)
    return text if normal == text else _translated(normal)


def _single_spaced(plain: str, blanks: str) -> str:
    """The text with a space for every run of spaces and of these signs."""
    # Taking a text apart into words and joining them takes ten times as long.
    for blank in blanks:
        if blank in plain:
            plain = plain.replace(blank, " ")
    while "  " in plain:
        plain = plain.replace("  ", " ")
    return plain


def normal_lines(text: str) -> str:
    """Lower-cased NFKC text with plain quotes and dashes, single spaces, and no empty lines; other lines are kept.

    >>> normal_lines("  Ｗｈａｔ’s\\u3000this? \\r\\n\\r\\n A.  Ｘ ")
    "what's this?\\na. x"
    """
    plain = _plain(text).casefold()
    lines = _single_spaced(plain, _ASCII_BLANKS if plain.isascii() else _BLANKS).splitlines()
    return "\n".join([line for line in [line.strip(" ") for line in lines] if line])


def normal_text(text: str) -> str:
    """`normal_lines` on one line: case, width, quotes, dashes and white space are no longer visible.

    >>> normal_text("“Ｔｅｎｂｉｎ” —\\n weighs") == normal_text('"tenbin" - weighs')
    True
    """
    plain = _plain(text).casefold()
    return _single_spaced(plain, _ASCII_BLANKS + _ASCII_ENDS if plain.isascii() else _BLANKS + _ENDS).strip(" ")


__all__ = ["normal_lines", "normal_text"]
