"""Streams that end without their end marker: which of them lack nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tenbin.upstream.frame_stream import AnswerStream
from tenbin.upstream.stream import AnthropicStream, OpenAIStream, ResponsesStream
from tests.upstream.test_stream import COUNTS, DONE, MESSAGES, RESPONSES, chunk, run


def choice(index: Any, delta: dict[str, Any], finish: Any = None) -> bytes:
    return (
        b"data: "
        + json.dumps({"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}).encode()
        + b"\n\n"
    )


WORD = {"content": "word"}


@pytest.mark.parametrize(
    ("pieces", "answers"),
    [
        ([choice(0, WORD), choice(0, {}, "stop")], 1),
        ([choice(0, WORD, "stop")], 1),
        ([choice(None, WORD), choice(None, {}, "stop")], 1),
        ([choice(0, WORD), choice(0, {}, "tool_calls"), chunk(None, usage=COUNTS)], 1),
        ([choice(0, WORD), choice(0, {}, "stop"), choice(0, {})], 1),
        ([choice(0, {}, "stop"), choice(1, WORD), choice(1, {}, "length")], 2),
        ([choice(0, {}, "stop")[:-2]], 1),
        ([choice(0, {}, "stop"), b"\n"], 1),
        ([choice(0, {}, "stop").replace(b"\n", b"\r\n")], 1),
    ],
)
def test_only_the_end_marker_may_be_missing(pieces: list[bytes], answers: int) -> None:
    stream = OpenAIStream(strip_usage=False)
    run(stream, pieces)
    assert not stream.is_done
    assert stream.missing_end(answers) == DONE
    assert stream.is_done
    assert stream.missing_end(answers) == b""


@pytest.mark.parametrize(
    ("pieces", "answers"),
    [
        ([], 1),
        ([choice(0, WORD)], 1),
        ([choice(0, WORD, "")], 1),
        ([choice(0, {}, "stop")], 2),
        ([choice(0, {}, "stop"), choice(1, WORD)], 2),
        ([choice(0, {}, "stop"), choice(0, {}, "stop")], 2),
        ([choice(0, WORD, "stop"), choice(0, WORD)], 1),
        ([choice(0, {}, "stop"), b"data: {"], 1),
        ([choice(0, {}, "stop"), b"d"], 1),
        ([choice(0, {}, "stop"), b'data: {"error":{"message":"busy"}}\n\n'], 1),
        ([choice(0, {}, "stop"), DONE], 1),
    ],
)
def test_what_lacks_more_than_its_end_marker(pieces: list[bytes], answers: int) -> None:
    stream = OpenAIStream(strip_usage=False)
    run(stream, pieces)
    assert stream.missing_end(answers) == b""
    assert stream.is_done == (DONE in pieces)


@pytest.mark.parametrize(
    ("stream", "whole"), [(AnthropicStream(), MESSAGES), (ResponsesStream(), RESPONSES)], ids=["messages", "responses"]
)
def test_other_dialects_end_with_a_part_of_the_answer(stream: AnswerStream, whole: bytes) -> None:
    run(stream, [whole[: whole.rindex(b"event: ")]])
    assert stream.missing_end(1) == b""
    assert not stream.is_done
