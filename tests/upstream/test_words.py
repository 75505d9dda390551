"""The words of an answer, however it comes in pieces and in whichever dialect."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.testing.fake.answer import Answer
from tenbin.testing.fake.chat import chat_answer, chat_frames
from tenbin.testing.fake.messages import messages_answer, messages_frames
from tenbin.testing.fake.said import say
from tenbin.upstream import words
from tenbin.upstream.failure import UpstreamFailure
from tenbin.upstream.words import Words, words_of

BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "x"}], "n": 2}
TEXT = "天秤 says:\n\n data: [DONE] \x1b[31m and more"
SAID = say(BODY, 1, Answer(text=TEXT), None)
THINKING = {**BODY, "thinking": {"type": "enabled"}}


def heard(stream: bytes, cuts: list[int]) -> Words:
    said = Words()
    at = [0, *sorted(cut % len(stream) for cut in cuts), len(stream)]
    for start, stop in pairwise(at):
        said.feed(stream[start:stop])
    return said


@given(st.lists(st.integers(0, 10_000), max_size=30))
def test_a_stream_says_the_same_however_it_is_cut(cuts: list[int]) -> None:
    assert heard(b"".join(chat_frames(BODY, SAID)), cuts).text == TEXT
    assert heard(b"".join(messages_frames(SAID)), cuts).text == TEXT


def test_whole_answers() -> None:
    assert words_of("openai", chat_answer(BODY, SAID)) == TEXT
    thinking = say(THINKING, 1, Answer(), None)
    assert thinking.thinking
    assert words_of("anthropic", messages_answer(thinking)) == thinking.text
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert words_of("openai", json.dumps({"choices": [{"message": {"content": parts}}]}).encode()) == "ab"
    declined = {"choices": [{"message": {"content": None, "refusal": "No."}}]}
    assert words_of("openai", json.dumps(declined).encode()) == "No."


def test_a_refusal_is_heard() -> None:
    said = Words()
    said.feed(b'data: {"choices": [{"delta": {"refusal": "I can"}}]}\n\n')
    said.feed(b'data: {"choices": [{"delta": {"refusal": "not."}}]}\n\ndata: [DONE]\n\n')
    assert (said.text, said.is_refusal) == ("I cannot.", True)


@pytest.mark.parametrize("body", [b"[]", b'{"choices": []}', b'{"choices": 1}', b"\xff", b""])
def test_what_is_no_answer_is_malformed(body: bytes) -> None:
    with pytest.raises(UpstreamFailure) as caught:
        words_of("openai", body)
    assert caught.value.kind == "malformed"


def test_endless_words_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "MAX_ANSWER_BYTES", 50)
    with pytest.raises(UpstreamFailure, match="longer than"):
        heard(b"".join(chat_frames(BODY, say(BODY, 1, Answer.huge(51), None))), [])


def test_half_an_emoji_loses_no_answer() -> None:
    # Servers in JavaScript cut texts between the halves of a pair; each piece is billed, and asked again for nothing.
    said = Words()
    said.feed(b'data: {"choices": [{"delta": {"content": "fine \\ud83d"}}]}\n\n')
    said.feed(b'data: {"choices": [{"delta": {"content": "\\ude00 so"}}]}\n\n')
    assert said.text == "fine \ufffd\ufffd so"
