from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from tenbin.gateway import connection
from tenbin.gateway import port as port_module
from tenbin.gateway.address import bind
from tenbin.gateway.port import Port
from tests.gateway.serving import PATIENCE_S

Talk = Callable[..., bytes]
HEAD = b"POST /body HTTP/1.1\r\nhost: x\r\n"
KEEPS_S = 0.3


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the size of the body, for `/pieces` with a stream, for `/open` with one that stays open."""
    if scope["path"] == "/pieces":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (b"one, ", b"two"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    if scope["path"] == "/open":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        await receive()
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    body = str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def port() -> Iterator[int]:
    listener = bind("127.0.0.1", 0, flag="--port")
    number = listener.getsockname()[1]
    ready, parts = threading.Event(), []

    async def serve() -> None:
        served = Port(app)
        parts.append((asyncio.get_running_loop(), served))
        task = asyncio.create_task(served.serve(sockets=[listener]))
        await served.is_open.wait()
        ready.set()
        await task

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(PATIENCE_S)
    yield number
    loop, served = parts[0]
    loop.call_soon_threadsafe(setattr, served, "should_exit", True)
    thread.join(PATIENCE_S)


@pytest.fixture
def keeps_s(monkeypatch: pytest.MonkeyPatch) -> float:
    """How long an idle connection is kept; to be asked for before `port`."""
    monkeypatch.setattr(port_module, "KEEP_ALIVE_S", KEEPS_S)
    return KEEPS_S


@pytest.fixture
def talk(port: int) -> Talk:
    """Send pieces on one connection and read until the other side closes it."""

    def send(*pieces: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
            with suppress(ConnectionError):  # refused before all of it was sent
                for piece in pieces:
                    client.sendall(piece)
            return read_all(client)

    return send


def read_all(client: socket.socket) -> bytes:
    parts = []
    with suppress(ConnectionResetError):  # we were still sending when the refusal had been written
        while part := client.recv(65536):
            parts.append(part)
    return b"".join(parts)


def read_until(client: socket.socket, mark: bytes) -> None:
    seen = b""
    while mark not in seen:
        piece = client.recv(65536)
        assert piece, f"closed after {seen!r}"
        seen += piece


def refusal(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    error = json.loads(body)["error"]
    assert error["message"]
    assert set(error) == {"message", "type", "param", "code"}
    assert f"content-length: {len(body)}".encode() in head
    return int(head.split()[1]), error["code"]


def test_a_request_in_one_piece_and_in_many(talk: Talk) -> None:
    request = HEAD + b"connection: close\r\ncontent-length: 5\r\n\r\nhello"
    assert talk(request).endswith(b"\r\n\r\n5")
    assert talk(*(request[i : i + 1] for i in range(len(request)))).endswith(b"\r\n\r\n5")


def test_requests_on_one_connection_are_counted_each_for_itself(talk: Talk) -> None:
    head = HEAD + b"x-long: " + b"a" * 40_000 + b"\r\ncontent-length: 3\r\n"
    answer = talk(head + b"\r\nabc", head + b"\r\nabc", head + b"connection: close\r\n\r\nabc")
    assert answer.count(b"HTTP/1.1 200 OK") == 3


@pytest.mark.parametrize("keeps", [b"", b"connection: keep-alive\r\n"])
def test_who_speaks_http_1_0_gets_no_chunks(talk: Talk, keeps: bytes) -> None:
    head, _, body = talk(b"GET /pieces HTTP/1.0\r\n" + keeps + b"\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert b"transfer-encoding" not in head
    assert b"connection: close" in head
    assert body == b"one, two"
    whole = talk(b"POST /body HTTP/1.0\r\ncontent-length: 5\r\n\r\nhello")
    assert b"content-length: 1\r\n" in whole
    assert whole.endswith(b"\r\n\r\n5")
    chunked = talk(b"GET /pieces HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert chunked.endswith(b"\r\n\r\n5\r\none, \r\n3\r\ntwo\r\n0\r\n\r\n")


def test_no_header_of_ours_is_added(talk: Talk) -> None:
    head = talk(HEAD + b"connection: close\r\n\r\n").partition(b"\r\n\r\n")[0].lower()
    assert b"server:" not in head
    assert b"date:" not in head


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"x-long: " + b"a" * 400_000,  # unfinished: more than the bound and the largest piece that is read
        HEAD + b"x-long: " + b"a" * 70_000 + b"\r\n\r\n",
        HEAD + b"".join(b"x-%d: %s\r\n" % (n, b"a" * 4000) for n in range(100)),
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    ],
)
def test_a_head_has_its_bounds(talk: Talk, head: bytes) -> None:
    answer = talk(head)
    assert answer == b"" or refusal(answer) == (431, "headers_too_large")  # nothing where a reset overtook it


@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_a_head_in_small_pieces_has_the_same_bounds(talk: Talk, end: bytes) -> None:
    pieces = [HEAD, *(b"x-%d: %s\r\n" % (n, b"a" * 4000) for n in range(100)), end]
    answer = talk(*pieces)
    assert answer == b"" or refusal(answer) == (431, "headers_too_large")


def test_a_head_just_too_large_is_told_so(talk: Talk) -> None:
    head = HEAD + b"x-long: " + b"a" * 66_000 + b"\r\n\r\n"
    assert refusal(talk(head)) == (431, "headers_too_large")


def test_headers_have_a_number(talk: Talk) -> None:
    head = HEAD + b"".join(b"x-%d: 1\r\n" % n for n in range(200)) + b"\r\n"
    assert refusal(talk(head)) == (431, "too_many_headers")


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        HEAD + b"content-length: -1\r\n\r\n",
        HEAD + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        HEAD + b"bad header: 1\r\n\r\n",
        HEAD + b"x: a\x00b\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
        b"CONNECT other:443 HTTP/1.1\r\nhost: other\r\n\r\n",
        b"GET /body HTTP/1.1\r\n\r\n",
        b"POST /body HTTP/1.1\r\nx-host: x\r\ncontent-length: 5\r\n\r\nhello",
    ],
)
def test_what_two_readers_could_read_in_two_ways_is_refused(talk: Talk, nonsense: bytes) -> None:
    assert refusal(talk(nonsense)) == (400, "invalid_request")


def test_garbage_behind_a_running_answer_does_not_end_up_in_it(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
        client.sendall(b"GET /open HTTP/1.1\r\nhost: x\r\n\r\n")
        read_until(client, b"begun")
        client.sendall(b"hello\r\n\r\n")
        assert read_all(client) in (b"", b"\r\n")  # the end of the chunk before


def test_who_says_nothing_is_told_nothing(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_S", 0.01)
    assert talk() == b""


def test_a_head_that_does_not_end(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_S", 0.5)  # in which its beginning must have come, on a busy machine too
    assert refusal(talk(HEAD)) == (408, "request_timeout")


def test_a_later_head_that_does_not_end(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_S", 0.5)
    first, _, second = talk(HEAD + b"content-length: 2\r\n\r\nab" + HEAD).partition(b"\r\n\r\n2")
    assert first.startswith(b"HTTP/1.1 200")
    assert refusal(second) == (408, "request_timeout")


def test_a_body_that_does_not_end(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BODY_S", 0.01)
    assert refusal(talk(HEAD + b"content-length: 5\r\n\r\nhel")) == (408, "request_timeout")


def test_patience_is_for_requests_not_for_answers(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_S", 0.3)
    monkeypatch.setattr(connection, "BODY_S", 0.3)
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
        client.sendall(b"GET /open HTTP/1.1\r\nhost: x\r\n\r\n")
        read_until(client, b"begun")
        client.settimeout(0.9)
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_an_idle_connection_is_closed_so_long_after_its_latest_answer(keeps_s: float, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
        asked = began = time.monotonic()
        while asked < began + 1.5 * keeps_s:
            asked = time.monotonic()
            client.sendall(HEAD + b"content-length: 1\r\n\r\nx")
            read_until(client, b"\r\n\r\n1")
        assert client.recv(1) == b""
        assert time.monotonic() - asked >= keeps_s


def test_an_answer_that_takes_longer_is_no_idleness(keeps_s: float, port: int) -> None:
    assert keeps_s
    address = ("127.0.0.1", port)
    busy, idle = (socket.create_connection(address, timeout=PATIENCE_S) for _ in range(2))
    with busy, idle:
        for client in (busy, idle):
            client.sendall(HEAD + b"content-length: 1\r\n\r\nx")
            read_until(client, b"\r\n\r\n1")
        busy.sendall(b"GET /open HTTP/1.1\r\nhost: x\r\n\r\n")
        read_until(busy, b"begun")
        assert idle.recv(1) == b""  # by now the alarm of the other one has rung
        busy.setblocking(False)
        with pytest.raises(BlockingIOError):
            busy.recv(1)
