"""Clients that misbehave: they send a request, hear some of the answer, and are gone."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

from tests.gateway.running import EASY, HARD

PATIENCE_S = 60.0


def chat_body(text: str = HARD, *, model: str = "tenbin/auto", **fields: Any) -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": text}], **fields}).encode()


def send(port: int, body: bytes, *, path: str = "/v1/chat/completions", key: str | None = None) -> socket.socket:
    """A connection on which a whole request has gone out."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    authorization = "" if key is None else f"authorization: Bearer {key}\r\n"
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n{authorization}"
    connection.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    return connection


def hear(connection: socket.socket, until: bytes) -> bytes:
    """What comes until these bytes are in it, or the connection ends."""
    heard = b""
    while until not in heard and (piece := connection.recv(65536)):
        heard += piece
    return heard


def leave(connection: socket.socket, *, with_reset: bool = False) -> None:
    """Close, as a client does, or as a host that has died."""
    if with_reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


__all__ = ["EASY", "HARD", "chat_body", "hear", "leave", "send"]
