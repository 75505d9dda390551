"""A gateway that asks for keys, as strangers meet it: what they may send is in the other files here."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenbin.gateway.breakers import Breakers
from tenbin.store.keys import create_key
from tests.gateway.running import PATIENCE_S, PATIENT, Reply, Running, Upstreams

CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
COUNT, EMBEDDINGS, DECISION, FEEDBACK = (
    "/v1/messages/count_tokens",
    "/v1/embeddings",
    "/v1/decision",
    "/v1/feedback",
)
POSTS = (CHAT, MESSAGES, COUNT, RESPONSES, EMBEDDINGS, DECISION, FEEDBACK)
MAX_BODY_MB = 2
UPSTREAM_KEYS = {f"{name.upper()}_KEY": f"zz-{name}-provider-secret-0123456789" for name in ("cheap", "good", "claude")}
PROFILES = f"""
[profiles.sure]
{PATIENT}min_quality = 0.95
[profiles.narrow]
{PATIENT}mu = 0.3
allow = ["cheap"]
[profiles.bounded]
{PATIENT}max_cost_usd = 0.5
[candidates.unpriced]
base_url = "http://127.0.0.1:9"
"""


@dataclass(frozen=True, slots=True)
class Guarded:
    """The gateway, its upstreams, and the secrets of its keys by name: `main`, `other`, and `limited` to `cheap`."""

    gateway: Running
    ups: Upstreams
    keys: Mapping[str, str]

    def reset(self) -> None:
        """Nothing received, no script, every candidate healthy."""
        for fake in self.ups.fakes.values():
            fake.script = None
            fake.clear()
        self.gateway.gateway.services.breakers = Breakers()

    def bearer(self, key: str = "main") -> dict[str, str]:
        """The header that shows a key."""
        return {"authorization": f"Bearer {self.keys[key]}"}

    def post(self, path: str, body: Any, key: str = "main", **headers: str) -> Reply:
        """POST with a key."""
        return self.gateway.post(path, body, **self.bearer(key), **headers)

    def get(self, path: str, key: str = "main", **headers: str) -> Reply:
        """GET with a key."""
        return self.gateway.get(path, **self.bearer(key), **headers)


@contextmanager
def guarded(folder: Path, **more: Any) -> Iterator[Guarded]:
    """A `Guarded` that runs; `more` is for `Running`."""
    with Upstreams("cheap", "good", claude="anthropic") as ups:
        speaks = {name: f'api_key_env = "{name.upper()}_KEY"' for name in ups.dialects}
        speaks["good"] += "\nresponses = true"
        settings = {"gateway": f'keys = "required"\nmax_body_mb = {MAX_BODY_MB}', "more": PROFILES, **more}
        running = Running(folder, ups, candidate=speaks, **{"environ": UPSTREAM_KEYS, **settings})
        keys = {name: create_key(running.store, name)[0] for name in ("main", "other")}
        keys["limited"], _ = create_key(running.store, "limited", profiles=["narrow"], models=["cheap"])
        with running:
            yield Guarded(running, ups, keys)


def said(text: str = "hello", **fields: Any) -> dict[str, Any]:
    """A body that chat completions and messages both take."""
    return {"model": "tenbin/auto", "max_tokens": 9, "messages": [{"role": "user", "content": text}], **fields}


def refused(path: str, reply: Reply) -> dict[str, Any]:
    """The error of a refusal, once its shape is that of the dialect; it never shows how we are made."""
    body = json.loads(reply.body)
    assert reply.headers["content-type"] == "application/json"
    if path.startswith(MESSAGES):
        assert set(body) == {"type", "error"}
        assert body["type"] == "error"
        assert set(body["error"]) >= {"type", "message"}
    else:
        assert set(body) == {"error"}
        assert set(body["error"]) == {"message", "type", "param", "code"}
        assert body["error"]["code"]
    error = dict(body["error"])
    assert len(error["message"]) > 10
    for word in ("Traceback", "File ", ".py", "object at 0x", "Error("):
        assert word not in error["message"]
    return error


def talk(port: int, *pieces: bytes) -> bytes:
    """Send bytes as they are, read until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
        parts = []
        try:
            for piece in pieces:
                client.sendall(piece)
            while part := client.recv(65536):
                parts.append(part)
        except (BrokenPipeError, ConnectionResetError):  # refused while we were still sending
            pass
        return b"".join(parts)


def status_of(answer: bytes) -> int:
    """The status of the first answer in these bytes, 0 where there is none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def headers_in(answer: bytes) -> dict[str, str]:
    """The headers of the first answer in these bytes; a repeated one fails."""
    lines = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    pairs = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)
