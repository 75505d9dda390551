"""Tokens are estimated in any script; the counts beside the texts are those of the o200k_base vocabulary."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.features.token_count import count_events, count_tokens
from tenbin.features.token_events import event_weights, tokens_of

COUNTED: tuple[tuple[str, str, int], ...] = tuple(
    (row["kind"], row["text"], row["tokens"])
    for row in json.loads(Path(__file__).with_name("counted_tokens.json").read_text(encoding="utf-8"))
)


@pytest.mark.parametrize("language", ["en", "ja", "code"])
def test_the_median_error_is_small(language: str) -> None:
    texts = [text for kind, text, _ in COUNTED if kind == language]
    tokens = np.array([count for kind, _, count in COUNTED if kind == language])
    assert np.median(np.abs(count_tokens(texts) / tokens - 1)) <= 0.1


@pytest.mark.parametrize(("text", "tokens"), [(text, count) for kind, text, count in COUNTED if kind == "other"])
def test_other_scripts_are_in_the_right_region(text: str, tokens: int) -> None:
    assert 0.6 <= count_tokens([text])[0] / tokens <= 1.6


def test_an_empty_text_has_no_tokens() -> None:
    assert count_tokens(["", "a"])[0] == 0.0
    assert count_tokens([]).shape == (0,)


def test_one_text_instead_of_a_list_is_refused() -> None:
    with pytest.raises(TypeError, match="list of texts"):
        count_tokens("not a list")


def test_a_long_text_is_counted_whole() -> None:
    assert count_tokens(["word " * 100_000])[0] == pytest.approx(1000 * count_tokens(["word " * 100])[0], rel=1e-6)


@given(st.lists(st.text(max_size=40), max_size=6), st.text(max_size=40))
def test_a_count_never_depends_on_the_other_texts(others: list[str], text: str) -> None:
    alone = count_tokens([text])[0]
    assert alone >= 0
    assert count_tokens([*others, text, *others])[len(others)] == alone


def test_the_length_of_what_is_said_can_be_asked_for() -> None:
    english, japanese = "The train leaves at nine.", "電車は九時に出発します。"
    half = tokens_of(count_events([english, japanese]), event_weights(0.5))
    whole = count_tokens([english, japanese])
    assert half[0] == whole[0]
    assert half[1] < 0.7 * whole[1]
