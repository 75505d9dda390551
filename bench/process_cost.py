"""What processes have cost so far, read from /proc: CPU seconds and resident memory, children included."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def family(pids: Iterable[int]) -> Iterator[int]:
    """The processes and all below them."""
    for pid in pids:
        yield pid
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            yield from family(int(child) for child in task.read_text().split())


def cpu_s(pids: Iterable[int]) -> float:
    """User and system seconds of the processes and those below them; read as clock ticks of 10 ms."""
    ticks = 0
    for pid in family(pids):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def rss_mb(pids: Iterable[int]) -> float:
    """Resident memory in MB (10^6 bytes)."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in family(pids))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
