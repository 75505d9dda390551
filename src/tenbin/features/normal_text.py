"""Text with its typographic noise removed, so that how a prompt was typed decides nothing."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

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
_BLANKS = "\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
"""White space that is neither a space nor the end of a line."""
_ASCII_ENDS = "\n\r\v\f\x1c\x1d\x1e"
_ENDS = "\x85\u2028\u2029"
"""What `str.splitlines` splits at."""


def _translated(text: str) -> str:
    return _ODD.sub(lambda odd: _TRANSLATION[odd[0]], text)


def _with(text: str, sign: str, of: str) -> str:
    """The text with this sign for each of those."""
    for other in of:
        if other in text:
            text = text.replace(other, sign)
    return text


def plain_text(text: str) -> str:
    """Lower-cased NFKC text with plain quotes, dashes and white space, but for what is ASCII: that is left to be done.

    One that is ASCII is given back; the compiled kernel does the rest by itself (normal.c).
    """
    if text.isascii():
        return text
    text = _translated(text)
    normal = unicodedata.normalize("NFKC", text)
    plain = (text if normal == text else _translated(normal)).casefold()
    return _with(_with(plain, " ", _BLANKS), "\n", _ENDS + _ASCII_ENDS)


@functools.cache
def fold_table() -> NDArray[np.uint8]:
    """What each ASCII character becomes, [128]: white space that ends a line "\\n", other a space."""
    table = np.array([ord(chr(code).lower()) for code in range(128)], np.uint8)
    for signs, sign in (("`", "'"), (_ASCII_BLANKS, " "), (_ASCII_ENDS, "\n")):
        table[[ord(each) for each in signs]] = ord(sign)
    table.flags.writeable = False
    return table


def _single_spaced(text: str) -> str:
    """The text with a space for every run of blanks."""
    text = _with(text, " ", _ASCII_BLANKS)
    # Taking a text apart into words and joining them takes ten times as long.
    while "  " in text:
        text = text.replace("  ", " ")
    return text


def _small(plain: str) -> str:
    return plain.replace("`", "'").lower() if plain.isascii() else plain


def normal_lines(plain: str) -> str:
    """The text of which this is the `plain_text`, plain in its ASCII, too, with single spaces and no empty lines.

    >>> normal_lines(plain_text("  Ｗｈａｔ’s\\u3000this? \\r\\n\\r\\n A.  Ｘ "))
    "what's this?\\na. x"
    """
    lines = _single_spaced(_small(plain)).splitlines()
    return "\n".join([line for line in [line.strip(" ") for line in lines] if line])


def normal_text(text: str) -> str:
    """`normal_lines` on one line: case, width, quotes, dashes and white space are no longer visible.

    >>> normal_text("“Ｔｅｎｂｉｎ” —\\n weighs") == normal_text('"tenbin" - weighs')
    True
    """
    return _single_spaced(_with(_small(plain_text(text)), " ", _ASCII_ENDS)).strip(" ")


__all__ = ["fold_table", "normal_lines", "normal_text", "plain_text"]
