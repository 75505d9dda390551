"""One connection to an upstream: an HTTP/1.1 exchange at a time, the answer's head and body as they come in."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from tenbin.upstream.answer_headers import NO_HEADERS, AnswerHeaders

MAX_HEAD_BYTES = 32 << 10
"""Of an answer's whole head, and of what may come in a row without being a part of the body: trailers, extensions."""
READ_BUFFER_BYTES = 256 << 10
"""With this much unread the connection is read no further."""
PIECE_BYTES = 256 << 10
"""A longer body is sent in pieces of this size: writing it in one go would hold up the loop."""
CLOCK_S = 0.001
"""The loop's clock ticks in milliseconds."""


class MalformedError(ValueError):
    """What came is no answer in HTTP/1.1."""


class Connection(asyncio.Protocol):
    """A connection between `ask` and the end of the answer; `on_free` takes it back afterwards, `on_lost` buries it.

    One alarm serves all deadlines: it is only ever set anew where the next one is earlier, so that the usual call
    touches no timer.
    """

    __slots__ = (
        "_alarm",
        "_alarm_at",
        "_barren_bytes",
        "_deadline",
        "_ends_at_close",
        "_is_clogged",
        "_is_kept",
        "_is_paused",
        "_is_sent",
        "_lines",
        "_loop",
        "_on_free",
        "_on_lost",
        "_parser",
        "_transport",
        "_unread_bytes",
        "_waiter",
        "error",
        "gone",
        "has_head",
        "has_received",
        "headers",
        "is_asked",
        "is_complete",
        "is_reused",
        "on_body",
        "pieces",
        "status",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_free: Callable[[Connection], None],
        on_lost: Callable[[Connection], None],
    ) -> None:
        self._loop = loop
        self._on_free = on_free
        self._on_lost = on_lost
        self.gone: asyncio.Future[None] = loop.create_future()
        """Done once the connection is no more."""
        self._transport: Any = None
        self._waiter: asyncio.Future[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = self._deadline = math.inf
        self._is_clogged = self._is_paused = False
        self._lines: list[tuple[bytes, bytes]] = []
        self.pieces: list[bytes] = []
        """The body as far as it is here and untaken."""
        self.on_body = self.pieces.append
        self.error: Exception | None = None
        self.is_reused = self.is_asked = False
        self._parser: HttpResponseParser | None = None
        self._reset()

    def _reset(self) -> None:
        self.status = 0
        self.headers: AnswerHeaders = NO_HEADERS
        self.has_head = self.is_complete = self.has_received = False
        self._ends_at_close = self._is_sent = False
        self._is_kept = True
        self._barren_bytes = self._unread_bytes = 0
        self._lines.clear()

    # What the caller does with it.

    async def ask(self, head: bytes, body: bytes, deadline: float) -> None:
        """Send a request and wait for the head of its answer; `deadline` (on the loop's clock) counts until `until`.

        Raises OSError (TimeoutError where it was late) or MalformedError; the connection is closed then.
        """
        self._reset()
        self.is_asked = True
        self.until(deadline)
        try:
            if len(body) <= PIECE_BYTES:
                self._transport.write(head + body)
                self._is_sent = True
            else:
                await self._send_long(head, body)
            while not self.has_head:
                await self._news()
        except BaseException:
            self.abort()
            raise

    async def _send_long(self, head: bytes, body: bytes) -> None:
        """Send in pieces, as the other side takes them; a refusal that comes before the end spares the rest."""
        self._transport.write(head)
        view = memoryview(body)
        for start in range(0, len(view), PIECE_BYTES):
            while self._is_clogged and not self.has_head:
                await self._news()
            if not self.has_head:
                self._transport.write(view[start : start + PIECE_BYTES])
            elif self.status < 300 and not self._transport.is_closing():
                self._transport.write(view[start:])
                break
            else:
                return
        self._is_sent = True

    async def more(self) -> bytes:
        """The next bytes of the body as soon as there are any, b"" after its end. Raises as `ask` does."""
        while not self.pieces:
            if self.is_complete:
                return b""
            await self._news()
        return self.take()

    def take(self) -> bytes:
        """All of the body that is here and untaken."""
        pieces = self.pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._unread_bytes = 0
        if self._is_paused:
            self._is_paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return data

    def until(self, deadline: float) -> None:
        """Let the exchange (or the idle connection) end at this moment of the loop's clock; inf: never."""
        self._deadline = deadline
        if deadline < self._alarm_at:
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm_at = deadline
            self._alarm = self._loop.call_at(deadline, self._ring)

    def leave(self) -> None:
        """End the exchange: after the answer's end the connection is free for the next one, before it is closed."""
        if not self.is_asked:
            return
        if not self.is_complete or not self._is_kept or not self._is_sent or self._transport.is_closing():
            self.abort()
            return
        if self.pieces:
            self.take()
        self.is_asked = False
        self.is_reused = True
        self._on_free(self)

    def abort(self) -> None:
        """Close at once: a plain close would first flush what is unsent and, under TLS, wait for the other side."""
        self.is_asked = False
        self._fail(ConnectionAbortedError())

    def forsake(self) -> None:
        """`leave`, said by the garbage collector, on whatever thread it runs."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self.leave)

    @property
    def is_open(self) -> bool:
        """Whether the next request may go over it, as far as one can tell."""
        return self.error is None and not self._transport.is_closing()

    async def _news(self) -> None:
        """Wait until anything changes."""
        if self.error is not None:
            raise type(self.error)(*self.error.args)  # its own would hold this frame, and with it us, for the collector
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _ring(self) -> None:
        self._alarm, self._alarm_at = None, math.inf
        if self._loop.time() + CLOCK_S < self._deadline:
            if self._deadline < math.inf:
                self.until(self._deadline)
        elif not self.is_complete or not self.is_asked:
            self._fail(TimeoutError())

    def _fail(self, error: Exception) -> None:
        if self.error is None:
            self.error = error
            self._transport.abort()
            self._wake()

    # What the loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        parser = self._parser = HttpResponseParser(self)
        # What sloppy servers do and nobody can mistake for anything else.
        parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True)

    def data_received(self, data: bytes) -> None:
        parser = self._parser
        if not self.is_asked or parser is None:
            self._fail(MalformedError("an answer without a question"))
            return
        self.has_received = True
        size = len(data)
        if not self.has_head:
            self._barren_bytes += size
        try:
            parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if self.is_complete:  # what follows an answer spoils the connection, not the answer
                self._is_kept = False
            else:
                ours = error.__context__  # the parser's own word for a fault that we found is "User callback error"
                self._fail(MalformedError(str(ours if isinstance(ours, MalformedError) else error)))
                return
        if self.pieces:
            self._barren_bytes = 0
            self._unread_bytes += size
            if self._unread_bytes > READ_BUFFER_BYTES and not self._is_paused and not self.is_complete:
                self._is_paused = True
                self._transport.pause_reading()
        elif not self.is_complete:
            if self.has_head:
                self._barren_bytes += size
            if self._barren_bytes > MAX_HEAD_BYTES:
                self._fail(MalformedError("no end of headers"))
                return
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._parser = None  # it holds our methods: a circle that only the collector would find
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self.has_head and self._ends_at_close and exc is None and self.error is None:
            self.is_complete = True
        if self.error is None:
            self.error = ConnectionResetError()
        self._wake()
        self._on_lost(self)
        if not self.gone.done():
            self.gone.set_result(None)

    def pause_writing(self) -> None:
        self._is_clogged = True

    def resume_writing(self) -> None:
        self._is_clogged = False
        self._wake()

    # What the parser tells.

    def on_message_begin(self) -> None:
        if self.is_complete:  # a second answer to one question
            self._is_kept = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._lines.append((name, value))

    def on_headers_complete(self) -> None:
        parser, lines = self._parser, self._lines
        if parser is None or self.is_complete:
            return
        if self._barren_bytes > MAX_HEAD_BYTES and sum(len(n) + len(v) + 4 for n, v in lines) > MAX_HEAD_BYTES:
            raise MalformedError("the head is too long")
        self.status = parser.get_status_code()
        if self.status < 200:
            if self.status < 100 or self.status == 101:
                raise MalformedError("an answer in another protocol")
            lines.clear()  # the answer itself is still to come
            return
        self.headers = AnswerHeaders(lines)
        headers = self.headers.by_name
        coding = headers.get("transfer-encoding")
        if coding is not None and coding.strip().lower() != "chunked":
            raise MalformedError("a transfer coding that was not asked for")
        self._ends_at_close = coding is None and "content-length" not in headers and self.status not in {204, 304}
        self.has_head = True

    def on_message_complete(self) -> None:
        if self.has_head and self._parser is not None:
            self.is_complete = True
            self._is_kept = self._is_kept and self._parser.should_keep_alive()
