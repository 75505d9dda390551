"""One connection to the fake upstream: requests are parsed, answers written as badly as they are meant."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, cast

import httptools

from tenbin.testing.fake.rendered import Rendered
from tenbin.testing.fake.request import UpstreamRequest


class Stage(Protocol):
    """What a connection needs of its server."""

    def opened(self, connection: Connection) -> int: ...
    def lost(self, connection: Connection) -> None: ...
    def received(self, request: UpstreamRequest) -> Rendered: ...
    def told(self, request: UpstreamRequest, *, was_closed: bool) -> None: ...


class Connection(asyncio.Protocol):
    """Reads requests one after the other, in the order they were sent, and answers each when the last is done."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.number = 0
        self.transport: asyncio.Transport | None = None
        self.parser = httptools.HttpRequestParser(self)
        self.url = b""
        self.headers: dict[str, str] = {}
        self.body: list[bytes] = []
        self.waiting: deque[UpstreamRequest] = deque()
        self.current: UpstreamRequest | None = None
        self.timer: asyncio.Handle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class is none of asyncio's
        self.loop = asyncio.get_running_loop()
        self.number = self.stage.opened(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Called by asyncio when either side has closed; an answer on its way ends here."""
        if self.timer is not None:
            self.timer.cancel()
        if self.current is not None:
            self.stage.told(self.current, was_closed=True)
            self.current = None
        self.transport = None
        self.stage.lost(self)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio; what is no HTTP ends the connection."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            if self.transport is not None:
                self.transport.close()

    def on_message_begin(self) -> None:
        """Called by the parser, like all that follow."""
        self.url, self.headers, self.body = b"", {}, []

    def on_url(self, url: bytes) -> None:
        """The target, perhaps in several parts."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        """A client that waits for leave to send its body gets it."""
        if "expect" in self.headers and self.transport is not None:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self.body.append(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self.waiting.append(
            UpstreamRequest(
                number=0,
                connection=self.number,
                method=self.parser.get_method().decode("latin-1"),
                path=self.url.decode("latin-1"),
                headers=self.headers,
                body=b"".join(self.body),
                at=time.monotonic(),
            )
        )
        if self.current is None:
            self._next()

    def _next(self) -> None:
        if not self.waiting or self.transport is None:
            return
        self.current = self.waiting.popleft()
        rendered = self.stage.received(self.current)
        if rendered.first_byte_s:
            self._at(time.monotonic() + rendered.first_byte_s, self._begin, rendered)
        else:
            self._begin(rendered)

    def _at(self, due: float, step: Callable[..., None], *arguments: Any) -> None:
        """Take a step at `due` (time.monotonic) and never before: a loop's own clock may be a millisecond fast."""
        left = due - time.monotonic()
        if left > 0.0:
            self.timer = self.loop.call_later(left, self._at, due, step, *arguments)
        else:
            self.timer = self.loop.call_soon(step, *arguments)

    def _begin(self, rendered: Rendered) -> None:
        if self.transport is None:
            return
        if rendered.head is None:
            self._end(rendered)
        elif not rendered.is_paced:
            self.transport.write(b"".join((rendered.head, *rendered.pieces)))
            self._end(rendered)
        else:
            self.transport.write(rendered.head)
            due = time.monotonic() + rendered.first_chunk_s
            self._at(due, self._piece, rendered, 0, due)

    def _piece(self, rendered: Rendered, index: int, due: float) -> None:
        """Write one piece; the next is due by the clock of the first, so that lateness does not add up."""
        if self.transport is None:
            return
        if index < len(rendered.pieces):
            self.transport.write(rendered.pieces[index])
        index += 1
        if index >= len(rendered.pieces):
            self._end(rendered)
        elif rendered.chunk_gap_s:
            due += rendered.chunk_gap_s
            self._at(due, self._piece, rendered, index, due)
        else:
            self.timer = self.loop.call_soon(self._piece, rendered, index, due)

    def _end(self, rendered: Rendered) -> None:
        if self.transport is None or self.current is None or rendered.ending == "hang":
            return
        request, self.current, self.timer = self.current, None, None
        self.stage.told(request, was_closed=False)
        if rendered.ending == "whole":
            if self.parser.should_keep_alive():
                self._next()
            else:
                self.transport.close()
        elif rendered.ending == "close":
            self.transport.close()
        else:
            self.reset()

    def reset(self) -> None:
        """End the connection with RST, as a host does that has died: the peer's next read fails."""
        if self.transport is None:
            return
        raw = self.transport.get_extra_info("socket")
        if raw is not None:  # closed by the peer in this very turn of the loop
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
