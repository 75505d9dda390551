"""The client's calls up to the head of the answer: what is sent, and every way of not getting one."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tenbin.errors import TenbinError
from tenbin.upstream.client import CallTimeout, UpstreamClient
from tests.upstream.scripted import (
    OK,
    PATIENT,
    Line,
    Server,
    call,
    client,
    failing,
    on_every_loop,
    replies,
    run,
    serving,
    silent,
    to,
)


def test_what_is_sent() -> None:
    async def test(server: Server) -> None:
        async with client({"KEY": " secret\n"}) as made:
            forwarded = {
                "traceparent": "00-1",
                "Authorization": "Bearer theirs",
                "X-Api-Key": "theirs",
                "Content-Length": "999",
                "Transfer-Encoding": "chunked",
                "Host": "evil",
                "Cookie": "a=b",
                "anthropic-version": "2099-01-01",
            }
            for dialect in ("openai", "anthropic"):
                destination = to(server.url, api_key_env="KEY", dialect=dialect)
                reply = await made.send(destination, "/x?y=%2F", b'{"a":1.50}', forwarded, PATIENT)
                assert await reply.read(10) == b"{}"
                assert reply.content_type == "application/json"
                assert reply.headers["Content-Type"] == "application/json"

    async def whole() -> None:
        async with serving(replies(OK, OK)) as server:
            await test(server)
            (line,) = server.lines  # the connection was kept
            openai, anthropic = (sorted(head.lower().strip().split("\r\n")[1:]) for head in line.heads)
            host = server.url.removeprefix("http://").removesuffix("/v1")
            same = [
                "accept-encoding: identity",
                "content-length: 10",
                "content-type: application/json",
                f"host: {host}",
                "traceparent: 00-1",
                "user-agent: tenbin",
            ]
            assert openai == sorted([*same, "anthropic-version: 2099-01-01", "authorization: bearer secret"])
            assert anthropic == sorted([*same, "anthropic-version: 2099-01-01", "x-api-key: secret"])
            assert line.heads[0].startswith("POST /v1/x?y=%2F HTTP/1.1\r\n")
            assert line.body == b'{"a":1.50}'

    on_every_loop(whole)


@pytest.mark.parametrize(
    ("key", "shown"), [("x", "text/event-stream"), ("eve", "text/event-stream"), ("even", "text/[redacted]t-stream")]
)
def test_a_key_too_short_to_guard_anything_changes_no_answer(key: str, shown: str) -> None:
    async def test(server: Server) -> None:
        async with client({"KEY": key}) as made:
            reply = await made.send(to(server.url, api_key_env="KEY"), "/x", b"{}", {}, PATIENT)
            assert reply.content_type == shown

    async def whole() -> None:
        async with serving(replies(OK.replace(b"application/json", b"text/event-stream"))) as server:
            await test(server)

    asyncio.run(whole())


def test_a_long_body_arrives_whole() -> None:
    body = bytes(range(256)) * 12_000

    async def test(made: UpstreamClient, server: Server) -> None:
        assert await (await call(made, server, body=body)).read(10) == b"{}"
        assert server.lines[0].body == body

    run(replies(OK), test)


def test_a_missing_key_is_our_fault_and_names_the_variable() -> None:
    async def test(made: UpstreamClient, server: Server) -> None:
        failure = await failing(made.send(to(server.url, api_key_env="NO_SUCH"), "/x", b"", {}, PATIENT))
        assert (failure.kind, failure.status, failure.moves_on) == ("unauthorised", None, True)
        assert "NO_SUCH" in str(failure)
        assert server.lines == []

    run(replies(), test)


def test_a_client_that_is_not_open_says_so() -> None:
    with pytest.raises(TenbinError, match="not open"):
        asyncio.run(UpstreamClient({}).send(to("http://127.0.0.1:1"), "/x", b"", {}, PATIENT))


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        async def test() -> None:
            async with client() as made:
                failure = await failing(made.send(to(f"http://127.0.0.1:{port}"), "/x", b"", {}, PATIENT))
                assert failure.kind == "connect"
                assert failure.moves_on
                assert failure.counts

        on_every_loop(test)


def test_no_tls_where_tls_is_expected() -> None:
    async def script(line: Line) -> None:
        await line.reader.read(1)
        await line.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def test(made: UpstreamClient, server: Server) -> None:
        https = server.url.replace("http:", "https:")
        failure = await failing(made.send(to(https), "/x", b"", {}, PATIENT))
        assert failure.kind == "connect"

    run(script, test)


@pytest.mark.parametrize("rude", [False, True])
def test_a_connection_that_ends_before_an_answer_is_not_asked_twice(rude: bool) -> None:
    async def script(line: Line) -> None:
        await line.ask()
        if rude:
            line.reset()

    async def test(made: UpstreamClient, server: Server) -> None:
        failure = await failing(call(made, server))
        assert failure.kind == "reset"
        assert len(server.lines) == 1

    run(script, test)


@pytest.mark.parametrize("rude", [False, True])
def test_a_kept_connection_that_had_gone_stale_is_replaced_once_unseen(rude: bool) -> None:
    async def script(line: Line) -> None:
        await line.ask()
        await line.say(OK)
        if line.number < 2:
            await line.ask()  # the second request on it meets the end of its life
            if rude:
                line.reset()
        else:
            await line.ask()
            await line.say(OK)

    async def test(made: UpstreamClient, server: Server) -> None:
        first, second = await asyncio.gather(call(made, server), call(made, server))
        await asyncio.gather(first.read(9), second.read(9))
        assert await (await call(made, server)).read(9) == b"{}"
        # Of two stale connections one was tried, the other closed: the retry went to a new one.
        assert [len(line.heads) for line in server.lines] in ([2, 1, 1], [1, 2, 1])

    run(script, test)


def test_who_must_know_what_he_is_billed_for_is_never_sent_twice() -> None:
    async def script(line: Line) -> None:
        await line.ask()
        await line.say(OK)
        await line.ask()
        line.reset()

    async def test() -> None:
        made = UpstreamClient({}, resends=False)
        await made.open()
        async with serving(script) as server:
            await (await call(made, server)).read(9)
            assert (await failing(call(made, server))).kind == "reset"
            assert [len(line.heads) for line in server.lines] == [2]
            await made.close()

    on_every_loop(test)


def test_a_long_body_is_sent_again_whole_where_the_kept_connection_broke_in_the_middle_of_it() -> None:
    body = bytes(range(256)) * 40_000

    async def script(line: Line) -> None:
        await line.ask()
        await line.say(OK)
        await line.reader.readuntil(b"\r\n\r\n")
        line.reset()

    async def test(made: UpstreamClient, server: Server) -> None:
        await (await call(made, server)).read(9)
        assert await (await call(made, server, body=body)).read(9) == b"{}"
        assert server.lines[1].body == body

    run(script, test)


def test_a_retry_that_fails_as_well_is_the_last() -> None:
    async def script(line: Line) -> None:
        await line.ask()
        if line.number == 0:
            await line.say(OK)
            await line.ask()

    async def test(made: UpstreamClient, server: Server) -> None:
        await (await call(made, server)).read(9)
        assert (await failing(call(made, server))).kind == "reset"
        assert sum(len(line.heads) for line in server.lines) == 3

    run(script, test)


@pytest.mark.parametrize("begun", [b"H", b"HTTP/1.1 200 OK\r\ncontent-type: a"])
def test_a_kept_connection_that_had_begun_to_answer_is_not_asked_again(begun: bytes) -> None:
    async def script(line: Line) -> None:
        await line.ask()
        await line.say(OK)
        await line.ask()
        await line.say(begun)

    async def test(made: UpstreamClient, server: Server) -> None:
        await (await call(made, server)).read(9)
        assert (await failing(call(made, server))).kind in {"reset", "malformed"}
        assert len(server.lines) == 1

    run(script, test)


@pytest.mark.parametrize(
    "answer",
    [
        b"hello\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\na: " + b"x" * 40_000 + b"\r\n\r\n",
    ],
)
def test_an_answer_that_is_no_http_is_malformed(answer: bytes) -> None:
    async def test(made: UpstreamClient, server: Server) -> None:
        assert (await failing(call(made, server))).kind == "malformed"

    run(replies(answer), test)


# Long enough that a busy machine has connected by then: before, it would be a connection that did not come.
@pytest.mark.parametrize("timeout", [CallTimeout(5, 0.3, None), CallTimeout(5, 5, 0.3), CallTimeout(5, None, 0.3)])
def test_no_head_in_time(timeout: CallTimeout) -> None:
    async def test(made: UpstreamClient, server: Server) -> None:
        assert (await failing(call(made, server, timeout))).kind == "timeout"
        await server.lines[0].left.wait()  # and the upstream sees that nobody waits

    run(silent, test)


def test_no_connection_in_time() -> None:
    async def test() -> None:
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            others = []
            for _ in range(4):  # fill the backlog, so that the next one hangs
                other = socket.socket()
                other.setblocking(False)
                other.connect_ex(full.getsockname())
                others.append(other)
            async with client() as made:
                url = f"http://127.0.0.1:{full.getsockname()[1]}"
                failure = await failing(made.send(to(url), "/x", b"", {}, CallTimeout(0.1, 5, 5)))
            for other in others:
                other.close()
            assert failure.kind == "connect"

    on_every_loop(test)
