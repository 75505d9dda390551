"""What counts as a mark, beside `str.count` itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tenbin.features.characters import join
from tenbin.features.marks import MARKS, count_marks

WORDS = sorted({word for listed in MARKS.values() for word in listed.split("|")})
PIECES = st.one_of(st.sampled_from(WORDS), st.sampled_from([" ", " not not ", "=", "'", "x", "日", "😀"]))
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@given(st.lists(TEXTS, min_size=1, max_size=5), st.integers(1, 5))
def test_each_word_counts_as_str_count_does_between_two_spaces(texts: list[str], n: int) -> None:
    n = min(n, len(texts))
    expected = [
        [sum(f" {text} ".count(word) for word in words.split("|")) for words in MARKS.values()] for text in texts
    ]
    assert count_marks(join(texts), n).tolist() == expected[:n]
