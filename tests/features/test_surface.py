"""Surface features are smooth, see what they are named after, and never name the script."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.features.routing_text import read_conversation
from tenbin.features.surface import MOST_READ, SURFACE_NAMES, surface_and_tokens
from tenbin.features.token_count import count_tokens


def surface_of(prompt: str) -> dict[str, float]:
    return dict(zip(SURFACE_NAMES, surface_and_tokens([read_conversation(prompt)])[0][0].tolist(), strict=True))


CHOICES = "Which one is right?\nA. {}\nB. {}\nC. {}\nD. {}"


@pytest.mark.parametrize(
    ("name", "more", "less"),
    [
        ("log_tokens", "word " * 50, "word " * 20),
        ("log_lines", "a\nb\nc", "a b c"),
        ("digits_share", "add 12345 and 67890", "add this and that one"),
        ("log_numbers", "1 2 3 4", "1 2"),
        ("log_digits_per_number", "123456", "12 34 56"),
        ("operators_share", "(3+4)*5-6/2", "three plus four"),
        ("brackets_share", "f(x)[0]", "f of x"),
        ("symbols_share", "→ ← ↑", "a b c"),
        ("log_questions", "何ですか？本当？", "何です。"),
        ("log_questions", "首都はどこですか。", "首都は静かです。"),
        ("log_questions", "どれが正しいか\n(A) はい", "どれも正しい\n(A) はい"),
        ("log_questions", "ما هي العاصمة؟", "العاصمة."),
        ("log_quotes", 'say "yes" or “no”', "say yes or no"),
        ("log_code_marks", "def f(x):\n    return x == 1", "a function of one thing"),
        ("log_formula_marks", "\\frac{1}{2} \\sqrt{2}", "one half"),
        ("log_json_marks", '{"a": 1, "b": 2}', "a is 1"),
        ("log_constraints", "Answer in at most 5 words; you must not guess", "Answer as you like"),
        ("log_constraints", "必ず100字以内で答えること", "答えること"),
        ("log_negations", "Which is not true?", "Which is true?"),
        ("log_negations", "正しくないもの", "正しいもの"),
        ("log_reasoning_words", "理由を段階的に説明", "答え"),
        ("log_brevity_words", "簡潔に一言で", "詳しく"),
        ("log_writing_words", "Write an essay", "Read this"),
        ("log_source_words", "この文章を要約して", "こんにちは"),
        ("log_supposition_words", "Suppose that x = 1, then", "x is one"),
        ("log_option_tokens", CHOICES.format(*["a rather long answer of many words"] * 4), CHOICES.format(*"wxyz")),
        ("option_digits_share", CHOICES.format(10, 200, 3000, 40000), CHOICES.format("ten", "two", "six", "one")),
    ],
)
def test_a_feature_sees_what_it_is_named_after(name: str, more: str, less: str) -> None:
    assert surface_of(more)[name] > surface_of(less)[name]


def test_a_polite_request_in_japanese_is_no_constraint() -> None:
    assert surface_of("説明してください")["log_constraints"] == surface_of("説明する")["log_constraints"] == 0.0


@pytest.mark.parametrize(
    "prompt",
    [
        "Pick one.\nA. red\nB. blue\nC. green\nD. white",
        "Pick one.\n(A) red\n(B) blue\n(C) green\n(D) white",
        "Pick one: (a) red (b) blue (c) green (d) white",
        "Choices: (A) red, (B) blue, (C) green, (D) white",
        "選んでください。\nア．赤\nイ．青\nウ．緑\nエ．白",
        "選んでください。①赤②青③緑④白",
        "選んでください。\n1. 赤\n2. 青\n3. 緑\n4. 白",
        "Options:\n(1) red\n(2) blue\n(3) green\n(4) white",
    ],
)
def test_options_are_counted(prompt: str) -> None:
    assert surface_of(prompt)["log_options"] == pytest.approx(np.log1p(4))


@pytest.mark.parametrize(
    "prompt", ["What is a dog?", "i.e. this", "A. Smith wrote it.", "version 1.2", "1.5, 2.5, 3.5"]
)
def test_what_only_looks_like_labels_is_no_option(prompt: str) -> None:
    assert surface_of(prompt)["log_options"] == 0.0


def test_typographic_noise_changes_nothing() -> None:
    plain = "Say \"no\" to 12 offers:\nA. it's bad\nB. it's good"
    noisy = "  Say “NO” to １２ offers： \r\n\r\nA．  it’s bad\r\n B. it‘s  good\u200b "
    assert surface_of(noisy) == surface_of(plain)


def test_one_more_letter_changes_little() -> None:
    text = "Explain in at most three sentences why 12 + 30 is 42? " * 4
    before = np.array(list(surface_of(text).values()))
    after = np.array(list(surface_of(text + "x").values()))
    assert np.abs(after - before).max() < 0.05


def test_english_and_japanese_twins_look_alike() -> None:
    twins = (
        "A shop sells 3 apples for 120 yen. How many yen are 15 apples?\nA. 500\nB. 600\nC. 700\nD. 800",
        "ある店ではりんご3個を120円で売っています。15個ではいくらですか？\nA. 500\nB. 600\nC. 700\nD. 800",
    )
    one, two = (np.array(list(surface_of(text).values())) for text in twins)
    assert np.abs(one - two).max() < 0.7


def test_turns_tools_and_media_are_counted() -> None:
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": [{"type": "text", "text": "And this?"}, {"type": "image_url", "image_url": {}}]},
    ]
    seen = dict(zip(SURFACE_NAMES, surface_and_tokens([read_conversation(messages)])[0][0].tolist(), strict=True))
    assert seen["log_user_turns"] == pytest.approx(np.log(3))
    assert seen["log_media_parts"] == pytest.approx(np.log(2))
    assert seen["log_system_characters"] == pytest.approx(np.log(9))
    assert 0 < seen["rest_share"] < 1


def test_there_may_be_no_query() -> None:
    assert surface_and_tokens([])[0].shape == (0, len(SURFACE_NAMES))
    assert np.isfinite(surface_and_tokens([read_conversation("")])[0]).all()


@given(st.lists(st.text(max_size=50), max_size=5), st.text(max_size=50))
def test_a_row_is_finite_and_never_depends_on_the_others(others: list[str], text: str) -> None:
    alone = surface_and_tokens([read_conversation(text)])[0][0]
    everything, _ = surface_and_tokens([read_conversation(prompt) for prompt in [*others, text, *others]])
    together = everything[len(others)]
    assert np.isfinite(alone).all()
    assert alone.dtype == np.float32
    assert np.array_equal(alone, together)


def test_a_huge_text_is_read_in_windows_all_over_it() -> None:
    page = "Is it so? It must be 12. def f(x): return x == 1\n"
    whole, windows = surface_of(page * 1_900), surface_of(page * 19_000)
    assert len(page) * 1_900 <= MOST_READ < len(page) * 19_000
    for name in ("log_tokens", "log_lines", "log_questions", "log_numbers", "log_code_marks", "log_constraints"):
        assert windows[name] - whole[name] == pytest.approx(np.log(10), abs=0.1)
    for name in ("digits_share", "operators_share", "log_tokens_per_line"):
        assert windows[name] == pytest.approx(whole[name], abs=0.1)


def test_tokens_that_come_with_the_surface_are_those_of_the_whole_text() -> None:
    texts = ["short", "", "A. one B. two", "word 12 " * 30_000, "日本語です。"]
    _, tokens = surface_and_tokens([read_conversation(text) for text in texts])
    assert tokens.tolist() == count_tokens(texts).tolist()
