"""One HTTP exchange as ASGI hands it over: headers, a bounded body, an answer, and whether the client left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

from tenbin.errors import RequestError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

ONCE = frozenset({"authorization", "x-api-key", "content-length", "content-type", "host", "transfer-encoding"})
"""Headers that decide who is asking or where a body ends: given twice, two readers might each believe another one."""
WHEN_LEFT = "tenbin.when_left"
HAS_LEFT = "tenbin.has_left"
"""Names in the ASGI scope: what the connection calls when the client goes, and the mark that it has gone."""
JSON = (b"content-type", b"application/json")
SEND_LESS = "send less, or raise max_body_mb under [gateway]"


class Exchange:
    """One request and its answer. `is_gone` once the client has left before the answer was over."""

    __slots__ = ("_receive", "_send", "has_begun", "headers", "is_gone", "is_over", "path", "scope")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.path: str = scope["path"]
        self.headers: Mapping[str, str] = {}
        self.has_begun = False
        self.is_gone = False
        self.is_over = False
        self._receive = receive
        self._send = send

    def read_headers(self) -> None:
        """Read the headers; RequestError 400 where one that must be single is given twice."""
        self.headers = headers_of(self.scope["headers"])

    async def body(self, max_bytes: int, fix: str = SEND_LESS) -> bytes:
        """The whole body; RequestError 413 beyond the limit, 415 for an encoded one, 400 where the client left.

        `fix` is what to do about one that is too long.
        """
        coding = self.headers.get("content-encoding")
        if coding is not None and coding.strip().lower() not in {"", "identity"}:
            raise RequestError(415, "unsupported_encoding", "the body is compressed", fix="send it as plain JSON")
        announced = self.headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > max_bytes:
            raise _too_large(max_bytes, fix)
        message = await self._receive()
        if not message.get("more_body") and message["type"] == "http.request":
            return _bounded(message.get("body", b""), max_bytes, fix)
        parts = []
        size = 0
        while message["type"] == "http.request":
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > max_bytes:
                raise _too_large(max_bytes, fix)
            if not message.get("more_body"):
                return b"".join(parts)
            message = await self._receive()
        self.is_gone = True
        raise RequestError(400, "incomplete_body", "the connection closed before the body was complete")

    def when_left(self, task: asyncio.Task[Any] | None) -> None:
        """Cancel this task when the client leaves before its answer is over; None: no longer.

        The connection tells (`Connection.connection_lost`): a task that waits for it would cost more than the rest of
        this file.
        """
        self.scope[WHEN_LEFT] = None if task is None else partial(self._leave, task)
        if task is not None and HAS_LEFT in self.scope:
            self._leave(task)

    def _leave(self, task: asyncio.Task[Any]) -> None:
        if not self.is_over:
            self.is_gone = True
            task.cancel()

    async def begin(self, status: int, headers: Headers) -> None:
        """Send status and headers; chunks follow."""
        self.has_begun = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def chunk(self, data: bytes) -> None:
        """Send a part of the body; returns when the client takes more."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, data: bytes = b"") -> None:
        """Send the last part of the body."""
        self.is_over = True
        await self._send({"type": "http.response.body", "body": data})

    async def answer(self, status: int, body: bytes, headers: Headers = ()) -> None:
        """Send a whole JSON answer."""
        self.has_begun = True
        shown = [JSON, (b"content-length", b"%d" % len(body)), *headers]
        await self._send({"type": "http.response.start", "status": status, "headers": shown})
        self.is_over = True
        await self._send({"type": "http.response.body", "body": body})


def headers_of(raw: Sequence[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """Headers by lower-case name; repeated ones are joined with commas, RequestError 400 where one must be single."""
    said = b"\n".join(chain.from_iterable(raw)).decode("latin-1").split("\n")  # a decoding each takes twice as long
    headers = dict(zip(said[::2], said[1::2], strict=False))
    if 2 * len(headers) == 2 * len(raw) == len(said):
        return headers
    headers = {}
    for key, value in raw:
        name, text = key.decode("latin-1"), value.decode("latin-1")
        if name not in headers:
            headers[name] = text
        elif name in ONCE:
            raise RequestError(400, "repeated_header", f"the header {name} is given twice", fix="send it once")
        else:
            headers[name] = f"{headers[name]}, {text}"
    return headers


def _bounded(body: bytes, max_bytes: int, fix: str) -> bytes:
    if len(body) > max_bytes:
        raise _too_large(max_bytes, fix)
    return body


def _too_large(max_bytes: int, fix: str) -> RequestError:
    size = f"{max_bytes / 2**20:g} MB" if max_bytes >= 2**20 else f"{max_bytes / 2**10:g} KB"
    return RequestError(413, "request_too_large", f"the body is larger than {size}", fix=fix)
