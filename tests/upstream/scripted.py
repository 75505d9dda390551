"""A loopback server that does to the bytes whatever its script says, and a client that calls it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop

from tenbin.types import Candidate
from tenbin.upstream.client import CallTimeout, UpstreamClient
from tenbin.upstream.destination import Destination
from tenbin.upstream.failure import UpstreamFailure
from tenbin.upstream.reply import Reply

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
async def serving(script: Script, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
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

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    host, port = server.sockets[0].getsockname()
    try:
        yield Server(f"http{'s' if tls else ''}://{host}:{port}/v1", lines)
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


async def silent(line: Line) -> None:
    await line.ask()
    await line.reader.read()


async def starts_and_stops(line: Line) -> None:
    await line.ask()
    await line.say(ENDLESS + b"5\r\nhello\r\n")
    await line.reader.read()
