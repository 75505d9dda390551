"""A stream on its way from a candidate to the client: held until the first content, then passed on as it comes."""

from __future__ import annotations

import asyncio
import time

from tenbin.gateway.call import Call
from tenbin.gateway.exchange import Exchange, Headers
from tenbin.gateway.wire import Wire, broken_stream
from tenbin.upstream.failure import UpstreamFailure, failure_inside
from tenbin.upstream.frame_stream import AnswerStream
from tenbin.upstream.reply import Reply
from tenbin.upstream.translate import TranslatedStream

EVENT_STREAM = ((b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no"))
MAX_HELD_BYTES = 1 << 20
MAX_KEPT_BYTES = 16 << 20
"""A longer stream is not kept for the ledger: many of them at once would fill the memory."""
SILENCE_S = 600.0
"""How long nothing may come of a stream that has begun: as long as the official clients wait."""
CLOSING_S = 1.0
"""What an upstream may take to close its stream after the end marker."""


class Pump:
    """Moves one stream; `held` is what came before the first content, `last` what goes out together with the end."""

    def __init__(self, exchange: Exchange, call: Call, wire: Wire, headers: Headers) -> None:
        self.exchange = exchange
        self.call = call
        self.wire = wire
        self.headers = headers
        self.stream: AnswerStream = wire.stream()
        self.translator: TranslatedStream | None = wire.translator()
        self.held: list[bytes] = []
        self.held_bytes = 0
        self.last = b""
        self.kept: list[bytes] | None = [] if call.work.stores_text else None
        self.kept_bytes = 0

    async def run(self, reply: Reply, first_by: float | None) -> None:
        """Move the stream to its end. Raises UpstreamFailure where the upstream does not bring it there."""
        loop = self.call.work.services.loop
        if first_by is not None:
            reply.until(first_by)
        try:
            async for chunk in reply.chunks():
                await self._take(self.stream.feed(chunk), reply)
                if self.stream.is_done:
                    reply.until(loop.time() + CLOSING_S)
                elif self.exchange.has_begun:
                    reply.until(loop.time() + SILENCE_S)
            rest = self.stream.finish()
            if reply.says_its_end:
                rest += self.stream.missing_end(self.wire.incoming.answers)
            await self._take(rest, reply)
        except UpstreamFailure as failure:
            if failure.kind == "timeout" and not self.exchange.has_begun:
                failure.what = "the first token did not come in time"
            raise
        finally:
            reply.abort()

    async def _take(self, data: bytes, reply: Reply) -> None:
        """Pass on what the stream gives, or hold it while there is no content in it."""
        stream = self.stream
        if stream.error is not None:
            if not self.exchange.has_begun:
                raise failure_inside(reply.redacted(stream.error), self.wire.destination.dialect)
            data = reply.redacted(data)
        unreadable: UpstreamFailure | None = None
        if self.translator is not None:
            data = self.translator.feed(data)
            unreadable = self.translator.failure
        if not self.exchange.has_begun:
            if unreadable is not None:
                raise unreadable
            self.held.append(data)
            self.held_bytes += len(data)
            if not (stream.has_content or stream.is_done or self.held_bytes > MAX_HELD_BYTES):
                return
            if stream.is_done and not stream.has_content and stream.finish_reason is None:
                raise UpstreamFailure("malformed", "the upstream's stream ended without an answer")
            data = b"".join(self.held)
            self.call.first_token_s = time.perf_counter() - self.call.began
            self.call.seat.spoke()
            await self.exchange.begin(200, [*EVENT_STREAM, *self.headers])
        if data:
            if self.kept is not None:
                self._keep(self.kept, data)
            if stream.is_done and reply.has_ended:
                self.last += data
            else:
                await self.exchange.chunk(data)
        if unreadable is not None:
            raise unreadable  # the client has been told

    def _keep(self, kept: list[bytes], data: bytes) -> None:
        kept.append(data)
        self.kept_bytes += len(data)
        if self.kept_bytes > MAX_KEPT_BYTES:
            self.kept = None

    @property
    def is_whole(self) -> bool:
        """Whether the answer has come to its end, whatever becomes of its connection."""
        is_unreadable = self.translator is not None and self.translator.failure is not None
        return self.stream.is_done and self.stream.error is None and self.exchange.has_begun and not is_unreadable

    def succeeded(self, http_status: int) -> None:
        """Settle the call: the answer came whole."""
        stream = self.stream
        answer = None if self.kept is None else b"".join(self.kept)
        self.call.succeeded(stream.usage, http_status=http_status, response_id=stream.response_id, answer=answer)

    def close(self) -> bytes:
        """What the client gets last: the translator's end, or an error event where the stream was cut."""
        if self.translator is not None:
            return self.last + self.translator.close()
        if self.stream.is_done or self.stream.error is not None:
            return self.last
        incoming, what = self.wire.incoming, "the upstream's stream ended half-way"
        return self.last + broken_stream(incoming.dialect, incoming.endpoint, "stream_cut", what)


async def stream_through(
    exchange: Exchange, call: Call, wire: Wire, reply: Reply, headers: Headers, first_by: float | None
) -> None:
    """Stream a candidate's answer to the client and settle the call.

    Raises UpstreamFailure while nothing has gone out; afterwards a broken stream ends with an error event.
    """
    pump = Pump(exchange, call, wire, headers)
    failure: UpstreamFailure | None = None
    try:
        await pump.run(reply, first_by)
    except UpstreamFailure as broken:
        failure = None if pump.is_whole else broken
    except asyncio.CancelledError:
        if pump.is_whole:  # the client has all of it, and need not wait until the upstream hangs up
            pump.succeeded(reply.status)
        else:
            call.cancelled(pump.stream.usage, pump.stream.said_bytes, pump.stream.response_id)
        raise
    stream = pump.stream
    if failure is None and stream.error is not None:
        failure = failure_inside(stream.error, wire.destination.dialect)
    if failure is None and not stream.is_done:
        failure = UpstreamFailure("cut", "the upstream's stream ended half-way", where=call.name)
    if failure is not None and not exchange.has_begun:
        raise failure
    await exchange.end(pump.close())
    if failure is not None:
        call.failed(failure, stream.usage, stream.said_bytes, stream.response_id)
        call.work.services.gave_up(call.work, failure)
        return
    pump.succeeded(reply.status)
