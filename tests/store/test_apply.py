"""From a journal into the ledger: every row once, whoever brings it in, and none is lost for one that fits nowhere."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tenbin.store.apply import Progress, apply_batch
from tenbin.store.database import open_database
from tenbin.store.frames import blank, decoder, encoder, frame
from tenbin.store.reader import Reader
from tenbin.store.records import Feedback, Record
from tenbin.store.schema import LEDGER
from tenbin.types import Usage
from tests.store.made import decided, intent, settled

VERDICT = Feedback("dec-1", 5.0, "key_1", 0.5)
TOO_MANY = Usage(2**63, 1)
"""Tokens that an upstream may claim and SQLite cannot hold."""


@pytest.fixture
def link(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_database(tmp_path / "ledger.sqlite", LEDGER, busy_s=1.0)) as link:
        yield link


def journal(folder: Path, *payloads: Sequence[Record]) -> Path:
    path = folder / "w0~1.00000001.log"
    path.write_bytes(b"".join(frame(encoder().encode(payload)) for payload in payloads))
    return path


def bring_in(link: sqlite3.Connection, path: Path) -> Progress:
    fd = os.open(path, os.O_RDONLY)
    try:
        return apply_batch(link, decoder(), path.name, fd, None)
    finally:
        os.close(fd)


def test_a_batch_that_another_has_brought_in_meanwhile_is_not_brought_in_again(
    tmp_path: Path, link: sqlite3.Connection
) -> None:
    path = journal(tmp_path, [VERDICT], [VERDICT])
    other = open_database(tmp_path / "ledger.sqlite", LEDGER, busy_s=1.0)
    theirs = []

    def meanwhile(statement: str) -> None:
        if statement == "BEGIN IMMEDIATE" and not theirs:  # the offset is read, the transaction has not begun
            theirs.append(bring_in(other, path))

    link.set_trace_callback(meanwhile)
    end = path.stat().st_size
    assert [bring_in(link, path), *theirs] == [Progress(2, 0, end, is_done=True, fault=None)] * 2
    assert len(list(Reader(tmp_path).feedback())) == 2
    assert bring_in(link, path) == Progress(0, 0, end, is_done=True, fault=None)
    other.close()


def test_rows_that_no_table_can_hold_are_counted_and_leave_the_others(
    tmp_path: Path, link: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    rows = [intent("a"), settled("a", usage=TOO_MANY), VERDICT, settled("b", usage=TOO_MANY), intent("b")]
    path = journal(tmp_path, rows)
    progress = bring_in(link, path)
    assert (progress.rows, progress.unfit, progress.is_done) == (5, 2, True)
    assert {call.request_id: call.status for call in Reader(tmp_path).requests()} == {"a": None, "b": None}
    assert len(list(Reader(tmp_path).feedback())) == 1
    assert caplog.text.count("a row does not fit the ledger and is left out") == 2


def test_what_was_erased_is_read_over_and_is_no_damage(tmp_path: Path, link: sqlite3.Connection) -> None:
    path = journal(tmp_path, [VERDICT])
    path.write_bytes(path.read_bytes() + blank(50) + path.read_bytes())
    assert bring_in(link, path) == Progress(2, 0, path.stat().st_size, is_done=True, fault=None)


def test_a_row_that_stands_alone_and_fits_nowhere_is_counted_too(tmp_path: Path, link: sqlite3.Connection) -> None:
    path = journal(tmp_path, [settled("a", usage=TOO_MANY)])
    assert bring_in(link, path).unfit == 1
    assert not list(Reader(tmp_path).requests())


def test_a_text_stands_where_one_was_given_and_nothing_where_none_was(tmp_path: Path, link: sqlite3.Connection) -> None:
    asked, answered = intent("asked", prompt=b"a question"), settled("answered", answer=b"an answer")
    bring_in(link, journal(tmp_path, [intent("none"), settled("none"), asked, answered, decided()]))
    texts = link.execute("SELECT request_id, call_no, prompt, answer FROM texts ORDER BY request_id").fetchall()
    assert texts == [("answered", 0, None, b"an answer"), ("asked", 0, b"a question", None)]
    kept = dict(link.execute("SELECT request_id, texts FROM calls"))
    assert kept == {"none": None, "asked": "stored", "answered": "stored"}
