"""The two targets that need no installing: the mock itself, and the floor in front of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from bench.served import LOAD_CORE, Served, free_port, serve


@dataclass(frozen=True, slots=True)
class Target:
    """What the load is sent to: a server, the model that is asked for there, the key, and where it has its metrics."""

    name: str
    served: Served
    model: str
    key: str = "sk-bench"
    admin_port: int | None = None


def start_mock(folder: Path) -> Served:
    """The upstream, on the core of the load."""
    port = free_port()
    command = [sys.executable, "-m", "bench.mock", "--port", str(port)]
    return serve("mock", command, port, folder, core=LOAD_CORE, ready_path="/v1/models")


def start_floor(folder: Path, upstream: Served) -> Served:
    """The minimal proxy, on the core of the targets."""
    port = free_port()
    address = f"http://127.0.0.1:{upstream.port}"
    command = [sys.executable, "-m", "bench.floor", "--port", str(port), "--upstream", address]
    return serve("floor", command, port, folder, ready_path="/v1/models")
