"""What an upstream may do to a connection: how answers end, what follows them, how long they may grow, who waits."""

from __future__ import annotations

import asyncio
import gzip
import resource
import socket
import zlib
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from tenbin.upstream.client import CallTimeout, UpstreamClient
from tenbin.upstream.connection import MAX_HEAD_BYTES, READ_BUFFER_BYTES
from tests.upstream.scripted import ENDLESS, OK, Line, Server, call, drained, failing, replies, run, to

OK_HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("answer", "is_kept"),
    [
        (OK, True),
        (OK_HEAD + b"transfer-encoding: chunked\r\n\r\n1;x=y\r\n{\r\n1\r\n}\r\n0\r\nx-trailer: 1\r\n\r\n", True),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: a\r\n\r\n" + OK, True),
        (OK_HEAD + b"connection: close\r\ncontent-length: 2\r\n\r\n{}", False),
        (OK.replace(b"\r\n", b"\n"), True),
        (OK_HEAD + b"transfer-encoding: chunked\r\n\r\n2  \r\n{}\r\n0\r\n\r\n", True),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}", False),
        (OK_HEAD + b"\r\n{}", False),
        (OK + b"HTTP/1.1 500 smuggled\r\ncontent-length: 0\r\n\r\n", False),
        (OK + b"HT", False),
        (OK + b"\0 what is this", False),
    ],
)
def test_an_answer_is_whole_and_its_connection_kept_only_where_nothing_else_may_come(
    answer: bytes, is_kept: bool
) -> None:
    async def script(line: Line) -> None:
        for _ in range(2):
            await line.ask()
            await line.say(answer)
            if answer.endswith(b"\r\n\r\n{}") and not is_kept:
                break

    async def test(made: UpstreamClient, server: Server) -> None:
        for read in ("whole", "pieces"):
            reply = await call(made, server)
            assert reply.status == 200
            assert (await reply.read(9) if read == "whole" else await drained(reply)) == b"{}"
        assert len(server.lines) == (1 if is_kept else 2)

    run(script, test)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
        OK_HEAD + b"transfer-encoding: gzip\r\n\r\n{}",
        OK_HEAD + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n{}",
        OK_HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        OK_HEAD + b"content-length: -2\r\n\r\n{}",
        b"HTTP/1.1 099 What\r\n\r\n{}",
        OK_HEAD + b"x: a\x00b\r\ncontent-length: 2\r\n\r\n{}",
        OK_HEAD + b"no colon\r\n\r\n{}",
        OK_HEAD + b"x: y\r\n" * (MAX_HEAD_BYTES // 5) + b"\r\n{}",
        b"HTTP/1.1 102 Wait\r\n\r\n" * (MAX_HEAD_BYTES // 10),
    ],
)
def test_heads_that_are_refused(answer: bytes) -> None:
    async def test(made: UpstreamClient, server: Server) -> None:
        assert (await failing(call(made, server))).kind == "malformed"
        await server.lines[0].left.wait()

    run(replies(answer), test)


@pytest.mark.parametrize("body", [b"zz\r\n{}", b"2\r\n{}}}\r\n", b"0\r\n" + b"x: y\r\n" * MAX_HEAD_BYTES])
def test_bodies_that_are_no_http_are_malformed(body: bytes) -> None:
    async def test(made: UpstreamClient, server: Server) -> None:
        failure = await failing((await call(made, server)).read(100))
        assert (failure.kind, failure.status) == ("malformed", 200)

    run(replies(ENDLESS + body), test)


def test_what_had_come_before_a_cut_is_handed_out() -> None:
    async def script(line: Line) -> None:
        await line.ask()
        await line.say(ENDLESS + b"5\r\nhello\r\n")
        line.reset()

    async def test(made: UpstreamClient, server: Server) -> None:
        reply = await call(made, server)
        await server.lines[0].left.wait()
        await asyncio.sleep(0.05)
        chunks = reply.chunks()
        assert await anext(chunks) == b"hello"
        assert (await failing(anext(chunks))).kind == "cut"

    run(script, test)


def test_a_connection_that_is_spoken_to_while_idle_is_not_used_again() -> None:
    async def script(line: Line) -> None:
        await line.ask()
        await line.say(OK)
        if line.number == 0:
            await asyncio.sleep(0.05)
            await line.say(b"HTTP/1.1 500 smuggled\r\ncontent-length: 0\r\n\r\n")
        await line.ask()
        await line.say(OK)

    async def test(made: UpstreamClient, server: Server) -> None:
        await (await call(made, server)).read(9)
        await asyncio.wait_for(server.lines[0].left.wait(), 5)
        assert (await call(made, server)).status == 200
        assert len(server.lines) == 2

    run(script, test)


