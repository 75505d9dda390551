from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

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
