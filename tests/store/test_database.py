"""Opening a database: twice in one process takes no locks away from the first connection, an older one is upgraded."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tenbin.errors import StoreError
from tenbin.store.database import Schema, open_database, version_of
from tenbin.store.schema import LEDGER

VISIT = "import sqlite3, sys; link = sqlite3.connect(sys.argv[1]); link.execute('SELECT * FROM calls'); link.close()"


def test_who_comes_and_goes_leaves_the_log_to_those_who_stay(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    stays = open_database(path, LEDGER, busy_s=1.0)
    open_database(path, LEDGER, busy_s=1.0).close()
    log = path.with_name("ledger.sqlite-wal")
    inode = log.stat().st_ino
    # Whoever closes last removes the log: this one must see that it is not the last.
    subprocess.run([sys.executable, "-c", VISIT, str(path)], check=True)
    assert log.exists()
    assert log.stat().st_ino == inode
    stays.close()


def test_a_store_of_an_older_version_keeps_its_rows_and_gets_the_indices_of_this_one(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    old = open_database(path, Schema(LEDGER.steps[:1], LEDGER.journal_mode), busy_s=1.0)
    old.execute(
        "INSERT INTO calls (request_id, call_no, writer, endpoint, response_id) VALUES ('r', 0, 'w', 'responses', 'x')"
    )
    old.execute("INSERT INTO texts VALUES ('r', 0, 'asked', 'answered')")
    old.close()
    link = open_database(path, LEDGER, busy_s=1.0)
    assert link.execute("SELECT request_id, call_no, prompt, answer FROM texts").fetchall() == [
        ("r", 0, "asked", "answered")
    ]
    found = "SELECT request_id FROM calls WHERE endpoint = 'responses' AND response_id = 'x'"
    assert link.execute(found).fetchall() == [("r",)]
    assert "calls_by_response" in link.execute(f"EXPLAIN QUERY PLAN {found}").fetchone()[-1]
    assert version_of(link, path, LEDGER) == len(LEDGER.steps)
    link.close()


def test_a_store_that_cannot_be_brought_up_to_date_says_so_and_stays_as_it_was(tmp_path: Path) -> None:
    """On a disk with too little room the log told that it is full, and people saw room on it."""
    path = tmp_path / "ledger.sqlite"
    before = len(LEDGER.steps) - 1
    with closing(open_database(path, Schema(LEDGER.steps[:before], LEDGER.journal_mode), busy_s=1.0)) as old:
        old.execute("DROP TABLE texts")
        old.execute("CREATE TABLE texts (request_id TEXT)")
    with pytest.raises(StoreError, match=f"cannot be brought from version {before} to {before + 1}: .*room"):
        open_database(path, LEDGER, busy_s=1.0)
    with closing(sqlite3.connect(path)) as link:
        assert version_of(link, path, LEDGER) == before
        assert link.execute("SELECT name FROM sqlite_schema WHERE name LIKE 'texts%'").fetchall() == [("texts",)]
