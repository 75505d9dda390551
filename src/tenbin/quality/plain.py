"""Text without the accidents of typing: one width, one kind of minus, one kind of space."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from tenbin.quality.thoughts import without_thoughts

MAX_CHARACTERS = 200_000
"""What is read of an answer or a reference, from its end: that is where results stand."""
_TRANSLATION: Mapping[int, str] = MappingProxyType(
    {
        **{ord(odd): "-" for odd in "−‐‑‒–—﹣－"},
        **{ord(odd): "'" for odd in "‘’‛′"},
        **{ord(odd): '"' for odd in "“”‟″"},
        **{ord(odd): "" for odd in "\u00ad\u200b\u200c\u200d\u2060\ufeff"},
        ord("⁄"): "/",
        ord("∕"): "/",
    }
)
_SPACED_DIGITS = re.compile("(?<=\\d)[\u00a0\u2009\u202f_'’](?=\\d{3}(?!\\d))")
_FRACTION_AFTER_DIGIT = re.compile(r"(?<=\d)(?=[¼-¾⅐-⅞])")
_RAISED_AFTER_DIGIT = re.compile(r"(?<=\d)[⁺⁻]?[⁰¹²³⁴-⁹]{1,3}")
_LATEX = (
    (re.compile(r"(?<=\d)(?:\{,\}|\\,)(?=\d{3})"), ","),
    (re.compile(r"\\(?:text|mathrm|textbf|mathbf)\{([^{}]{0,200})\}"), r"\1"),
    (re.compile(r"\\([%$#&])"), r"\1"),
)


def plain(text: str) -> str:
    """NFKC, plain minus signs and quotes, no thin spaces in numbers, fractions and powers apart; case and lines stay.

    What was thought aloud in front of an answer is left out.

    >>> plain("１，２００ − 1½"), plain("10⁻⁶")
    ('1,200 - 1 1/2', '10^{-6}')
    """
    text = _FRACTION_AFTER_DIGIT.sub(" ", _SPACED_DIGITS.sub("", without_thoughts(text)[-MAX_CHARACTERS:]))
    # NFKC would make 106 of ten to the sixth.
    text = _RAISED_AFTER_DIGIT.sub(lambda raised: f"^{{{raised[0]}}}", text)
    text = unicodedata.normalize("NFKC", text.translate(_TRANSLATION)).translate(_TRANSLATION)
    for pattern, instead in _LATEX:
        text = pattern.sub(instead, text)
    return text
