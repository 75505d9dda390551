"""Words, pairs and character n-grams of any script, at the slots that artifacts know."""

from __future__ import annotations

import functools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tenbin.features.characters import Kind, kinds_of
from tenbin.features.ngrams import NOWHERE, SLOTS, WORD_SLOTS, ngrams_of
from tenbin.features.normal_text import normal_text


def mix(code: int) -> int:
    mixed = (code + 0x1234567) * 0xBF58476D1CE4E5B9 % 2**64
    return (mixed ^ mixed >> 29) * 0x94D049BB133111EB % 2**64


def polynomial(mixed: list[int]) -> int:
    return functools.reduce(lambda so_far, own: (so_far * 0x9E3779B97F4A7C15 + own) % 2**64, mixed)


def slot(hashed: int, order: int) -> int:
    hashed = (hashed + order) % 2**64
    return (hashed ^ hashed >> 31) * 0xD6E8FEB86659FD93 % 2**64 >> 45


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
    found = ngrams_of([""])
    assert len(found.slots) == len(found.language) == 0


@given(st.text(max_size=40))
def test_hashes_are_those_of_their_definition(text: str) -> None:
    """Word and character hashes by plain arithmetic: an old artifact must find its n-grams at the same slots."""
    padded = f" {normal_text(text)} "
    codes = np.frombuffer(padded.encode("utf-32-le", "surrogatepass"), "<u4")
    mixed = [
        mix(ord("0") if kind == Kind.DIGIT else int(code)) for code, kind in zip(codes, kinds_of(codes), strict=True)
    ]
    expected = []
    for order in (3, 4, 5):
        for start in range(len(mixed) - order + 1):
            expected.append(WORD_SLOTS + slot(polynomial(mixed[start : start + order]), order))
    found = ngrams_of([text]).slots
    assert found[len(found) - len(expected) :].tolist() == expected
    assert (found[: len(found) - len(expected)] < WORD_SLOTS).all()


@given(st.lists(st.text("abcé日1", min_size=1, max_size=9), max_size=5))
def test_a_word_hashes_alike_wherever_it_stands(words: list[str]) -> None:
    alone = set().union(*(words_of(word) for word in words)) if words else set()
    assert alone <= words_of(" ".join(words))


@given(st.lists(st.text("ab é日1.\n", max_size=6), min_size=1, max_size=6))
def test_texts_beside_it_change_nothing_of_a_text(texts: list[str]) -> None:
    together = ngrams_of(texts)
    assert len(together) == len(texts)
    for i, text in enumerate(texts):
        alone = ngrams_of([text])
        own = np.concatenate([np.arange(part[i], part[i + 1]) for part in together.bounds])
        is_own = together.slots[own] != NOWHERE
        assert together.slots[own][is_own].tolist() == alone.slots.tolist()
        assert together.language[own][is_own].tolist() == alone.language.tolist()
        assert not together.language[own][~is_own].any()
    everywhere = np.ones(len(together.slots), np.bool_)
    assert together.count(everywhere).sum() == len(together.slots)
