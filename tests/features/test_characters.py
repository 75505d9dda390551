"""Every character has one kind."""

from __future__ import annotations

import numpy as np
import pytest

from tenbin.features.characters import Kind, blocks, join


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
    assert join([character]).kinds.tolist() == [Kind.EDGE, kind, Kind.EDGE]


def test_joined_texts_know_their_characters() -> None:
    joined = join(["ab", "", "日"])
    assert joined.text == " ab    日 "
    assert joined.codes.tolist() == [ord(c) for c in joined.text]
    assert joined.bounds.tolist() == [0, 4, 6, 9]
    assert joined.owners(np.array([0, 2, 3, 4, 5, 6, 7, 8])).tolist() == [0, 0, 0, 1, 1, 2, 2, 2]
    assert len(join([])) == 0


def test_blocks_are_bounded_and_lose_nothing() -> None:
    texts = ["a" * 3] * 7 + ["b" * 50, "c"]
    ranges = blocks(texts, most_texts=4, most_characters=9)
    assert ranges == [(0, 3), (3, 6), (6, 7), (7, 8), (8, 9)]
    assert blocks(["a"] * 9, most_texts=4) == [(0, 4), (4, 8), (8, 9)]
    assert blocks([]) == []