def test_a_slow_reader_holds_the_upstream_back() -> None:
    piece = b"x" * 65536
    count = 400

    async def script(line: Line) -> None:
        await line.ask()
        await line.say(OK_HEAD + b"content-length: %d\r\n\r\n" % (len(piece) * count))
        for _ in range(count):
            await line.say(piece)
            line.body += b"."

    async def test(made: UpstreamClient, server: Server) -> None:
        reply = await call(made, server)
        before = -1
        while before != len(server.lines[0].body):  # until nothing moves
            before = len(server.lines[0].body)
            await asyncio.sleep(0.1)
        assert before < count
        connection = reply._connection
        assert connection is not None
        assert sum(map(len, connection.pieces)) <= 2 * READ_BUFFER_BYTES
        assert len(await drained(reply)) == len(piece) * count

    run(script, test)


def test_a_refusal_before_the_end_of_a_long_body_is_read() -> None:
    async def script(line: Line) -> None:
        await line.reader.readuntil(b"\r\n\r\n")
        await line.say(b"HTTP/1.1 413 No\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
        await line.reader.read()

    async def test(made: UpstreamClient, server: Server) -> None:
        reply = await call(made, server, body=b"x" * (64 << 20))
        failure = await reply.failure("openai", streamed=False)
        assert failure is not None
        assert (failure.status, failure.body) == (413, b"{}")
        await asyncio.wait_for(server.lines[0].left.wait(), 5)  # closed: its other half was never sent

    run(script, test)


# Packed when they are answered: every worker collects, and 50 MB take it a third of a second.
@pytest.mark.parametrize(
    ("coding", "pack", "unpacked"),
    [
        (b"gzip", lambda: gzip.compress(b"a" * 10) + gzip.compress(b"b"), b"a" * 10 + b"b"),
        (b"X-GZIP", lambda: gzip.compress(b"a" * 3_000_000), b"a" * 3_000_000),
        (b"deflate", lambda: zlib.compress(b"ab"), b"ab"),
        (b"deflate", lambda: zlib.compress(b"ab", wbits=-15), b"ab"),
        (b"identity", lambda: b"ab", b"ab"),
        (b"gzip", lambda: gzip.compress(b"ab")[:-4], None),
        (b"gzip", lambda: b"plain", None),
        (b"br", lambda: b"ab", None),
        (b"gzip", lambda: gzip.compress(b"a" * 50_000_000), None),
    ],
)
def test_compressed_bodies(coding: bytes, pack: Callable[[], bytes], unpacked: bytes | None) -> None:
    packed = pack()
    answer = OK_HEAD + b"content-encoding: %s\r\ncontent-length: %d\r\n\r\n%s" % (coding, len(packed), packed)

    async def test(made: UpstreamClient, server: Server) -> None:
        reading = (await call(made, server)).read(4_000_000)
        if unpacked is not None:
            assert await reading == unpacked
        else:
            assert (await failing(reading)).kind == "malformed"

    run(replies(answer), test)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-a", "a\r\nx-b: c"),
        ("x-a", "a\nb"),
        ("x-a", "\0"),
        ("x a", "b"),
        ("x-a:", "b"),
        ("x\r\nb", "c"),
        ("x-a", "†"),
    ],
)
def test_headers_that_cannot_be_sent_are_refused(name: str, value: str) -> None:
    async def test(made: UpstreamClient, server: Server) -> None:
        failure = await failing(made.send(to(server.url), "/x", b"", {name: value}, CallTimeout()))
        assert (failure.kind, failure.moves_on) == ("refused", False)
        assert server.lines == []

    run(replies(), test)


def test_an_answer_that_nobody_reads_frees_its_connection() -> None:
    async def test(made: UpstreamClient, server: Server) -> None:
        reply = await call(made, server, CallTimeout())
        del reply
        await asyncio.wait_for(server.lines[0].left.wait(), 5)

    async def script(line: Line) -> None:
        await line.ask()
        await line.say(ENDLESS)
        await line.reader.read()

    run(script, test)


