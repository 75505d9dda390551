"""Opening a database twice in one process takes no locks away from the first connection."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tenbin.store.database import open_database
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
