"""One short-lived process with a task on its input and a bounded answer on its output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Thread
from typing import Any

from tenbin.errors import TenbinError

APART = Path(__file__).parent / "apart"
MAX_OUTPUT_BYTES = 64 << 10
WALL_FACTOR = 3
"""Wall seconds for each second of computing: a busy machine must not make a verdict."""
PATIENT_FACTOR = 10
"""The same for programs of our own, which compute all the time and never wait."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its first output, what it complained of; `is_late` where it had to be killed."""

    output: bytes
    complaint: str
    is_late: bool


def run_program(command: Sequence[str], task: Mapping[str, Any], wall_s: float, limits: Mapping[str, int]) -> Ended:
    """Start a program in an empty environment, hand it the task, and wait for its end, `wall_s` seconds at most.

    Its output goes through a pipe: what is written there, the program cannot take back. `limits` by their names in
    `resource` hold before it gets the task; systems that cannot set them do without. Ctrl-C at the terminal does not
    reach it, lest half a grade becomes one.
    """
    with TemporaryFile() as complaint:
        source, sink = os.pipe()
        try:
            process = subprocess.Popen(  # noqa: S603 - a fixed program of ours
                command,
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=complaint,
                env={"LANG": "C.UTF-8"},
                cwd="/",
                start_new_session=True,
            )
        except OSError:
            os.close(source)
            raise
        finally:
            os.close(sink)
        output = bytearray()
        reader = Thread(target=_read, args=(source, output), daemon=True)
        reader.start()
        try:
            _limit(process.pid, limits)
            process.communicate(json.dumps(task).encode(), timeout=wall_s)
            is_late = process.returncode == -getattr(signal, "SIGXCPU", 0)
        except subprocess.TimeoutExpired:
            is_late = True
        finally:
            process.kill()
            process.wait()
            reader.join()
        complaint.seek(0)
        said = complaint.read(1024).decode("utf-8", "replace").strip()
        return Ended(bytes(output), said, is_late)


def run_apart(program: str, task: Mapping[str, Any], *, cpu_s: int, memory_bytes: int) -> dict[str, Any]:
    """The JSON object that a program of `apart/` gives for a task.

    Raises TenbinError where it takes more time or memory, or breaks off.
    """
    limits = {"RLIMIT_CPU": cpu_s, "RLIMIT_AS": memory_bytes, "RLIMIT_FSIZE": MAX_OUTPUT_BYTES}
    command = (sys.executable, "-I", "-S", "-B", str(APART / f"{program}.py"))
    ended = run_program(command, task, PATIENT_FACTOR * cpu_s, limits)
    if ended.is_late:
        raise TenbinError(f"it did not end within {cpu_s} s of computing", fix="make it simpler")
    try:
        found: dict[str, Any] = json.loads(ended.output)
    except ValueError:
        last = ended.complaint.splitlines()[-1:] or ["no reason given"]
        raise TenbinError(f"the process that computes it broke off ({last[0]})") from None
    return found


def _read(source: int, output: bytearray) -> None:
    """Keep the first of what is written until the last writer is gone; the rest only has to go somewhere."""
    with os.fdopen(source, "rb", buffering=0) as stream:
        while chunk := stream.read(MAX_OUTPUT_BYTES):
            output += chunk[: MAX_OUTPUT_BYTES - len(output)]


def _limit(pid: int, limits: Mapping[str, int]) -> None:
    try:
        import resource  # noqa: PLC0415 (not on Windows)
    except ImportError:
        return
    if hasattr(resource, "prlimit"):
        for name, most in limits.items():
            # Reaching the soft limit tells by its signal what it was; the hard one, a little above, kills.
            resource.prlimit(pid, getattr(resource, name), (most, most + 1))
