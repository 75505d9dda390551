"""The journal: durable before relied on, one writer at a time, whole again after any crash."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.errors import DataError, StoreError
from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.journal import Journal, read_journal
from tenbin.pilot.records import Begun, Bought, Failed, Graded, Record
from tenbin.types import Usage

ANSWER = "line\nbreak \u2028 \x1b[31m 天秤 " + "x" * 100_000
RECORDS: tuple[Record, ...] = (
    Begun("c1", "q1", "big", 1.0, 0.5),
    Bought("c1", "q1", "big", 2.0, ANSWER, Usage(3, 4), 0.25, 1.5),
    Graded("q1", "big", 3.0, None, "exact", note="could not tell", details={"judge": "j"}),
    Failed("c2", "q2", "big", 4.0, "timeout", cost_usd=0.5),
)


def written(folder: Path, records: tuple[Record, ...] = RECORDS) -> PilotFolder:
    pilot = PilotFolder(folder)
    with Journal.open(pilot) as journal:
        journal.append(*records)
    return pilot


def test_what_was_written_is_read(tmp_path: Path) -> None:
    pilot = PilotFolder(tmp_path)
    assert list(read_journal(pilot)) == []
    written(tmp_path, RECORDS[:2])
    assert tuple(read_journal(written(tmp_path, RECORDS[2:]))) == RECORDS
    assert pilot.journal.read_bytes().count(b"\n") == len(RECORDS)


@given(st.data())
def test_whatever_a_crash_leaves_whole_lines_stay_and_a_part_goes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    pilot = written(tmp_path_factory.mktemp("journal"))
    whole = pilot.journal.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    ends = [0]
    for record in RECORDS:
        ends.append(ends[-1] + len(msgspec.json.encode(record)) + 1)
    # A line that lacks nothing but its end says all it has to say.
    kept = sum(end - 1 <= cut for end in ends[1:])
    pilot.journal.write_bytes(whole[:cut])
    assert tuple(read_journal(pilot)) == RECORDS[:kept]
    Journal.open(pilot).close()
    assert pilot.journal.read_bytes() == whole[: ends[kept]]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    pilot = written(tmp_path)
    lines = pilot.journal.read_bytes().splitlines(keepends=True)
    pilot.journal.write_bytes(b"".join([lines[0], b"\n", b'{"type": "begun"}\n', *lines[1:]]))
    with pytest.raises(DataError, match=r"journal\.jsonl:3: is no record of a pilot .* take this line out"):
        list(read_journal(pilot))


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    pilot = PilotFolder(tmp_path)
    with Journal.open(pilot), pytest.raises(StoreError, match=rf"another command .* \(process {os.getpid()}\)"):
        Journal.open(pilot)
    Journal.open(pilot).close()
    with pytest.raises(StoreError, match="plan the pilot first"):
        Journal.open(PilotFolder(tmp_path / "missing"))


def test_many_commits_make_few_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pilot, synced = PilotFolder(tmp_path), []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(sync(fd)))

    async def commit_all(journal: Journal) -> None:
        await asyncio.gather(*(journal.commit(Begun(f"c{n}", "q", "m", 1.0, 0.1)) for n in range(200)))
        left = asyncio.create_task(journal.commit(RECORDS[0]))
        await asyncio.sleep(0)
        left.cancel()
        await journal.drain()

    with Journal.open(pilot) as journal:
        asyncio.run(commit_all(journal))
    assert len(synced) <= 4
    read = list(read_journal(pilot))
    assert len(read) == 201
    assert read[-1] == RECORDS[0]


def test_a_full_disk_is_said_and_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pilot = written(tmp_path)
    before = pilot.journal.read_bytes()
    write = os.pwrite

    def half(fd: int, data: bytes, at: int) -> int:
        if len(data) < 50:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(fd, data[:40], at)

    with Journal.open(pilot) as journal:
        monkeypatch.setattr(os, "pwrite", half)
        with pytest.raises(StoreError, match="No space left on device"):
            asyncio.run(journal.commit(RECORDS[0]))
        monkeypatch.undo()
        assert pilot.journal.read_bytes() == before
        journal.append(RECORDS[0])
    assert tuple(read_journal(pilot)) == (*RECORDS, RECORDS[0])
