"""One answer as it goes over its connection: the head in one write with what follows it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

CONTROLS = bytes([*range(9), *range(10, 32), 127])
"""What no line of a head holds: the end of a line would begin another header, or the body."""
HAS_NO_BODY = frozenset({204, 304})


class AnswerWriter(RequestResponseCycle):
    """uvicorn's request and its answer, written for applications that send a head only with something to follow it.

    uvicorn's own makes two system calls of that, and asks two patterns of every header. Here a body that does not say
    how long it is goes out in chunks; to HTTP/1.0, which would take their sizes for a part of it, up to the end of
    the connection.
    """

    head = b""
    is_chunked = False
    is_bodiless = False
    disconnected = False
    response_started = False
    response_complete = False
    more_body = True

    def __init__(
        self, connection: HttpToolsProtocol, scope: Any, *, keeps_alive: bool, expects_continue: bool
    ) -> None:  # all that uvicorn's own methods need, without what they would write with
        self.scope = scope
        self.transport = connection.transport
        self.flow = connection.flow
        self.logger = connection.logger
        self.on_response = connection.on_response_complete
        self.message_event = asyncio.Event()
        self.body = bytearray()
        self.keep_alive = keeps_alive
        self.waiting_for_100_continue = expects_continue

    async def send(self, message: Any) -> None:
        """Take an ASGI message; returns when the client takes more. RuntimeError for a head that is none."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if message["type"] == "http.response.start":
            self._begin(message["status"], message.get("headers", ()))
        else:
            self._go_on(message.get("body", b""), is_over=not message.get("more_body", False))

    def _begin(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Make the head, and hold it back."""
        lines = [*map(b": ".join, headers)]
        names = dict(headers)
        if b"connection" in names:
            self.keep_alive = False  # nobody here sends it but to close
        elif not self.keep_alive:
            lines.append(b"connection: close")
        self.is_bodiless = self.scope["method"] == "HEAD" or status in HAS_NO_BODY
        if not self.is_bodiless and b"content-length" not in names and self.scope["http_version"] == "1.1":
            self.is_chunked = True
            lines.append(b"transfer-encoding: chunked")
        said = b"".join(lines)
        if len(said.translate(None, CONTROLS)) != len(said):
            raise RuntimeError("a header holds a control character")
        self.response_started = True
        self.waiting_for_100_continue = False
        self.head = b"%b%b\r\n\r\n" % (STATUS_LINE[status], b"\r\n".join(lines))

    def _go_on(self, body: bytes, *, is_over: bool) -> None:
        """Write a part of the body, and the head before the first one."""
        if self.is_bodiless:
            body = b""
        elif self.is_chunked:
            body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            if is_over:
                body += b"0\r\n\r\n"
        if self.head:
            body, self.head = self.head + body, b""
        if body:
            self.transport.write(body)
        if is_over:
            self.response_complete = True
            self.message_event.set()
            if not self.keep_alive:
                self.transport.close()
            self.on_response()
