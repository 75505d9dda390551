from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from tenbin.store.database import open_database, transaction
from tenbin.store.folder import StoreFolder
from tenbin.store.schema import LEDGER
from tenbin.testing import Answer
from tests.gateway.running import PATIENCE_S, Running, Upstreams, eventually


def test_a_recurring_step_is_tried_again_however_it_failed(tmp_path: Path) -> None:
    tries, is_done = [], threading.Event()

    def step() -> None:
        tries.append(len(tries))
        if len(tries) == 1:
            raise ZeroDivisionError
        is_done.set()

    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups) as gateway:
        gateway.loop.call_soon_threadsafe(gateway.gateway.services.every, 0.01, step)
        assert is_done.wait(PATIENCE_S)


def test_a_gateway_that_has_ended_leaves_all_rows_in_one_file(tmp_path: Path) -> None:
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups) as gateway:
        made = gateway.chat().headers["x-tenbin-decision-id"]
        assert gateway.get(f"/v1/decisions/{made}").status == 200
    assert sorted(path.name for path in gateway.store.glob("ledger.*")) == ["ledger.sqlite"]


def test_rows_expire_where_they_are_though_another_store_was_named_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenbin.gateway.services.EXPIRY_S", 0.05)
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups) as gateway:
        gateway.chat()
        assert len(gateway.calls()) == 1
        old = gateway.config.read_text(encoding="utf-8")
        other = old.replace(f'path = "{gateway.store}"', f'path = "{tmp_path / "other"}"\nkeep_days = 1')
        gateway.config.write_text(other, encoding="utf-8")
        assert gateway.request("POST", "/reload", admin=True).status == 200
        link = sqlite3.connect(gateway.store / "ledger.sqlite", isolation_level=None)
        link.execute("UPDATE calls SET at = at - 864000, settled_at = settled_at - 864000")
        eventually(lambda: not link.execute("SELECT count(*) FROM calls").fetchone()[0], "the old row to go")
        link.close()
    assert not (tmp_path / "other").exists()


def test_a_gateway_ends_though_much_is_still_to_leave_its_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It went on until all had left, a minute for half a million calls, and was killed for it."""
    monkeypatch.setattr("tenbin.store.retention.ROWS_AT_ONCE", 1)
    many = 20_000
    store = StoreFolder(tmp_path / "store")
    store.create()
    with closing(open_database(store.ledger, LEDGER, busy_s=1.0)) as link, transaction(link):
        old = [(f"dec-{i}", 86_400.0, None, "auto", "good", b"{}") for i in range(many)]
        link.executemany("INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?)", old)

    def left() -> int:
        with closing(sqlite3.connect(store.ledger)) as link:
            return int(link.execute("SELECT count(*) FROM decisions").fetchone()[0])

    with (
        Upstreams("cheap", "good") as ups,
        Running(tmp_path, ups, environ={"TENBIN_STORE__KEEP_DAYS": "1"}),
    ):
        eventually(lambda: left() < many, "the first to leave")
    assert left() > 0


@pytest.mark.parametrize("change", ["stores no more", "is dropped", "keeps until deleted"])
def test_texts_go_in_the_time_that_their_profile_promised(tmp_path: Path, change: str) -> None:
    keeps = "mu = 0.3\nstore_prompts = true\nretention_days = 1"
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups, profile=keeps) as gateway:
        gateway.chat()
        assert len(gateway.calls()) == 1
        old = gateway.config.read_text(encoding="utf-8")
        new = {
            "stores no more": old.replace("store_prompts = true\nretention_days = 1", ""),
            "is dropped": old.replace("[profiles.auto]", "[profiles.other]"),
            "keeps until deleted": old.replace("retention_days = 1", ""),
        }[change]
        gateway.config.write_text(new, encoding="utf-8")
        assert gateway.request("POST", "/reload", admin=True).status == 200
        link = sqlite3.connect(gateway.store / "ledger.sqlite", isolation_level=None)
        link.execute("UPDATE calls SET at = at - 864000")
        gateway.gateway.services._expire()  # which a task does once an hour
        left = link.execute("SELECT count(*) FROM texts").fetchone()[0]
        link.close()
    assert left == (1 if change == "keeps until deleted" else 0)
    assert (gateway.store / "retention" / "auto.json").exists() == (not left)


def test_the_time_to_the_first_token_is_the_clients_with_what_was_tried_before(tmp_path: Path) -> None:
    """It was counted from the last call: the seconds that a slow failure took from a client showed nowhere."""
    late_s = 0.5
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups) as gateway:
        ups["good"].script = Answer(status=503, first_byte_s=late_s)
        assert gateway.chat(stream=True).headers["x-tenbin-fallbacks"] == "good"
        eventually(lambda: gateway.gateway.services.in_flight == 0, "the request to end")
        text = gateway.request("GET", "/metrics", admin=True).body.decode()
        sums = [line for line in text.splitlines() if line.startswith("tenbin_first_token_seconds_sum{")]
        assert [float(line.rsplit(" ", 1)[1]) >= late_s for line in sums] == [True]
        call = gateway.calls()[-1]
        assert call.first_token_s is not None
        assert call.first_token_s < late_s  # the ledger has it of each call
