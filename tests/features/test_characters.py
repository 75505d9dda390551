"""Every character has one kind."""

from __future__ import annotations

import numpy as np
import pytest

from tenbin.features.characters import Kind, codes_of, kinds_of


@pytest.mark.parametrize(
    ("character", "kind"),
    [
        *[(" ", Kind.SPACE), ("\t", Kind.SPACE), ("\u3000", Kind.SPACE), ("\n", Kind.NEWLINE)],
        *[("a", Kind.LOWER), ("É", Kind.UPPER), ("7", Kind.DIGIT), ("٣", Kind.DIGIT), ("\u0301", Kind.MARK)],
        *[("ж", Kind.LETTER), ("ب", Kind.LETTER), ("한", Kind.HANGUL), ("ก", Kind.UNSPACED)],
        *[("天", Kind.IDEOGRAPH), ("\U00020000", Kind.IDEOGRAPH), ("の", Kind.HIRAGANA), ("ー", Kind.KATAKANA)],
        *[("{", Kind.PUNCTUATION), ("。", Kind.WIDE_PUNCTUATION), ("→", Kind.SYMBOL), ("😀", Kind.SYMBOL)],
        *[("\ud800", Kind.SYMBOL), ("\x00", Kind.SYMBOL)],
    ],
)
def test_kind(character: str, kind: Kind) -> None:
    assert kinds_of(codes_of([character])[0]).tolist() == [kind]


def test_codes_know_their_text() -> None:
    codes, owners = codes_of(["ab", "", "日"])
    assert codes.tolist() == [97, 98, ord("日")]
    assert owners.tolist() == [0, 0, 2]
    assert codes_of([])[0].dtype == np.uint32
