"""Tool calls that a server does not number, on their way to a client that needs numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tenbin.testing import Answer
from tenbin.upstream.stream import OpenAIStream
from tests.gateway.clients.package import Package
from tests.gateway.running import HARD, Running, Upstreams

openai = Package("openai")
SIGNED = {"google": {"thought_signature": "c2lnbmVk"}}


def call(name: str | None, arguments: str, **more: Any) -> dict[str, Any]:
    return {**more, "type": "function", "function": {"name": name, "arguments": arguments}}


ONE = call("f", "", id="a")


def streamed(*deltas: Any, finish: str = "stop", usage: Any = None) -> bytes:
    choices = [{"index": 0, "delta": {"tool_calls": list(calls)}, "finish_reason": None} for calls in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    chunks = [
        {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gemini", "choices": [c]} for c in choices
    ]
    lines = [json.dumps({**chunk, "usage": usage}, separators=(",", ":")).encode() for chunk in chunks]
    return b"".join(b"data: %s\n\n" % line for line in lines) + b"data: [DONE]\n\n"


def passed(stream: bytes, *, size: int | None = None) -> list[Any]:
    """The calls of each chunk as the client gets them; the stream comes in pieces of this size."""
    reading = OpenAIStream(strip_usage=True)
    pieces = [stream] if size is None else [stream[i : i + size] for i in range(0, len(stream), size)]
    out = b"".join(reading.feed(piece) for piece in pieces) + reading.finish()
    assert b"usage" not in out
    chunks = [json.loads(line[6:]) for line in out.split(b"\n") if line.startswith(b"data: {")]
    return [chunk["choices"][0]["delta"].get("tool_calls") for chunk in chunks][:-1]


@pytest.mark.parametrize("size", [None, 1, 700])
@pytest.mark.parametrize(
    ("deltas", "numbers"),
    [
        ([[call("f", "{}", id="a"), call("g", "{}", id="b")]], [[0, 1]]),
        ([[call("f", "{}", id="a")], [call("g", "{}", id="b")]], [[0], [1]]),
        ([[ONE], [call(None, "{}")], [call("g", "", id="b"), ONE]], [[0], [0], [1, 0]]),
        ([[call("f", "{}")], [call("g", "{}")]], [[0], [1]]),
        ([[call("f", "{}", index=None, id="")], [call("g", "{}", index=None, id="")]], [[0], [1]]),
        ([[call("f", "{}", index=0, id="a")], [call("g", "{}", index=1, id="b")]], [[0], [1]]),
    ],
)  # fmt: skip
def test_calls_are_numbered_however_they_come(deltas: Any, numbers: list[list[int]], size: int | None) -> None:
    found = passed(streamed(*deltas), size=size)
    assert [[one["index"] for one in calls] for calls in found] == numbers
    stripped = [[{**one, "index": None} for one in calls] for calls in found]
    assert stripped == [[{**one, "index": None} for one in calls] for calls in deltas]


def test_what_needs_no_number_passes_byte_for_byte() -> None:
    numbered = streamed([call("f", '{"index": "x"}', index=0, id="a")], [call(None, '\\"index\\": 1', index=0)])
    odd = b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":"a"}]}}]}\n\n'
    for stream in (numbered, odd, b'data: {"choices":[{"delta":{"tool_calls":[]}}],  "a": 1.50}\n\n'):
        assert OpenAIStream(strip_usage=False).feed(stream) == stream


def test_what_comes_in_one_piece_with_them_stays() -> None:
    others = b'data: {"id":"c","choices":null,"usage":null}\n\ndata: {"id":"c","usage":null}\n\n'
    found = OpenAIStream(strip_usage=True).feed(others + streamed([ONE]))
    assert found.startswith(b'data: {"id":"c","choices":null}\n\ndata: {"id":"c"}\n\ndata: ')
    assert b'"index":0' in found


def test_half_a_pair_of_surrogates_ends_no_stream() -> None:
    """It left the gateway as a bug of its own."""
    said = b'{"choices":[{"index":0,"delta":{"content":"\\ud83d"}}],"usage":null}'
    found = OpenAIStream(strip_usage=True).feed(b"data: " + said + b"\n\n")
    assert found == b"data: " + said.replace(b',"usage":null', b"") + b"\n\n"


@pytest.mark.extra
def test_openais_own_client_reads_what_gemini_streams(tmp_path: Path) -> None:
    body = streamed([call("f", '{"x":1}', id="a", extra_content=SIGNED)], [call("g", '{"y":2}', id="b")])
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups) as gateway:
        ups["good"].script = Answer(body=body, headers={"content-type": "text/event-stream"})
        client = openai.OpenAI(base_url=gateway.base_url, api_key="x", max_retries=0)
        asked: Any = {"model": "tenbin/auto", "messages": [{"role": "user", "content": HARD}]}
        with client.chat.completions.stream(**asked) as stream:
            for _ in stream:
                pass
            calls: Any = stream.get_final_completion().choices[0].message.tool_calls
    assert [(one.id, one.function.name, one.function.arguments) for one in calls] == [
        ("a", "f", '{"x":1}'),
        ("b", "g", '{"y":2}'),
    ]
    assert calls[0].extra_content == SIGNED
