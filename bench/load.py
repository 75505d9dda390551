"""The load generator: keep-alive connections at protocol level, each asking anew as soon as it is answered.

    python -m bench.load '{"port": 9101, "connections": 16, "seconds": 3, "stream": false, "paced": false, ...}'

The first answer of each connection only warms it up; measuring begins when all have had theirs, and ends after
`seconds`; what is then on its way is awaited, not counted. Prints one JSON document.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import httptools
import numpy as np
import uvloop

from bench.mock import WORDS
from bench.process_cost import cpu_s, rss_mb
from bench.prompts import Bodies

DRAIN_S = 15.0
STREAM_S = 0.16
MOST_KINDS = 12
FIRST_WORD = WORDS[0].encode()
"""The first token: a frame before it, with the role alone, is none, and may be held back until there is one."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of one measurement; `pids` are the server's processes, whose children count as well."""

    port: int
    model: str
    connections: int
    seconds: float
    stream: bool = False
    paced: bool = False
    key: str = "sk-bench"
    path: str = "/v1/chat/completions"
    seed: int = 0
    pids: tuple[int, ...] = ()


@dataclass
class Tally:
    """What came back."""

    latency_s: list[float] = field(default_factory=list)
    first_s: list[float] = field(default_factory=list)
    stall_s: list[float] = field(default_factory=list)
    gap_s: list[float] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)
    lost_frames: int = 0

    def error(self, kind: str) -> None:
        if len(self.errors) >= MOST_KINDS and kind not in self.errors:
            kind = "others"
        self.errors[kind] = self.errors.get(kind, 0) + 1


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.parser = httptools.HttpResponseParser(self)
        self.transport: asyncio.Transport | None = None
        self.is_waiting = False
        self.is_warm = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self.send()

    def send(self) -> None:
        """Ask the next, unless the time is over."""
        if self.run.is_over or self.transport is None:
            self.run.done(self)
            return
        self.parts: list[bytes] = []
        self.times: list[float] = []
        self.first_at: float | None = None
        self.is_waiting = True
        self.began = time.perf_counter()
        self.transport.write(self.run.request())

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.run.tally.error("not http")
            if self.transport is not None:
                self.transport.abort()

    def on_message_begin(self) -> None:
        self.status = 0

    def on_body(self, body: bytes) -> None:
        now = time.perf_counter()
        if self.first_at is None and FIRST_WORD in body:
            self.first_at = now
        self.times.append(now)
        self.parts.append(body)

    def on_message_complete(self) -> None:
        self.is_waiting = False
        self.run.answered(self, self.parser.get_status_code(), b"".join(self.parts))
        if self.parser.should_keep_alive():
            self.send()
        elif self.transport is not None:
            self.transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        if self.is_waiting:
            self.run.tally.error("connection lost")
        self.transport = None
        self.run.lost()


class Run:
    """All connections of one measurement."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.tally = Tally()
        self.bodies: Iterator[bytes] = iter(Bodies(load.model, stream=load.stream, paced=load.paced, seed=load.seed))
        head = f"POST {load.path} HTTP/1.1\r\nhost: 127.0.0.1:{load.port}\r\nauthorization: Bearer {load.key}\r\n"
        self.head = (head + "content-type: application/json\r\naccept: */*\r\ncontent-length: ").encode()
        self.is_measuring = self.is_over = False
        self.cold = load.connections
        self.open = load.connections
        self.finished = asyncio.Event()
        self.warm = asyncio.Event()

    def client(self) -> Client:
        """A connection to be."""
        return Client(self)

    def request(self) -> bytes:
        """The next request as bytes."""
        body = next(self.bodies)
        return b"%b%d\r\n\r\n%b" % (self.head, len(body), body)

    def answered(self, client: Client, status: int, body: bytes) -> None:
        """Count one answer."""
        now = time.perf_counter()
        if not client.is_warm:
            client.is_warm = True
            self.cold -= 1
            if self.cold == 0:
                self.warm.set()
        if status != 200:
            self.tally.error(f"status {status}: {body[:120].decode(errors='replace')}")
            return
        if self.load.stream:
            missing = sum(word.encode() not in body for word in WORDS) + (b"[DONE]" not in body)
            self.tally.lost_frames += missing
        elif WORDS[-1].encode() not in body:
            self.tally.error("no answer in the body")
        if not self.is_measuring or self.is_over:
            return
        times = client.times
        self.tally.latency_s.append(now - client.began)
        self.tally.first_s.append((times[0] if client.first_at is None else client.first_at) - client.began)
        if len(times) > 1:
            gaps = [after - before for before, after in pairwise(times)]
            self.tally.stall_s.append(max(gaps))
            self.tally.gap_s += gaps

    def done(self, client: Client) -> None:
        """A connection has nothing more to ask."""
        if client.transport is not None:
            client.transport.close()

    def lost(self) -> None:
        """A connection is gone: a new one takes its place while there is time."""
        if self.is_over:
            self.open -= 1
            if self.open == 0:
                self.finished.set()
        else:
            asyncio.get_running_loop().call_later(0.01, self.connect)

    def connect(self) -> None:
        task = asyncio.ensure_future(self._connect())
        task.add_done_callback(lambda ended: ended.exception())

    async def _connect(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(self.client, "127.0.0.1", self.load.port)
        except OSError as error:
            self.tally.error(f"connect: {error}")
            self.lost()

    async def measure(self) -> dict[str, object]:
        """Warm up, measure, drain."""
        loop = asyncio.get_running_loop()
        for index in range(self.load.connections):  # paced streams must not beat in step
            loop.call_later(index / self.load.connections * STREAM_S, self.connect)
        async with asyncio.timeout(60 + self.load.connections):
            await self.warm.wait()
        began, cpu_began = time.perf_counter(), cpu_s(self.load.pids)
        self.is_measuring = True
        await asyncio.sleep(self.load.seconds)
        ended, cpu_ended = time.perf_counter(), cpu_s(self.load.pids)
        self.is_over = True
        try:
            async with asyncio.timeout(DRAIN_S):
                await self.finished.wait()
        except TimeoutError:
            self.tally.error("not drained")
        return self.result(ended - began, cpu_ended - cpu_began)

    def result(self, seconds: float, cpu: float) -> dict[str, object]:
        tally, n = self.tally, len(self.tally.latency_s)
        return {
            "requests": n,
            "rps": n / seconds,
            "cpu_ms": 1000 * cpu / n if n and self.load.pids else None,
            "rss_mb": rss_mb(self.load.pids) if self.load.pids else None,
            **quantiles("latency", tally.latency_s),
            **quantiles("first", tally.first_s),
            **quantiles("gap", tally.gap_s),
            "stall_ms": 1000 * max(tally.stall_s) if tally.stall_s else None,
            "lost_frames": tally.lost_frames,
            "errors": tally.errors,
        }


def quantiles(name: str, values: list[float]) -> dict[str, float | None]:
    """The 50th, 95th and 99th percentile in milliseconds."""
    found = np.quantile(values, (0.5, 0.95, 0.99)) * 1000 if values else (None,) * 3
    return {f"{name}_p{p}_ms": None if v is None else float(v) for p, v in zip((50, 95, 99), found, strict=True)}


def main() -> None:
    """Measure what the one argument, a JSON object of Load's fields, asks for."""
    asked = json.loads(sys.argv[1])
    load = Load(**{**asked, "pids": tuple(asked.get("pids", ()))})

    async def whole() -> dict[str, object]:
        return await Run(load).measure()

    print(json.dumps(uvloop.run(whole())))


if __name__ == "__main__":
    main()
