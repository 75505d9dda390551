"""A server under measurement: started as a process of its own on a core of its own, awaited until it answers."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET_CORE, LOAD_CORE = "1", "0"
PORTS = (20_000, 32_000)
POLL_S = 0.02
STOP_S = 15.0


@dataclass(slots=True)
class Served:
    """A running server: where it listens, which process it is, how long it took to answer its first request."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    ready_s: float
    log: Path

    @property
    def pids(self) -> list[int]:
        return [self.process.pid]

    def stop(self) -> None:
        """Ask it to end, then make it."""
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_port() -> int:
    """A port that nobody listens on just now, below those that connections going out are given."""
    while True:
        port = random.randrange(*PORTS)  # noqa: S311 (no secret)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def pinned(command: Sequence[str], core: str) -> list[str]:
    """The command bound to one core where that can be done and there are two."""
    if shutil.which("taskset") is None or (os.cpu_count() or 1) < 2:
        return list(command)
    return ["taskset", "-c", core, *command]


def serve(
    name: str,
    command: Sequence[str],
    port: int,
    folder: Path,
    *,
    core: str = TARGET_CORE,
    ready_path: str = "/ready",
    ready_below: int = 500,
    wait_s: float = 120.0,
    environ: Mapping[str, str] | None = None,
    checkout: Path = ROOT,
) -> Served:
    """Start a server in a checkout and wait until a GET of `ready_path` gives a status under `ready_below`.

    Its output goes to FOLDER/NAME.log. Raises SystemExit, with the end of that log, if it dies or does not get ready.
    """
    log = folder / f"{name}.log"
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            pinned(command, core),
            cwd=checkout,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **(environ or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    while time.monotonic() - began < wait_s and process.poll() is None:
        if answers(port, ready_path, ready_below):
            return Served(name, port, process, time.monotonic() - began, log)
        time.sleep(POLL_S)
    fate = f"did not get ready in {wait_s:g} s" if process.poll() is None else f"ended with {process.returncode}"
    process.kill()
    sys.exit(f"{name} {fate}:\n{log.read_text(errors='replace')[-2000:]}")


def answers(port: int, path: str, below: int) -> bool:
    """Whether the server answers a GET with a status under `below`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < below
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
