"""Answers as they come in: whole, in pieces, cut, too long, too late, of the wrong kind, unwanted."""

from __future__ import annotations

import asyncio
import gzip
import math

import pytest

from tenbin.upstream.client import CallTimeout, UpstreamClient
from tenbin.upstream.reply import MAX_ERROR_BYTES
from tests.upstream.scripted import (
    ENDLESS,
    OK,
    Line,
    Server,
    call,
    drained,
    failing,
    replies,
    run,
    silent,
    starts_and_stops,
)


def test_no_end_in_time() -> None:
    async def test(made: UpstreamClient, server: Server) -> None:
        reply = await call(made, server, CallTimeout(5, 5, 0.2))
        failure = await failing(drained(reply))
        assert (failure.kind, failure.status) == ("timeout", 200)
        reply = await call(made, server, CallTimeout(5, 5, 0.2))
        assert (await failing(reply.read(100))).kind == "timeout"
        await server.lines[0].left.wait()

    run(starts_and_stops, test)


def test_an_end_that_is_set_anew() -> None:
    async def test(made: UpstreamClient, server: Server) -> None:
        reply = await call(made, server, CallTimeout(5, 5, 60))
        reply.until(0.0)
        assert (await failing(drained(reply))).kind == "timeout"
        reply = await call(made, server, CallTimeout(5, 5, 0.2))
        reply.until(0.0)
        reply.until(math.inf)  # never later than the call itself
        assert (await failing(drained(reply))).kind == "timeout"

    run(starts_and_stops, test)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}",
        ENDLESS + b"5\r\nhello\r\n",
        ENDLESS + b"5\r\nhel",
    ],
)
def test_a_body_that_is_cut(answer: bytes) -> None:
    async def test(made: UpstreamClient, server: Server) -> None:
        failure = await failing((await call(made, server)).read(100))
        assert (failure.kind, failure.status) == ("cut", 200)
        assert (await failing(drained(await call(made, server)))).kind == "cut"

    run(replies(answer), test)


@pytest.mark.parametrize(
    "length", [b"content-length: 50\r\n\r\nhello", b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"]
)
def test_a_body_that_is_too_long_closes_the_connection(length: bytes) -> None:
    async def script(line: Line) -> None:
        await line.ask()
        await line.say(b"HTTP/1.1 200 OK\r\n" + length)
        await line.reader.read()

    async def test(made: UpstreamClient, server: Server) -> None:
        failure = await failing((await call(made, server)).read(4))
        assert (failure.kind, failure.status) == ("malformed", 200)
        await server.lines[0].left.wait()

    run(script, test)


def test_a_compressed_body_is_unpacked() -> None:
    packed = gzip.compress(b'{"a": 1}')
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n".encode()

    async def test(made: UpstreamClient, server: Server) -> None:
        assert await (await call(made, server)).read(100) == b'{"a": 1}'
        assert await drained(await call(made, server)) == b'{"a": 1}'

    run(replies(head + packed, head + packed), test)


def test_a_redirect_is_not_followed() -> None:
    async def test(made: UpstreamClient, server: Server) -> None:
        reply = await call(made, server)
        failure = await reply.failure("openai", streamed=False)
        assert failure is not None
        assert (failure.kind, failure.status, failure.moves_on) == ("malformed", 307, True)
        assert sum(len(line.heads) for line in server.lines) == 1

    run(replies(b"HTTP/1.1 307 Go\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n", OK), test)


def test_a_refusal_keeps_status_headers_and_body() -> None:
    body = b'{"error":{"message":"slow down","code":"rate_limit_exceeded"}}'
    head = (
        b"HTTP/1.1 429 Too Many\r\nContent-Type: application/json\r\nRetry-After: 7\r\n"
        b"x-ratelimit-remaining-requests: 0\r\ncontent-length: %d\r\n\r\n" % len(body)
    )

    async def test(made: UpstreamClient, server: Server) -> None:
        failure = await (await call(made, server)).failure("openai", streamed=True)
        assert failure is not None
        assert (failure.kind, failure.status, failure.body, failure.retry_after_s) == ("rate_limited", 429, body, 7)
        assert failure.headers["X-RateLimit-Remaining-Requests"] == "0"
        assert failure.where == "m"

    run(replies(head + body), test)


def test_a_refusal_whose_body_is_cut_or_huge_still_says_what_its_status_says() -> None:
    cut = b"HTTP/1.1 503 No\r\ncontent-length: 10\r\n\r\n<ht"
    huge = b"HTTP/1.1 500 No\r\ncontent-length: 9999999\r\n\r\n" + b"x" * (MAX_ERROR_BYTES + 10)

    async def script(line: Line) -> None:
        await line.ask()
        await line.say(huge if line.number else cut)
        if line.number:
            await line.reader.read()

    async def test(made: UpstreamClient, server: Server) -> None:
        failure = await (await call(made, server)).failure("openai", streamed=False)
        assert failure is not None
        assert (failure.kind, failure.body) == ("overloaded", b"")
        failure = await (await call(made, server)).failure("openai", streamed=False)
        assert failure is not None
        assert (failure.kind, failure.body) == ("server_error", b"x" * MAX_ERROR_BYTES)

    run(script, test)


@pytest.mark.parametrize(
    ("kind", "streamed", "fine"),
    [
        (b"application/json; charset=utf-8", False, True),
        (b"application/problem+json", False, True),
        (b"text/event-stream;charset=UTF-8", True, True),
        (b"text/event-stream\r\nContent-Type: text/event-stream; charset=utf-8", True, True),
        (b"text/html", False, False),
        (b"text/html", True, False),
        (b"application/json", True, False),
        (b"text/event-stream", False, False),
    ],
)
def test_the_content_type_must_be_what_was_asked_for(kind: bytes, streamed: bool, fine: bool) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\ncontent-length: 3\r\n\r\n<p>" % kind

    async def test(made: UpstreamClient, server: Server) -> None:
        reply = await call(made, server)
        failure = await reply.failure("openai", streamed=streamed)
        assert (failure is None) is fine
        if failure is not None:
            assert (failure.kind, failure.status, failure.body) == ("malformed", 200, b"<p>")
        else:
            assert await reply.read(9) == b"<p>"

    run(replies(answer), test)


@pytest.mark.parametrize("way", ["abort", "break", "cancel", "cancel before the head"])
def test_a_client_that_leaves_closes_the_upstream(way: str) -> None:
    script = silent if way.endswith("head") else starts_and_stops

    async def test(made: UpstreamClient, server: Server) -> None:
        async def listen() -> None:
            reply = await call(made, server, CallTimeout(5, None, None))
            async for chunk in reply.chunks():
                assert chunk == b"hello"
                if way == "break":
                    break
                if way == "abort":
                    reply.abort()

        task = asyncio.create_task(listen())
        while not server.lines or not server.lines[0].heads:
            await asyncio.sleep(0)
        if way.startswith("cancel"):
            await asyncio.sleep(0.05)
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.wait_for(server.lines[0].left.wait(), 1)

    run(script, test)
