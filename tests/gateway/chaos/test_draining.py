"""SIGTERM while streams run: no new ones are invited, those that run finish, and the ledger is whole."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import aiohttp

from tenbin.store.reader import Reader
from tenbin.testing import Answer
from tests.gateway.chaos.client import HARD, PATIENCE_S
from tests.gateway.chaos.processes import tenbin_serve
from tests.gateway.running import Upstreams, written
from tests.gateway.serving import Serving, until

STREAMS = 20


async def streamed(serving: Serving, ups: Upstreams) -> list[bytes]:
    """Streams that have begun when the signal comes; what they give to their end."""

    async def one(session: aiohttp.ClientSession, number: int) -> bytes:
        body = {"model": "tenbin/auto", "stream": True, "user": f"u{number}"}
        body["messages"] = [{"role": "user", "content": f"{HARD} {number}"}]
        async with session.post(f"{serving.url}/v1/chat/completions", json=body) as answer:
            assert answer.status == 200
            heard = await answer.content.readany()
            begun.append(number)
            if len(begun) == STREAMS:
                serving.signal(signal.SIGTERM)
                await asyncio.to_thread(until, lambda: status_of(serving) == 503, "readiness to say no")
            return heard + await answer.read()

    begun: list[int] = []
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as session:
        return await asyncio.gather(*(one(session, i) for i in range(STREAMS)))


def status_of(serving: Serving) -> int:
    connection = serving.connect()
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status
    finally:
        connection.close()


def test_streams_finish_and_every_call_is_settled(folder: Path, ups: Upstreams) -> None:
    ups["good"].script = Answer(text="word " * 30, chunk_gap_s=0.08)  # they outlive the look at readiness
    config = written(folder, ups)
    with tenbin_serve(config) as serving:
        serving.wait_ready()
        heard = asyncio.run(streamed(serving, ups))
        assert serving.wait() == 0
    assert all(answer.endswith(b"data: [DONE]\n\n") for answer in heard)
    calls = list(Reader(folder / "store").requests())
    assert sorted(call.user or "" for call in calls) == sorted(f"u{i}" for i in range(STREAMS))
    assert {call.status for call in calls} == {"ok"}
    assert not list((folder / "store" / "journal").iterdir())
