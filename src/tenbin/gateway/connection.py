"""One client connection: uvicorn's parser with caps on heads and patience, and refusals in the shape clients read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from tenbin.gateway.answer_writer import AnswerWriter
from tenbin.gateway.exchange import HAS_LEFT, WHEN_LEFT

MAX_HEAD_BYTES = 64 * 1024
"""Of a whole head; one that does not end is let grow by the piece it began in, which is 256 KB at most."""
MAX_HEADERS = 128
HEAD_S = 20.0
"""How long a client may take from connecting (or from the first byte of a later request) to the end of the head."""
BODY_S = 300.0
"""How long the body may take after the head."""
STALL_S = 60.0
"""How long a client may take nothing at all of what waits for it."""
MOST_QUEUED = 8
"""So many requests behind a running one are read: who waits to be read would leave unheard."""
CLOCK_S = 0.001
"""The loop's clock ticks in milliseconds."""
ASGI: Mapping[str, str] = {"version": "3.0", "spec_version": "2.3"}
TOO_LARGE = f"the head is larger than {MAX_HEAD_BYTES // 1024} KB"


class Connection(HttpToolsProtocol):
    """A connection on which a client may neither send endless heads nor hold its place by sending or taking nothing.

    uvicorn bounds none of it: a head is kept whole in memory however long it grows, only idle connections between two
    requests time out, and an answer waits for ever for a client that has stopped reading. A request that came in one
    piece pays for some comparisons here.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.running: RequestResponseCycle | None = None  # `cycle` is the newest, which may wait for its turn
        self.in_head = True
        self.piece_bytes = 0
        self.head_bytes = 0  # of a head that is under way, but for the piece it began in: above 0 once it has begun
        self.patience: asyncio.TimerHandle | None = None
        self.idle: asyncio.TimerHandle | None = None
        self.idle_since = 0.0
        self.stall: asyncio.TimerHandle | None = None
        self.refusal = (400, "invalid_request", "this is no HTTP request")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.patience = self.loop.call_later(HEAD_S, self.lose_patience)

    def connection_lost(self, exc: Exception | None) -> None:
        self._set_patience(None)
        self._set_stall(None)
        if self.idle is not None:
            self.idle.cancel()
        super().connection_lost(exc)
        self.pipeline.clear()
        if self.running is not None:
            if not self.running.response_complete:
                self.running.disconnected = True
            self.running.message_event.set()
            scope: dict[str, Any] = self.running.scope  # type: ignore[assignment]
            scope[HAS_LEFT] = True
            if (tell := scope.get(WHEN_LEFT)) is not None:
                tell()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._set_stall(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        self._set_stall(None)
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        self.piece_bytes = len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.refuse(*self.refusal)
        except httptools.HttpParserUpgrade:
            pass  # a CONNECT, which no route takes
        if self.transport.is_closing():
            self._set_patience(None)
        elif self.in_head:
            self.head_bytes += len(data)
            if self.head_bytes > MAX_HEAD_BYTES:
                self.refuse(431, "headers_too_large", TOO_LARGE)
            elif self.patience is None:
                self._set_patience(HEAD_S)
        elif self.cycle is not None and self.cycle.more_body and self.patience is None:
            self._set_patience(BODY_S)

    def on_message_begin(self) -> None:
        self.in_head = True
        self.head_bytes = 1 - self.piece_bytes
        self.url = b""
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; not one behind a chunked body, which would pass for one that the head held."""
        if self.in_head:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.in_head = False
        if self.patience is not None:
            self._set_patience(None)
        parser, method = self.parser, self.parser.get_method()
        if parser.should_upgrade() and method != b"CONNECT":
            # The parser takes what follows for another protocol: a body would get lost, or be read as a request.
            self.refusal = (400, "upgrade_refused", "only plain HTTP/1.1 is spoken here: leave the Upgrade header out")
            raise ValueError
        if len(self.headers) > MAX_HEADERS:
            self.refusal = (431, "too_many_headers", f"more than {MAX_HEADERS} headers")
            raise ValueError
        came_in_parts = self.head_bytes > 0
        if (came_in_parts or self.piece_bytes > MAX_HEAD_BYTES) and self._whole_head_bytes() > MAX_HEAD_BYTES:
            self.refusal = (431, "headers_too_large", TOO_LARGE)
            raise ValueError
        said, version = dict(self.headers), parser.get_http_version()
        if b"host" not in said and version != "1.0":  # RFC 9112, section 3.2
            self.refusal = (400, "invalid_request", "the Host header is missing: HTTP/1.1 asks for it")
            raise ValueError
        expects = said.get(b"expect", b"").lower() == b"100-continue"
        self._answer(version, method.decode("ascii"), httptools.parse_url(self.url), expects)

    def _answer(self, version: str, method: str, url: Any, expects: bool) -> None:
        """Let the application answer the request of this head, or wait for its turn behind those before it."""
        path = url.path.decode("ascii")
        scope: Any = {
            "type": "http",
            "asgi": ASGI,
            "http_version": version,
            "method": method,
            "scheme": self.scheme,
            "path": unquote(path) if "%" in path else path,
            "raw_path": url.path,
            "query_string": url.query or b"",
            "root_path": "",
            "headers": self.headers,
            "client": self.client,
            "server": self.server,
        }
        before = self.cycle
        keeps = version != "1.0" and self.parser.should_keep_alive()
        self.cycle = AnswerWriter(self, scope, keeps_alive=keeps, expects_continue=expects)
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self.running = cycle
        task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def on_body(self, body: bytes) -> None:
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        if self.patience is not None:
            self._set_patience(None)
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.more_body = False
            cycle.message_event.set()
        if len(self.pipeline) <= MOST_QUEUED:
            # uvicorn stops reading behind a long body, or a second request, until it has answered, and so hears of no
            # client that leaves.
            self.flow.resume_reading()

    def on_response_complete(self) -> None:
        """Begin the next request that waits, or wait for one as long as `KEEP_ALIVE_S`."""
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self.idle_since = self.loop.time()
        if self.idle is None:  # else it rings too early, and is set anew then: a timer for every request costs more
            self.idle = self.loop.call_later(self.timeout_keep_alive, self._look_idle)

    def _look_idle(self) -> None:
        """Close a connection on which nothing has been asked for long; who has begun to ask is under other clocks."""
        self.idle = None
        left_s = self.idle_since + self.timeout_keep_alive - self.loop.time()
        if self.patience is not None or (self.running is not None and not self.running.response_complete):
            return
        if left_s > CLOCK_S:
            self.idle = self.loop.call_later(left_s, self._look_idle)
        else:
            self.transport.close()

    def lose_patience(self) -> None:
        """Close a connection whose request does not come to its end; one that sent nothing is told nothing."""
        self.patience = None
        says_nothing = self.in_head and not self.head_bytes
        if says_nothing or (not self.in_head and self.cycle.response_started):
            self.transport.close()
        else:
            self.refuse(408, "request_timeout", "the request did not come to its end in time")

    def refuse(self, status: int, code: str, message: str) -> None:
        """Answer in the OpenAI error shape and close; while another request is being answered only close."""
        self._set_patience(None)
        running = self.running
        is_idle = running is None or running.response_complete
        if is_idle or (running is self.cycle and not self.in_head and not self.cycle.response_started):
            self.transport.write(refusal(status, code, message))
            if self.cycle is not None:  # the application is told that the client has gone, and writes no second answer
                self.cycle.disconnected = True
                self.cycle.message_event.set()
        self.transport.close()

    def _set_stall(self, waiting_bytes: int | None) -> None:
        """Look in a while whether fewer bytes than this still wait for the client; None: they need not."""
        if self.stall is not None:
            self.stall.cancel()
        self.stall = None if waiting_bytes is None else self.loop.call_later(STALL_S, self._look, waiting_bytes)

    def _look(self, waited_bytes: int) -> None:
        """End a connection whose client has taken nothing since the last look; a slow one goes on."""
        waiting_bytes = self.transport.get_write_buffer_size()
        if waiting_bytes >= waited_bytes:
            self.transport.abort()
        else:
            self._set_stall(waiting_bytes)

    def _whole_head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _set_patience(self, seconds: float | None) -> None:
        if self.patience is not None:
            self.patience.cancel()
        self.patience = None if seconds is None else self.loop.call_later(seconds, self.lose_patience)


def refusal(status: int, code: str, message: str) -> bytes:
    """A whole HTTP answer that refuses a request before any route was found."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    body = json.dumps({"error": error}).encode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
