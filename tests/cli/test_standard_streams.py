from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import json, os, subprocess, sys
from tenbin.cli.standard_streams import open_standard_streams
open_standard_streams()
print("to nobody", flush=True), sys.stderr.write("to nobody"), sys.stdin.read()
subprocess.run([sys.executable, "-c", "import os; [os.fstat(number) for number in range(3)]"], check=True)
with open(sys.argv[1], "w") as file:
    json.dump([os.path.realpath(f"/proc/self/fd/{n}") for n in range(3)], file)
"""


@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", "<&-", ">&-", "2>&-"])
def test_what_is_closed_reads_and_writes_nothing(tmp_path: Path, closed: str) -> None:
    told = tmp_path / "told"
    command = shlex.join([sys.executable, "-c", PROGRAM, str(told)])
    devices = ["/dev/null" if f"{mark}&-" in closed.split() else None for mark in ("<", ">", "2>")]
    done = subprocess.run(
        ["sh", "-c", f"exec {command} {closed}"], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(told.read_text())
    assert all(device in (None, there) for device, there in zip(devices, found, strict=True))
