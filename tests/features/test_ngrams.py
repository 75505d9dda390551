"""Words, pairs and character n-grams of any script, the same alone and in a batch."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tenbin.features.ngrams import SLOTS, WORD_SLOTS, ngrams_of


def slots_of(text: str) -> list[int]:
    return sorted(ngrams_of([text]).slots.tolist())


def words_of(text: str) -> set[int]:
    return {slot for slot in slots_of(text) if slot < WORD_SLOTS}


def test_a_text_of_two_words_has_its_words_its_pair_and_its_characters() -> None:
    found = ngrams_of(["ab cd"])
    words = found.slots[found.slots < WORD_SLOTS]
    # " ab cd " has 5 + 4 + 3 character n-grams
    assert (len(words), len(found.slots) - len(words)) == (3, 12)
    assert found.slots.max() < SLOTS


def test_word_order_is_in_the_pairs() -> None:
    assert len(words_of("dog bites man") & words_of("man bites dog")) == 3
    assert words_of("dog bites man") != words_of("man bites dog")


def test_letters_of_unspaced_scripts_are_words_each() -> None:
    assert len(words_of("東京都")) == 5
    assert words_of("東京") < words_of("東京都")


def test_numbers_keep_their_shape_alone() -> None:
    assert slots_of("pay 123 yen") == slots_of("pay 987 yen")
    assert slots_of("pay 123 yen") != slots_of("pay 1234 yen")


def test_signs_are_words_and_case_is_not_seen() -> None:
    assert words_of("x = 1") != words_of("x 1")
    assert slots_of("“Yes”") == slots_of('"yes"')


def test_labels_numbers_and_signs_are_not_language() -> None:
    assert not ngrams_of(["A. 100\nB. 2 + 3 = 5"]).language.any()
    for text in ("two words", "日本語", "Русский текст"):
        assert ngrams_of([text]).language.any()


def test_a_long_word_and_nothing_at_all_are_fine() -> None:
    assert len(words_of("a" * 100_000)) == 1
    assert len(words_of("")) == 0
    assert len(ngrams_of([]).slots) == 0


@given(st.lists(st.text(max_size=30), max_size=4), st.text(max_size=30))
def test_a_text_keeps_its_ngrams_in_company(others: list[str], text: str) -> None:
    found = ngrams_of([*others, text, *others])
    assert sorted(found.slots[found.owners == len(others)].tolist()) == slots_of(text)
    assert np.array_equal(found.owners >= 0, np.ones(len(found.slots), np.bool_))
