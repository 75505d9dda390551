"""An upstream that sends too much, without end or compressed: bounded memory and an honest error."""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest

from tenbin.testing import Answer
from tests.gateway.hostile.guarded import CHAT, MESSAGES, Guarded, refused, said
from tests.gateway.running import HARD, PATIENCE_S, eventually, frames

MB = 1 << 20
MOST_MB = 400
"""Of the whole test process: the fake upstream's own copies are in it, and the answer may be held up to 64 MB."""
PAGE = os.sysconf("SC_PAGE_SIZE")


def rss_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * PAGE / MB


@contextmanager
def memory_watched() -> Iterator[None]:
    """The memory of this process must not grow far, not even for a moment."""
    before, peak, stop = rss_mb(), [0.0], threading.Event()

    def look() -> None:
        while not stop.wait(0.005):
            peak.append(rss_mb())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_S)
    assert max(peak) - before < MOST_MB


@cache
def bomb(size_mb: int, kind: int) -> bytes:
    """A compressed answer of nothing but blanks that is a thousand times its own size.

    Packed once and repeated, hence without a checksum: whoever misses it has unpacked everything.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, kind)
    first, further = (packer.compress(b" " * MB) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + further * (size_mb - 1)


def packed(payload: bytes, coding: bytes, content_type: bytes, status: bytes = b"200 OK") -> Answer:
    head = b"HTTP/1.1 %s\r\ncontent-type: %s\r\ncontent-encoding: %s\r\ncontent-length: %d\r\n\r\n"
    return Answer(raw=head % (status, content_type, coding, len(payload)) + payload)


@pytest.mark.parametrize(("coding", "kind"), [(b"gzip", 31), (b"deflate", 15)])
@pytest.mark.parametrize(
    ("is_stream", "status"), [(False, b"200 OK"), (True, b"200 OK"), (False, b"500 Oops"), (False, b"400 No")]
)
def test_a_decompression_bomb(site: Guarded, coding: bytes, kind: int, is_stream: bool, status: bytes) -> None:
    content_type = b"text/event-stream" if is_stream else b"application/json"
    site.ups["good"].script = packed(bomb(300, kind), coding, content_type, status)
    with memory_watched():
        reply = site.post(CHAT, said(model="good", stream=is_stream))
    assert reply.status == (int(status[:3]) if status[:1] != b"2" else 502)
    assert refused(CHAT, reply)["code"].startswith("upstream_")
    assert len(reply.body) < 1000


def test_an_answer_that_is_too_long(site: Guarded) -> None:
    site.ups["good"].script = Answer.huge(100 * MB)
    with memory_watched():
        reply = site.post(CHAT, said(model="good"))
    assert (reply.status, refused(CHAT, reply)["code"]) == (502, "upstream_malformed")


def test_the_next_one_answers_instead(site: Guarded) -> None:
    junk = Answer(chunks=(b"x" * MB,) * 100, headers={"content-type": "application/json"})
    site.ups["good"].script = junk
    reply = site.post(CHAT, said("prove rigorously the difficult theorem about number 7"))
    assert reply.status == 200
    assert reply.headers["x-tenbin-model"] != "good"
    assert "good" in reply.headers.get("x-tenbin-fallbacks", "good")


@pytest.mark.parametrize(
    ("path", "model"), [(CHAT, "good"), (CHAT, "claude"), (MESSAGES, "claude"), (MESSAGES, "good")]
)
def test_a_frame_without_end(site: Guarded, path: str, model: str) -> None:
    site.ups[model].script = Answer(chunks=(b"data: {", *((b"x" * MB,) * 100)))
    with memory_watched():
        reply = site.post(path, said(model=model, stream=True))
    assert reply.status == 502
    refused(path, reply)


def test_a_frame_without_end_in_mid_stream(site: Guarded) -> None:
    first = b'data: {"id":"a","choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'
    site.ups["good"].script = Answer(chunks=(first, b"data: {", *((b"x" * MB,) * 100)), chunk_gap_s=0.002)
    with memory_watched():
        reply = site.post(CHAT, said(model="good", stream=True))
    assert reply.status == 200
    assert "error" in frames(reply.body)[-1]
    assert len(reply.body) < 10_000


def test_frames_of_nothing(site: Guarded) -> None:
    empty = b'data: {"id":"a","choices":[]}\n\n' * 20_000
    site.ups["good"].script = Answer(chunks=(empty,) * 2)
    with memory_watched():
        reply = site.post(CHAT, said(model="good", stream=True))
    assert reply.status in (200, 502)
    assert "[DONE]" not in frames(reply.body)[-1:] if reply.status == 200 else True


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 10 * MB,
        b"HTTP/1.1 200 OK\r\n" + b"x: a\r\n" * 500_000,
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        b"HTTP/1.1 999 Odd\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
        b"SSH-2.0-OpenSSH\r\n",
        b"\x00" * 1000,
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: a\x00b\r\ncontent-length: 2\r\n\r\n{}",
    ],
    ids=range(12),
)
def test_what_is_hardly_http(site: Guarded, raw: bytes) -> None:
    site.ups["good"].script = Answer(raw=raw, ending="close")
    with memory_watched():
        reply = site.post(CHAT, said(model="good"))
    assert 500 <= reply.status < 600
    assert "callback" not in refused(CHAT, reply)["message"]


JSON = {"content-type": "application/json"}
STREAM = {"content-type": "text/event-stream"}
ROLE = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
NO_ANSWERS = {
    "good": [b"{}", b'{"choices":[]}', b'{"id":"a","object":"chat.completion","choices":null}'],
    "claude": [b"{}", b'{"type":"message","content":null}'],
}
NO_STREAMS = {
    "good": [b"data: [DONE]\n\n", ROLE + b"data: [DONE]\n\n", b'data: {"choices":[]}\n\ndata: [DONE]\n\n'],
    "claude": [b'data: {"type":"message_stop"}\n\n'],
}
EMPTY = [(model, body, False) for model, bodies in NO_ANSWERS.items() for body in bodies]
EMPTY += [(model, body, True) for model, bodies in NO_STREAMS.items() for body in bodies]


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize(("model", "body", "is_stream"), EMPTY)
def test_what_holds_no_answer_is_none(site: Guarded, path: str, model: str, body: bytes, is_stream: bool) -> None:
    site.ups[model].script = Answer(body=body, headers=STREAM if is_stream else JSON)
    reply = site.post(path, said(model=model, stream=is_stream))
    assert reply.status == 502
    refused(path, reply)
    call = site.gateway.calls()[-1]
    assert (call.status, call.failure, call.billed_usd) == ("failed", "malformed", 0.0)


CHOICE = b'{"index":0,"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}'
ODD_ANSWERS = [
    b'{"id":7,"status":200,"choices":[%s]}' % (CHOICE % b"hello"),
    b'{"choices":[%s]}' % (CHOICE % rb"half \ud83d"),
    b'{"choices":[%s],"logprobs":[-Infinity, NaN]}' % (CHOICE % b"hello"),
    b'{"choices":[%s]}' % (CHOICE % b"hello").replace(b'"stop"', b"0"),
    b'{"choices":[%s]}' % (CHOICE % b"hello").replace(b'"stop"', b"{}"),
]


@pytest.mark.parametrize("body", ODD_ANSWERS, ids=range(len(ODD_ANSWERS)))
def test_an_odd_answer_that_clients_read_is_not_lost(site: Guarded, body: bytes) -> None:
    site.ups["good"].script = Answer(body=body, headers=JSON)
    reply = site.post(CHAT, said(model="good"))
    assert (reply.status, reply.body) == (200, body)
    reply = site.post(MESSAGES, said(model="good"))
    assert reply.status == 200
    assert reply.json["content"][0]["text"] in ("hello", "half \ufffd")


def test_an_answer_that_cannot_be_translated_was_billed_all_the_same(site: Guarded) -> None:
    call = b'{"id":"a","type":"function","function":{"name":"f","arguments":["no","object"]}}'
    message = b'{"role":"assistant","tool_calls":[%s]}' % call
    usage = b'{"prompt_tokens":1000,"completion_tokens":100}'
    body = b'{"choices":[{"index":0,"message":%s,"finish_reason":"tool_calls"}],"usage":%s}' % (message, usage)
    site.ups["good"].script = Answer(body=body, headers=JSON)
    assert site.post(CHAT, said(model="good")).body == body
    reply = site.post(MESSAGES, said(model="good"))
    assert reply.status == 502
    refused(MESSAGES, reply)
    as_it_is, translated = site.gateway.calls()[-2:]
    assert (translated.status, translated.failure) == ("failed", "malformed")
    assert translated.billed_usd == as_it_is.billed_usd > 0.0


def test_half_a_sign_does_not_end_a_stream(site: Guarded) -> None:
    chunk = b'data: {"id":7,"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n'
    body = (chunk % rb"\ud83d") + (chunk % rb"\ude00") + b"data: [DONE]\n\n"
    site.ups["good"].script = Answer(body=body, headers=STREAM)
    assert site.post(CHAT, said(model="good", stream=True)).body == body
    events = frames(site.post(MESSAGES, said(model="good", stream=True)).body)
    assert events[-1] == {"type": "message_stop"}
    texts = [event["delta"]["text"] for event in events if event["type"] == "content_block_delta"]
    assert "".join(texts) == "\ufffd\ufffd"


SPOKEN = b'data: {"id":7,"model":7,"choices":[{"index":0,"delta":{"content":"hello"}}],"usage":[]}\n\n'
UNREADABLE = b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":"b"}]}}]}\n\n'
THE_END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":5}\n\ndata: [DONE] \n\n'


def test_what_only_tells_of_a_stream_does_not_end_it_in_the_other_dialect(site: Guarded) -> None:
    site.ups["good"].script = Answer(body=SPOKEN + THE_END, headers=STREAM)
    events = frames(site.post(MESSAGES, said(model="good", stream=True)).body)
    assert events[-1] == {"type": "message_stop"}
    assert events[0]["message"]["model"] == ""
    assert events[-2]["usage"]["output_tokens"] == 0


def test_a_stream_that_cannot_be_translated_is_no_success(site: Guarded) -> None:
    site.ups["good"].script = Answer(chunks=(SPOKEN, UNREADABLE, THE_END), chunk_gap_s=0.02, headers=STREAM)
    reply = site.post(MESSAGES, said(model="good", stream=True))
    assert frames(reply.body)[-1]["error"]["message"] == "the upstream sent a malformed chunk"
    eventually(lambda: site.gateway.calls()[-1].status == "failed", "the call to be settled")
    assert site.gateway.calls()[-1].failure == "malformed"
    site.ups["good"].script = Answer(body=UNREADABLE + SPOKEN + THE_END, headers=STREAM)
    before = len(site.gateway.calls())
    reply = site.post(MESSAGES, said(HARD, stream=True, tenbin={"allow": ["good", "cheap"]}))
    assert frames(reply.body)[-1] == {"type": "message_stop"}
    eventually(lambda: len(site.gateway.calls()) > before, "the calls to be written")
    assert reply.headers["x-tenbin-model"] == "cheap"
