"""How a prompt was typed decides nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.features.normal_text import fold_table, normal_lines, normal_text, plain_text


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("It’s  a “test”", 'it\'s a "test"'),
        ("Ｆｕｌｌ　ｗｉｄｔｈ１２", "full width12"),
        ("a\r\n\tb\u00a0c", "a b c"),
        ("ﾊﾝｶｸ", "ハンカク"),
        ("5–7 — 9", "5-7 - 9"),
        ("zero\u200bwidth", "zerowidth"),
        ("STRASSE Straße", "strasse strasse"),
        ("①東京", "(1)東京"),
        ("cafe\u0301", "café"),
        ("`x`", "'x'"),
    ],
)
def test_variants_become_one_text(typed: str, plain: str) -> None:
    assert normal_text(typed) == plain


def test_what_is_said_stays() -> None:
    assert normal_text("not safe") != normal_text("safe")
    assert normal_text("か") != normal_text("が")


def test_lines_stay_lines_and_empty_ones_go() -> None:
    assert normal_lines(plain_text("One\r\n\r\n  Two \n")) == "one\ntwo"


def test_what_the_kernel_makes_of_ascii_is_what_is_made_without_it() -> None:
    assert [chr(sign) for sign in fold_table()] == [normal_lines(f"a{chr(code)}b")[1:-1] for code in range(128)]


SPACES = [chr(code) for code in range(0x3001) if chr(code).isspace()]


@given(st.text(st.sampled_from(["a", "b", "\x00", "é", *SPACES]), max_size=12))
def test_all_white_space_is_a_space_or_the_end_of_a_line(text: str) -> None:
    assert normal_text(text) == " ".join(text.split())
    lines = [" ".join(line.split()) for line in text.splitlines() if line.split()]
    assert normal_lines(plain_text(text)) == "\n".join(lines)


@given(st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0x2FFF), max_size=60))
def test_white_space_and_case_are_invisible(text: str) -> None:
    assert normal_text(f"\u3000 {text}\n") == normal_text(text)
    assert "\n" not in normal_text(text)
    assert normal_text(text.replace(" ", "  ")) == normal_text(text)
