"""The store locked, deleted, read-only or full: requests are served all the same, and their rows come in once."""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenbin.store.keys import create_key
from tenbin.store.reader import Reader
from tests.gateway.chaos.client import EASY, HARD, chat_body
from tests.gateway.chaos.processes import gathered, tenbin_serve
from tests.gateway.running import Running, Upstreams, eventually, written
from tests.gateway.serving import Serving, until

HOLD = """
import sqlite3, sys, time
link = sqlite3.connect(sys.argv[1], isolation_level=None)
link.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""
ASKED = 12


def ask(gateway: Running, name: str, count: int = ASKED, **headers: str) -> list[str]:
    """Ask so often, streaming and not; the users that were answered."""
    users = [f"{name}-{i}" for i in range(count)]
    for i, user in enumerate(users):
        answer = gateway.chat(f"{(EASY, HARD)[i % 2]} {user}", user=user, stream=i % 3 == 0, headers=headers)
        assert answer.status == 200
    return users


def users_of(gateway: Running) -> list[str]:
    """Whose calls are in the ledger, settled, once each."""
    calls = gateway.calls()
    assert {call.status for call in calls} == {"ok"}
    return sorted(call.user or "" for call in calls)


@pytest.fixture
def gateway(folder: Path, ups: Upstreams) -> Iterator[Running]:
    with Running(folder, ups) as running:
        yield running


def metric(gateway: Running, name: str) -> float:
    lines = gateway.request("GET", "/metrics", admin=True).body.decode().splitlines()
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} "))


def test_a_database_that_another_process_holds_delays_rows_only(gateway: Running) -> None:
    before = ask(gateway, "before")
    path = str(gateway.store / "ledger.sqlite")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        during = ask(gateway, "during")
        eventually(lambda: gateway.gateway.services.ledger.is_degraded, "the ledger to notice")
        assert metric(gateway, "tenbin_spooled_rows") >= 2 * ASKED
        assert gateway.get("/ready").status == 200
        during += ask(gateway, "later")
        holder.communicate("")
    eventually(lambda: gateway.gateway.services.ledger.spooled_rows == 0, "the spool to be applied")
    assert users_of(gateway) == sorted(before + during)
    assert metric(gateway, "tenbin_lost_rows_total") == 0.0


def test_a_store_that_is_deleted_is_made_again(gateway: Running) -> None:
    ask(gateway, "before")
    assert users_of(gateway)
    shutil.rmtree(gateway.store)
    after = ask(gateway, "after")
    eventually(lambda: gateway.gateway.services.ledger.spooled_rows == 0, "rows to be applied")
    later = ask(gateway, "later")
    found = users_of(gateway)
    lost = metric(gateway, "tenbin_lost_rows_total")
    assert len(found) == len(set(found))
    assert set(later) <= set(found) <= set(after + later)
    assert lost <= 3 * (len(after) - (len(found) - len(later)))


def test_keys_and_budgets_outlive_a_store_that_is_away(folder: Path, ups: Upstreams) -> None:
    secret, key = create_key(folder / "store", "client", day_usd=1000.0)
    with Running(folder, ups, gateway='keys = "required"') as gateway:
        eventually(lambda: len(gateway.gateway.services.ring) == 1, "the key")
        authorization = f"Bearer {secret}"
        before = ask(gateway, "before", authorization=authorization)
        holder = sqlite3.connect(gateway.store / "ledger.sqlite", isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        (gateway.store / "keys.sqlite").rename(gateway.store / "away.sqlite")
        during = ask(gateway, "during", authorization=authorization)
        assert gateway.chat(headers={"authorization": "Bearer tb-wrong"}).status == 401
        (gateway.store / "away.sqlite").rename(gateway.store / "keys.sqlite")
        holder.execute("ROLLBACK")
        holder.close()
        eventually(lambda: gateway.gateway.services.ledger.spooled_rows == 0, "the spool to be applied")
        assert users_of(gateway) == sorted(before + during)
        billed = sum(call.billed_usd for call in gateway.calls())
        assert gateway.gateway.services.reader.spent(key.key_id, 0.0) == pytest.approx(billed)


def test_a_file_in_the_place_of_the_store_is_an_outage_like_any_other(gateway: Running) -> None:
    before = ask(gateway, "before")
    assert users_of(gateway) == sorted(before)
    away = gateway.store.with_name("away")
    gateway.store.rename(away)
    gateway.store.write_text("no folder", encoding="utf-8")
    during = ask(gateway, "during")
    eventually(lambda: gateway.gateway.services.ledger.is_degraded, "the ledger to notice")
    gateway.store.unlink()
    away.rename(gateway.store)
    during += ask(gateway, "after")
    eventually(lambda: gateway.gateway.services.ledger.spooled_rows == 0, "the spool to be applied")
    assert users_of(gateway) == sorted(before + during)
    assert metric(gateway, "tenbin_lost_rows_total") == 0.0


def scraped(serving: Serving, name: str) -> float:
    connection = serving.connect(serving.admin)
    try:
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
    finally:
        connection.close()
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} "))


def asked_of(serving: Serving, name: str, count: int = ASKED, **fields: Any) -> list[str]:
    users = [f"{name}-{i}" for i in range(count)]
    bodies = [{**json.loads(chat_body(f"{HARD} {user}")), "user": user, **fields} for user in users]
    assert [status for status, _ in asyncio.run(gathered(serving.url, bodies))] == [200] * count
    return users


def test_a_full_disk_keeps_rows_in_memory_and_leaves_out_texts_that_find_no_room(folder: Path, ups: Upstreams) -> None:
    config = written(folder, ups, profile="mu = 0.3\nstore_prompts = true")
    store = folder / "store"
    with tenbin_serve(config) as serving:
        serving.wait_ready()
        before = asked_of(serving, "before")
        pid = serving.process.pid
        usual = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, usual[1]))
        during = asked_of(serving, "during")
        assert scraped(serving, "tenbin_queued_rows") > ASKED
        assert serving.get("/ready") == {"status": "ready"}
        # Ten prompts of 8 MB do not fit into the 64 MB that wait in memory.
        big = asked_of(serving, "big", 10, x_padding="x" * (8 << 20))
        resource.prlimit(pid, resource.RLIMIT_FSIZE, usual)
        until(lambda: scraped(serving, "tenbin_queued_rows") == 0.0, "the rows to be written")
        after = asked_of(serving, "after")
        lost = scraped(serving, "tenbin_lost_rows_total")
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0
    assert lost == 0.0
    calls = list(Reader(store).requests(with_text=True))
    assert {call.status for call in calls} == {"ok"}
    assert sorted(call.user or "" for call in calls) == sorted([*before, *during, *big, *after])
    without = {call.user for call in calls if call.prompt is None}
    assert set() < without < set(big)
    assert all(json.loads(call.answer)["choices"] for call in calls if call.user in {*before, *after})
