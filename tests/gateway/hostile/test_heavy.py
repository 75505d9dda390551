"""Huge, deep and countless: each is answered in time, and meanwhile /health is too."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tenbin.gateway import connection
from tests.gateway.hostile.guarded import CHAT, COUNT, DECISION, MESSAGES, Guarded, guarded, refused, said
from tests.gateway.running import PATIENCE_S

MB = 1 << 20
HELD_UP_S = 4.0
"""Of this process's time on a core, so that a busy machine holds up nobody; the worst of these takes .3 s."""


@pytest.fixture(scope="module")
def roomy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A gateway with the usual limit of 32 MB."""
    folder: Path = tmp_path_factory.mktemp("roomy")
    with guarded(folder, gateway='keys = "required"') as site:
        yield site


@contextmanager
def health_watched(site: Guarded) -> Iterator[None]:
    """Ask for /health all the while; it must never take long."""
    stop, took = threading.Event(), [0.0]

    def ask() -> None:
        client = http.client.HTTPConnection("127.0.0.1", site.gateway.port, timeout=PATIENCE_S)
        while not stop.wait(0.02):
            began = time.process_time()
            client.request("GET", "/health")
            client.getresponse().read()
            took.append(time.process_time() - began)
        client.close()

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_S)
    assert max(took) < HELD_UP_S


def body(content: bytes = b'"hello"', model: bytes = b"tenbin/auto", more: bytes = b"") -> bytes:
    return b'{"model":"%s","max_tokens":9,"messages":[{"role":"user","content":%s}]%s}' % (model, content, more)


def listed(item: bytes, n: int) -> bytes:
    return b"[" + b",".join([item] * n) + b"]"


def text() -> bytes:
    return b'"' + b"lorem ipsum " * (30 * MB // 12) + b'"'


def word() -> bytes:
    return b'"' + b"a" * 10 * MB + b'"'


# Made when they are sent: whoever only collects them would hold 200 MB.
MESSAGE = b'{"role":"user","content":"hi"}'
SERVED: dict[str, Callable[[bytes], bytes]] = {
    "a long text": lambda model: body(text(), model),
    "one long word": lambda model: body(word(), model),
    "escapes": lambda model: body(b'"' + b"\\u00e9" * (2 * MB) + b'"', model),
    "quotes and commas": lambda model: body(b'"' + b'\\"a\\", ' * 700_000 + b'"', model),
    "many messages": lambda model: b'{"model":"%s","max_tokens":9,"messages":%s}' % (model, listed(MESSAGE, 99_000)),
}
REFUSED: dict[str, Callable[[], bytes]] = {
    "numbers": lambda: body(listed(b"1", 5 * MB)),
    "empty parts": lambda: body(listed(b"{}", 4 * MB)),
    "numbers in a part": lambda: body(b'[{"type":"x","a":' + listed(b"1", 5 * MB) + b"}]"),
    "nested in a part": lambda: body(b'[{"type":"x","a":' + listed(b"[" * 400 + b"]" * 400, 12_000) + b"}]"),
    "tools": lambda: body(more=b',"tools":' + listed(b"{}", 4 * MB)),
    "dials": lambda: body(more=b',"tenbin":{"allow":' + listed(b'"a"', 3 * MB) + b"}"),
    "messages": lambda: b'{"model":"tenbin/auto","max_tokens":9,"messages":%s}' % listed(MESSAGE, 300_000),
    "members": lambda: body(more=b"," + b",".join(b'"k%d":1' % i for i in range(200_000))),
    "too deep": lambda: body(b"[" * 3 * MB + b"]" * 3 * MB),
    "too deep objects": lambda: body(more=b',"u":' + b'{"a":' * 2 * MB + b"1" + b"}" * 2 * MB),
    "unclosed": lambda: b"[" * 10 * MB,
    "a number": lambda: body(more=b',"temperature":' + b"1" * 10 * MB),
    "a huge cap": lambda: body(more=b',"max_completion_tokens":1e' + b"9" * 400),
    "blanks": lambda: b" " * 10 * MB,
    "no JSON": lambda: b'{"model": "tenbin/auto", "messages": [' + b"1, " * (3 * MB) + b"x",
    "half a pair": lambda: body(b'"' + b"\\ud83d" * (2 * MB) + b'"'),
}


@pytest.mark.parametrize("what", SERVED)
@pytest.mark.parametrize(("path", "model"), [(CHAT, b"tenbin/auto"), (MESSAGES, b"good")])
def test_what_is_large_is_served(roomy: Guarded, what: str, path: str, model: bytes) -> None:
    roomy.reset()
    with health_watched(roomy):
        assert roomy.post(path, SERVED[what](model)).status == 200
    assert len(roomy.ups.called()) == 1


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_too_much_is_refused(roomy: Guarded, what: str) -> None:
    roomy.reset()
    with health_watched(roomy):
        reply = roomy.post(CHAT, REFUSED[what]())
    assert (reply.status, len(refused(CHAT, reply)["message"]) < 500) == (400, True)
    assert roomy.ups.called() == []


@pytest.mark.parametrize("path", [COUNT, DECISION])
def test_the_routes_that_call_nobody(roomy: Guarded, path: str) -> None:
    with health_watched(roomy):
        assert roomy.post(path, body(text())).status == 200


def test_several_at_once(roomy: Guarded) -> None:
    roomy.reset()
    with health_watched(roomy):
        threads = [threading.Thread(target=roomy.post, args=(CHAT, body(word()))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
    assert len(roomy.ups.called()) == 3


def test_slow_heads_and_bodies_end_and_hold_up_nobody(site: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_S", 0.5)
    monkeypatch.setattr(connection, "BODY_S", 0.5)
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
    bearer = f"authorization: Bearer {site.keys['main']}\r\n".encode()
    whole = head + bearer + b"content-length: 50\r\n\r\n"
    begun = (b"", b"POST", head, whole, whole + b"{")
    slow = [socket.create_connection(("127.0.0.1", site.gateway.port), timeout=PATIENCE_S) for _ in range(200)]
    for i, client in enumerate(slow):
        client.sendall(begun[i % len(begun)])
    with health_watched(site):
        assert site.post(CHAT, said()).status == 200
    began = time.monotonic()
    for client in slow:
        answer = client.recv(1000)
        assert not answer or b" 408 " in answer
        client.close()
    assert time.monotonic() - began < 10.0
    assert json.loads(site.get("/health").body) == {"status": "ok"}
