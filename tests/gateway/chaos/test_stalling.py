"""Clients that stop reading: one that takes nothing is let go, one that is only slow gets all of its answer."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenbin.gateway import connection
from tenbin.testing import Answer
from tests.gateway.chaos.client import chat_body
from tests.gateway.running import Running, Upstreams, eventually

STALL_S = 1.0
SIZE = 8 << 20
BUFFER = 1 << 16
PIECE = 1 << 19
END = b"data: [DONE]\n\n\r\n0\r\n\r\n"


@pytest.fixture
def gateway(folder: Path, ups: Upstreams, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(connection, "STALL_S", STALL_S)
    with Running(folder, ups) as running:
        yield running


def asked(gateway: Running) -> socket.socket:
    """A stream is asked for on a connection whose client holds little that it has not read."""
    client = socket.socket()
    client.settimeout(10.0)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    client.connect(("127.0.0.1", gateway.port))
    body = chat_body(stream=True)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n\r\n"
    client.sendall(head.encode() + body)
    return client


def test_who_takes_nothing_is_let_go(gateway: Running, ups: Upstreams) -> None:
    ups["good"].script = Answer(text="word " * 80_000)
    with asked(gateway) as client:
        assert client.recv(100)
        eventually(gateway.calls, "the call to end")
        eventually(lambda: gateway.gateway.services.in_flight == 0, "the request to end")
        ups["good"].wait_until(lambda: all(r.ended_at for r in ups["good"].requests), "the upstream to be let go")
    assert gateway.calls()[0].status == "cancelled"
    assert gateway.chat("hello again").status == 200


def test_who_is_slow_gets_everything(gateway: Running, ups: Upstreams) -> None:
    ups["good"].script = Answer.huge(SIZE)
    heard, began = bytearray(), time.monotonic()
    with asked(gateway) as client:
        while not heard.endswith(END):
            piece = client.recv(PIECE)
            assert piece, f"cut after {len(heard)} bytes"
            heard += piece
            if time.monotonic() - began < 1.5 * STALL_S:  # for longer than a stall may last
                time.sleep(STALL_S / 20)
    assert len(heard) > SIZE
    assert time.monotonic() - began > 1.2 * STALL_S
    assert [call.status for call in gateway.calls()] == ["ok"]
