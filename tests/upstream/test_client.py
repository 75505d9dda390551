"""The client against a loopback server that does to the bytes whatever a bad upstream does."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import uvloop
from aiohttp.client_reqrep import ConnectionKey

from tenbin.errors import TenbinError
from tenbin.types import Candidate
from tenbin.upstream.client import CallTimeout, UpstreamClient
from tenbin.upstream.destination import Destination
from tenbin.upstream.failure import UpstreamFailure
from tenbin.upstream.reply import MAX_ERROR_BYTES, Reply, failure_from

PATIENT = CallTimeout(connect_s=5, first_byte_s=5, total_s=10)
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
ENDLESS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"

Script = Callable[["Line"], Awaitable[None]]


class Line:
    """One connection as the server sees it: what was asked on it, and how to answer."""

    def __init__(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number = number
        self.reader = reader
        self.writer = writer
        self.heads: list[str] = []
        self.body = b""
        self.left = asyncio.Event()
        """Set once the script is over: most end when the client closes."""

    async def ask(self) -> None:
        """Read one request; IncompleteReadError where the client has gone."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.heads.append(head.decode("latin-1"))
        length = next(line for line in self.heads[-1].lower().split("\r\n") if line.startswith("content-length:"))
        self.body = await self.reader.readexactly(int(length.partition(":")[2]))

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Close with RST."""
        self.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
        )
        self.writer.close()


class Server:
    """The base URL of a scripted server, and its connections in order."""

    def __init__(self, url: str, lines: list[Line]) -> None:
        self.url = url
        self.lines = lines


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[Server]:
    lines: list[Line] = []
    tasks: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        line = Line(len(lines), reader, writer)
        lines.append(line)
        try:
            await script(line)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            line.left.set()
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield Server(f"http://{host}:{port}/v1", lines)
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def to(url: str, **more: Any) -> Destination:
    return Destination(candidate=Candidate("m"), dialect=more.pop("dialect", "openai"), base_url=url, **more)


@asynccontextmanager
async def client(environ: dict[str, str] | None = None) -> AsyncIterator[UpstreamClient]:
    made = UpstreamClient(environ or {})
    await made.open()
    try:
        yield made
    finally:
        await made.close()


async def call(made: UpstreamClient, server: Server, timeout: CallTimeout = PATIENT, body: bytes = b"{}") -> Reply:
    return await made.send(to(server.url), "/chat/completions", body, {}, timeout)


def run(script: Script, test: Callable[[UpstreamClient, Server], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        async with serving(script) as server, client() as made:
            await asyncio.wait_for(test(made, server), 20)

    on_every_loop(whole)


def on_every_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Once on asyncio's own loop, once on uvloop, which the gateway runs on: they close connections differently."""
    for factory in (asyncio.new_event_loop, uvloop.new_event_loop):
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(test())


def replies(*answers: bytes) -> Script:
    """A script that gives one answer per request, then closes."""

    async def script(line: Line) -> None:
        for answer in answers:
            await line.ask()
            await line.say(answer)

    return script


async def failing(awaitable: Awaitable[Any]) -> UpstreamFailure:
    with pytest.raises(UpstreamFailure) as caught:
        await awaitable
    return caught.value


async def drained(reply: Reply) -> bytes:
    return b"".join([chunk async for chunk in reply.chunks()])


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


def test_an_untrusted_certificate() -> None:
    key = ConnectionKey("h", 443, True, True, None, None, None)
    failure = failure_from(aiohttp.ClientConnectorCertificateError(key, ssl.CertificateError("self-signed")), "m")
    assert failure.kind == "connect"
    assert "Certificate" in str(failure)


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


async def silent(line: Line) -> None:
    await line.ask()
    await line.reader.read()


async def starts_and_stops(line: Line) -> None:
    await line.ask()
    await line.say(ENDLESS + b"5\r\nhello\r\n")
    await line.reader.read()


@pytest.mark.parametrize("timeout", [CallTimeout(5, 0.05, None), CallTimeout(5, 5, 0.05), CallTimeout(5, None, 0.05)])
def test_no_head_in_time(timeout: CallTimeout) -> None:
    async def test(made: UpstreamClient, server: Server) -> None:
        assert (await failing(call(made, server, timeout))).kind == "timeout"
        await server.lines[0].left.wait()  # and the upstream sees that nobody waits

    run(silent, test)


def test_no_end_in_time() -> None:
    async def test(made: UpstreamClient, server: Server) -> None:
        reply = await call(made, server, CallTimeout(5, 5, 0.2))
        failure = await failing(drained(reply))
        assert (failure.kind, failure.status) == ("timeout", 200)
        reply = await call(made, server, CallTimeout(5, 5, 0.2))
        assert (await failing(reply.read(100))).kind == "timeout"
        await server.lines[0].left.wait()

    run(starts_and_stops, test)


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
            assert failure.kind == "timeout"

    on_every_loop(test)


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