def test_no_room_for_a_connection_here_does_not_speak_against_the_upstream() -> None:
    async def test(made: UpstreamClient, server: Server) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            failure = await failing(call(made, server))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert (failure.kind, failure.counts, failure.moves_on) == ("connect", False, True)
        assert "Too many open files" in failure.what
        await (await call(made, server)).read(9)

    run(replies(OK), test)


def test_a_key_that_changes_counts_from_the_next_call_on() -> None:
    environ = {"KEY": "one"}

    async def test(server: Server) -> None:
        made = UpstreamClient(environ)
        await made.open()
        for key in ("one", "two"):
            environ["KEY"] = key
            await (await made.send(to(server.url, api_key_env="KEY"), "/x", b"", {}, CallTimeout())).read(9)
        await made.close()
        assert [("Bearer one" in head, "Bearer two" in head) for head in server.lines[0].heads] == [
            (True, False),
            (False, True),
        ]

    async def through(_: UpstreamClient, server: Server) -> None:
        await test(server)
        environ["KEY"] = "one"
        server.lines.clear()

    run(replies(OK, OK), through)


def test_closing_ends_calls_that_run_and_leaves_no_connection() -> None:
    async def test(made: UpstreamClient, server: Server) -> None:
        running = asyncio.ensure_future(failing(call(made, server, CallTimeout())))
        while not server.lines or not server.lines[0].heads:
            await asyncio.sleep(0.001)
        await made.close()
        assert (await running).kind == "reset"
        await asyncio.wait_for(server.lines[0].left.wait(), 5)

    async def script(line: Line) -> None:
        await line.ask()
        await line.reader.read()

    run(script, test)


def test_all_addresses_of_a_host_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    async def test(made: UpstreamClient, server: Server) -> None:
        loop = asyncio.get_running_loop()
        asked = []

        async def getaddrinfo(host: str, port: int, **_: object) -> list[object]:
            asked.append(host)
            return [*real("127.0.0.2", port, type=socket.SOCK_STREAM), *real("127.0.0.1", port)]

        addresses = made._addresses
        assert addresses is not None

        other = SimpleNamespace(time=loop.time, create_task=loop.create_task, getaddrinfo=getaddrinfo)
        monkeypatch.setattr(addresses, "_loop", other)
        url = server.url.replace("127.0.0.1", "models.test")
        replied = await asyncio.gather(*(made.send(to(url), "/x", b"{}", {}, CallTimeout()) for _ in range(3)))
        assert [await reply.read(9) for reply in replied] == [b"{}"] * 3
        assert asked == ["models.test"]  # once for all
        for line in server.lines:
            assert "host: models.test:" in line.heads[0]

    run(replies(OK), test)


def test_small_requests_go_out_at_once() -> None:
    async def test(made: UpstreamClient, server: Server) -> None:
        reply = await call(made, server)
        connection = reply._connection
        assert connection is not None
        sock = connection._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    run(replies(OK), test)


def test_a_whole_answer_in_one_packet_is_read_without_another_turn_of_the_loop() -> None:
    async def test(made: UpstreamClient, server: Server) -> None:
        reading = (await call(made, server)).read(9)
        with pytest.raises(StopIteration) as ended:
            reading.send(None)
        assert ended.value.value == b"{}"

    run(replies(OK), test)


def test_the_deadline_of_a_call_is_its_own_on_a_kept_connection() -> None:
    async def script(line: Line) -> None:
        await line.ask()
        await line.say(OK)
        await line.ask()
        await asyncio.sleep(0.3)
        await line.say(OK)
        await line.ask()
        await line.reader.read()

    async def test(made: UpstreamClient, server: Server) -> None:
        await (await call(made, server, CallTimeout(None, None, 0.15))).read(9)
        assert await (await call(made, server, CallTimeout(None, None, 5.0))).read(9) == b"{}"
        assert (await failing(call(made, server, CallTimeout(None, 0.1, 5.0)))).kind == "timeout"
        assert len(server.lines) == 1

    run(script, test)


def test_an_idle_connection_is_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenbin.upstream.origin.KEEPALIVE_S", 0.05)

    async def test(made: UpstreamClient, server: Server) -> None:
        await (await call(made, server)).read(9)
        await asyncio.wait_for(server.lines[0].left.wait(), 5)
        assert await (await call(made, server)).read(9) == b"{}"
        assert [len(line.heads) for line in server.lines] == [1, 1]

    run(replies(OK, OK), test)
