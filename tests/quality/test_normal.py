"""The normal form of answers, and the two metrics that compare by it or without it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tenbin.quality.contains import Contains
from tenbin.quality.exact import Exact
from tenbin.quality.normal import normal
from tenbin.quality.normalised import Normalised


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Paris", "  **PARIS**. "),
        ("1,234,567", "1234567"),
        ("東京　都", "「東京都」。"),
        ("ｶﾞﾗｽ", "ガラス"),
        ("Ｔｅｎｂｉｎ　２", "tenbin 2"),
        ("it’s", "its"),
        ("well-known", "well known"),
        ("−4", "-4"),
        ("Ⅳ", "iv"),
        ("a\n\tb", "a b"),
        ("x<5", "X < 5."),
        ("x ≤ -5", "x<=-5"),
        ("f(x)≠0", "f(x) != 0"),
        ("x<-.5", "x < -.5"),
        ("> quoted", "quoted"),
        ("a -> b", "a b"),
    ],
)
def test_what_a_person_calls_the_same(left: str, right: str) -> None:
    assert normal(left) == normal(right)
    assert Normalised().score("", left, right) == 1.0
    assert Exact().score("", left, right) == 0.0


@pytest.mark.parametrize(
    ("left", "right"),
    [("3.5", "35"), ("-4", "4"), ("C", "C#"), ("C", "C++"), ("3:45", "345"), ("now here", "nowhere"), ("$5", "5"),
     ("x < 5", "x > 5"), ("x<5", "x ≤ 5"), ("x≤5", "x≥5"), ("x = 5", "x≠5"), ("2 < .5", "2 .5")],
)  # fmt: skip
def test_what_must_stay_apart(left: str, right: str) -> None:
    assert normal(left) != normal(right)
    assert Normalised().score("", left, right) == 0.0


@given(st.text(max_size=60))
@example("1,2345 -.5 a#b")
@example("\u1fb3̀")
def test_normalising_hides_case_width_space_and_marks(text: str) -> None:
    once = normal(text)
    assert once == " ".join(once.split())
    assert normal(f"  {text}。\n") == once
    assert Normalised().score("", text, text) == 1.0


@given(st.text(st.characters(categories=["Ll", "Lu", "Nd"], max_codepoint=0x24F), min_size=1, max_size=20))
def test_full_width_and_upper_case_are_the_same(text: str) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    assert normal(wide) == normal(text)
    assert normal(unicodedata.normalize("NFD", text)) == normal(text)


@pytest.mark.parametrize(
    ("left", "right", "score"), [("∞", " ∞\n", 1.0), ("！", "!", 1.0), ("👍", "👎", 0.0), ("<", ">", 0.0)]
)
def test_signs_alone_are_compared_as_they_are(left: str, right: str, score: float) -> None:
    assert Normalised().score("", left, right) == score
    assert Normalised().score("", "", right) == Normalised().score("", "x", right) == 0.0


def test_without_a_reference_nothing_can_be_told() -> None:
    for metric in (Exact(), Normalised(), Contains()):
        assert metric.score("q", "a", None) is None


@pytest.mark.parametrize(
    ("metric", "answer", "score"),
    [
        (Contains(), "It is 42.", 0.0),
        (Contains(), "It is the number 4, surely", 1.0),
        (Contains(whole_words=False), "It is 42.", 1.0),
        (Contains(["refund", "14 days"]), "A Refund is due within 14  DAYS.", 1.0),
        (Contains(["refund", "14 days"]), "A refund is due.", 0.0),
        (Contains(["refund", "voucher"], any=True), "A voucher is due.", 1.0),
        (Contains(["返金"]), "十四日以内に返金いたします。", 1.0),
        (Contains(forbidden=["guarantee"]), "We GUARANTEE it.", 0.0),
        (Contains(forbidden=["guarantee"]), "We promise nothing.", 1.0),
        (Contains(["refund"], ["guarantee"]), "A refund, we guarantee.", 0.0),
        (Contains(["C++"]), "I like C++!", 1.0),
        (Contains(["C++"]), "I like C++17.", 1.0),
        (Contains(forbidden=["guarantee"], any=True), "We promise nothing.", 1.0),
        (Contains(["4%"]), "It is 14%.", 0.0),
        (Contains(["4%"]), "It is 4%!", 1.0),
        (Contains(["+4"]), "It is +42.", 0.0),
        (Contains(["返金"]), "返金OK", 1.0),
        (Contains([" ! "]), "Yes!", 1.0),
        (Contains(["!"]), "Yes.", 0.0),
        (Contains(["!"]), "Yes!", 1.0),
        (Contains(forbidden=["😀"]), "Sure 😀", 0.0),
        (Contains(forbidden=["—"]), "well-known", 1.0),
        (Contains(forbidden=["—"]), "<think>a — b</think>well-known", 1.0),
        (Contains(forbidden=["—"], whole_words=False), "known — well", 0.0),
        (Contains(["a.b(c)*"]), "x a.b(c)* y", 1.0),
    ],
)
def test_contains(metric: Contains, answer: str, score: float) -> None:
    assert metric.score("", answer, "4") == score


def test_the_name_of_contains_tells_what_is_looked_for_and_how() -> None:
    made = [Contains(), Contains(["a"]), Contains(["b"]), Contains(["a", "b"]), Contains(["a", "b"], any=True)]
    made += [Contains(forbidden=["a"]), Contains(whole_words=False)]
    assert made[0].name == "contains.5"
    assert len({metric.name for metric in made}) == len(made)
