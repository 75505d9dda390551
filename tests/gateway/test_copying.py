"""The store of a gateway that serves, copied as docs/gateway.md says: whole, and served on from."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from tests.gateway.running import EASY, HARD, Running, Upstreams, eventually

PAGE = Path(__file__).resolve().parents[2] / "docs" / "gateway.md"


def copying() -> str:
    """The program of the page."""
    section = PAGE.read_text(encoding="utf-8").partition("## Copy the store, go back\n")[2]
    return section.partition("```python\n")[2].partition("```")[0]


def test_a_copy_made_under_load_is_whole_and_can_be_served_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    is_done = threading.Event()
    stores = "max_cost_usd = 1.0\nstore_prompts = true\n[profiles.auto.sla]\navailability = 0.9"
    with Upstreams("cheap", "good") as ups:
        with Running(tmp_path, ups, profile=stores) as gateway:
            asked = {gateway.chat(text).headers["x-tenbin-decision-id"] for text in (EASY, HARD)}
            assert len(gateway.calls()) == 2
            (tmp_path / "tenbin-store").symlink_to(gateway.store)

            def ask() -> None:
                while not is_done.is_set():
                    gateway.chat()

            crowd = [threading.Thread(target=ask) for _ in range(4)]
            for each in crowd:
                each.start()
            eventually(lambda: gateway.gateway.services.reader.newest_call() > 20, "the load")
            exec(copying(), {})  # noqa: S102 (what the page tells operators to run)
            is_done.set()
            for each in crowd:
                each.join()
        (tmp_path / "tenbin-store").unlink()
        shutil.rmtree(gateway.store)
        (tmp_path / "tenbin-copy").rename(gateway.store)
        with closing(sqlite3.connect(gateway.store / "ledger.sqlite")) as link:
            assert link.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            calls, billed = link.execute("SELECT count(*), total(billed_usd) FROM calls").fetchone()
        assert calls > 20
        with Running(tmp_path, ups, profile=stores) as gateway:
            found = gateway.calls()
            assert (len(found), sum(call.billed_usd for call in found)) == (calls, pytest.approx(billed))
            assert asked <= {call.request_id for call in found}
            eventually(lambda: all(call.status is not None for call in gateway.calls()), "open calls to be settled")
            assert gateway.chat().status == 200
