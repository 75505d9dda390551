"""Clients leave at every moment of a request: nothing of it stays behind, and the ledger says what became of it."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenbin.store.budgets import Budgets
from tenbin.store.call import Call
from tenbin.store.keys import KeyRecord, create_key
from tenbin.testing import Answer
from tenbin.testing.fake.answer import Ending
from tests.gateway.chaos.client import HARD, chat_body, hear, leave, send
from tests.gateway.running import Running, Upstreams, eventually

STORM = 2_000
BATCH = 50

MOMENTS = {
    "before the headers": (Answer.hang(), False, b""),
    "within a whole answer": (Answer(cut_at=20, ending="hang"), False, b""),
    "a stream before its headers": (Answer.hang(), True, b""),
    "a stream before its first content": (Answer.slow(first_chunk_s=30.0), True, b""),
    "in the middle of a stream": (Answer(text="word " * 1_000, chunk_gap_s=0.05), True, b"data: "),
}


class Served:
    """A gateway, its upstreams, and a key with a budget."""

    def __init__(self, gateway: Running, ups: Upstreams, secret: str, key: KeyRecord) -> None:
        self.gateway, self.ups, self.secret, self.key = gateway, ups, secret, key
        self.services = gateway.gateway.services

    def used_usd(self) -> float:
        return self.services.budgets.standing(self.key)[0].used_usd

    def calls(self) -> list[Call]:
        """The calls of this key."""
        return [call for call in self.gateway.calls() if call.key_id == self.key.key_id]

    def wait_idle(self) -> None:
        """Until nobody is served; then no slot is taken, and all money is booked that was set aside."""
        # A request that the gateway has not begun to read is not in flight yet: the money tells when all are done.
        eventually(self.is_settled, f"{self.services.in_flight} requests to end, and their money to be booked")
        callers = self.services.callers
        assert all(slots.taken == 0 for slots in (*self.services._slots.values(), *callers._slots.values()))
        assert all(breaker == "closed" for breaker in self.services.breakers.states().values())

    def is_settled(self) -> bool:
        """Whether nobody is served and what counts against the budget is what was billed."""
        if self.services.in_flight:
            return False
        billed = sum(call.billed_usd for call in self.calls())
        return self.services.in_flight == 0 and self.used_usd() == pytest.approx(billed)


@pytest.fixture(scope="module")
def module_served(tmp_path_factory: pytest.TempPathFactory, router: Path) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("leaving")
    shutil.copytree(router, folder / "router")
    secret, key = create_key(folder / "store", "client", day_usd=1e6, max_concurrency=STORM)
    with Upstreams("cheap", "good") as ups, Running(folder, ups) as gateway:
        eventually(lambda: len(gateway.gateway.services.ring) == 1, "the key")
        services, now = gateway.gateway.services, time.time()
        # A day that does not end: all calls of these tests are compared with what counts against one day's budget.
        one_day = Budgets(gateway.store, services.ledger.writer, 1, wall=lambda: now)
        services.budgets, usual = one_day, services.budgets
        yield Served(gateway, ups, secret, key)
        services.budgets = usual
        one_day.close()


@pytest.fixture
def served(module_served: Served) -> Served:
    for fake in module_served.ups.fakes.values():
        fake.script = ()
        fake.clear()
    return module_served


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_client_that_leaves_takes_its_call_along(served: Served, moment: str) -> None:
    script, is_stream, heard = MOMENTS[moment]
    upstream = served.ups["good"]
    upstream.script = script
    client = send(served.gateway.port, chat_body(stream=is_stream), key=served.secret)
    (request,) = upstream.wait_for(1)
    if heard:
        assert heard in hear(client, heard)
    leave(client)
    upstream.wait_closed(request)
    served.wait_idle()
    call = served.calls()[-1]
    assert call.status == "cancelled"
    assert call.http_status == 499
    assert call.billed_usd > 0.0


@pytest.mark.parametrize("with_reset", [False, True])
def test_a_client_that_leaves_with_more_requests_under_way_takes_its_call_along(
    served: Served, caplog: pytest.LogCaptureFixture, with_reset: bool
) -> None:
    caplog.set_level(logging.WARNING)
    before = len(served.calls())
    upstream = served.ups["good"]
    upstream.script = Answer.hang()
    client = send(served.gateway.port, chat_body(), key=served.secret)
    (request,) = upstream.wait_for(1)
    client.sendall(2 * b"GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
    leave(client, with_reset=with_reset)
    upstream.wait_closed(request)
    served.wait_idle()
    (call,) = served.calls()[before:]
    assert call.status == "cancelled"
    assert caplog.text == ""


@pytest.mark.parametrize("with_reset", [False, True])
def test_a_client_that_leaves_after_a_long_body_is_noticed_as_well(served: Served, with_reset: bool) -> None:
    upstream = served.ups["good"]
    upstream.script = Answer.hang()
    client = send(served.gateway.port, chat_body(f"{HARD} " * 10_000, model="good"), key=served.secret)
    (request,) = upstream.wait_for(1)
    leave(client, with_reset=with_reset)
    upstream.wait_closed(request)
    served.wait_idle()
    assert served.calls()[-1].status == "cancelled"


@pytest.mark.parametrize("ending", ["hang", "close"])
def test_who_has_heard_the_end_was_answered_however_it_closes(served: Served, ending: Ending) -> None:
    whole = served.gateway.chat(stream=True, headers={"authorization": f"Bearer {served.secret}"}).body
    end = b"data: [DONE]\n\n"
    assert whole.endswith(end)
    frames = [frame + b"\n\n" for frame in whole.split(b"\n\n") if frame]
    upstream = served.ups["good"]
    upstream.script = Answer(chunks=tuple(frames), ending=ending, cut_at=len(whole))
    client = send(served.gateway.port, chat_body(stream=True), key=served.secret)
    assert end in hear(client, end)
    leave(client)
    served.wait_idle()
    assert served.calls()[-1].status == "ok"


def test_a_client_that_leaves_while_its_money_is_set_aside_costs_nothing(served: Served) -> None:
    secret, key = create_key(served.gateway.store, f"waits {time.monotonic_ns()}", day_usd=1.0)
    eventually(lambda: served.services.ring.find(secret), "the key")
    holder = sqlite3.connect(served.gateway.store / "ledger.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        client = send(served.gateway.port, chat_body("prove it while nobody can be asked"), key=secret)
        eventually(lambda: served.services.budgets._accounts.get(key.key_id), "the reserve to be asked for")
        leave(client)
        eventually(lambda: served.services.in_flight == 0, "the request to end")
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert served.services.budgets.standing(key)[0].used_usd == 0.0
    assert not served.ups.called()
    served.wait_idle()


def test_a_hundred_that_leave_at_once_are_all_settled(served: Served) -> None:
    before = len(served.calls())
    served.ups["good"].script = Answer(text="word " * 2_000, chunk_gap_s=0.05)
    clients = [send(served.gateway.port, chat_body(f"{HARD} {i}", stream=True), key=served.secret) for i in range(100)]
    for client in clients:
        hear(client, b"data: ")
    for client in clients:
        leave(client)
    for request in served.ups["good"].requests:
        served.ups["good"].wait_closed(request)
    served.wait_idle()
    assert [call.status for call in served.calls()[before:]] == ["cancelled"] * 100


def test_a_client_that_leaves_as_soon_as_it_has_asked(served: Served) -> None:
    before = len(served.calls())
    served.ups["good"].script = Answer.slow(first_byte_s=0.02)
    for i in range(100):
        leave(send(served.gateway.port, chat_body(f"{HARD} {i}"), key=served.secret), with_reset=i % 2 == 0)
    served.wait_idle()
    calls = served.calls()[before:]
    assert {call.status for call in calls} <= {"cancelled", "ok"}
    unsent = [call for call in calls if call.failure == "not_sent"]
    assert all(call.status == "cancelled" and call.billed_usd == 0.0 for call in unsent)
    assert len(calls) - len(unsent) >= len(served.ups.called())


def tasks_of(gateway: Running) -> int:
    async def count() -> int:
        return len(asyncio.all_tasks())

    return int(gateway.do(count()))


def test_a_storm_of_aborted_streams_leaves_nothing_behind(served: Served) -> None:
    upstream = served.ups["good"]
    upstream.script = Answer.slow(chunk_gap_s=0.02)
    descriptors, tasks, before = len(os.listdir("/proc/self/fd")), tasks_of(served.gateway), len(served.calls())
    for start in range(0, STORM, BATCH):
        clients = [
            send(served.gateway.port, chat_body(f"{HARD} {start + i}", stream=True), key=served.secret)
            for i in range(BATCH)
        ]
        for i, client in enumerate(clients):
            if i % 3:
                hear(client, b"\r\n\r\n" if i % 3 == 1 else b"data: ")
            leave(client, with_reset=i % 2 == 0)
    served.wait_idle()
    eventually(lambda: all(r.ended_at is not None for r in upstream.requests), "every upstream call to end")
    eventually(lambda: tasks_of(served.gateway) <= tasks, "every task to end")
    eventually(lambda: len(os.listdir("/proc/self/fd")) <= descriptors + BATCH, "every connection to close")
    calls = served.calls()[before:]
    assert len(calls) >= len(upstream.requests)
    assert {call.status for call in calls} <= {"cancelled", "ok"}
    assert served.gateway.chat().status == 200
