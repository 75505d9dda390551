"""One write for the head of an answer and what comes with it: uvicorn makes two, and a system call each."""

from __future__ import annotations

import asyncio
from typing import Any

INTERIM = b"HTTP/1.1 1"
"""How an interim answer (100 Continue) begins; it has no body to wait for."""


class HeadFirst:
    """The transport of one answer: holds the head back until the first piece of the body is there.

    For applications that send a head only when they have something to follow it, as `Exchange` does. Everything but
    `write` and `close` is the transport's own.
    """

    __slots__ = ("_has_begun", "_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self._has_begun = False

    def write(self, data: bytes) -> None:
        """Hold the head; write it with what follows, and everything after that as it comes."""
        if self._has_begun:
            if self._head:
                data, self._head = self._head + data, b""
            self._transport.write(data)
        elif data.startswith(INTERIM):
            self._transport.write(data)
        else:
            self._head, self._has_begun = data, True

    def close(self) -> None:
        """Write what is held, and close."""
        if self._head:
            self._transport.write(self._head)
            self._head = b""
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
