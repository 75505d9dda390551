"""One process that serves a configuration: the gateway made, its files watched, the loop run to its end."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import uvloop

from tenbin.gateway.heap import keep_freed_memory
from tenbin.gateway.open_files import allow_many_files
from tenbin.gateway.server import DRAIN_S, Served, Server, Sockets
from tenbin.gateway.watch import Watch

GARBAGE_OBJECTS = 20_000
"""After so many new objects, some forty requests' worth, unreachable ones are looked for."""


class MakeServed(Protocol):
    """What makes the thing to serve: `gateway.app.make_gateway`, or a stand-in."""

    def __call__(self, config: Path, environ: Mapping[str, str], *, worker: int, workers: int) -> Served: ...


def serve_process(
    config: Path,
    environ: Mapping[str, str],
    sockets: Sockets,
    ready: Callable[[], None],
    *,
    make: MakeServed | None = None,
    worker: int = 0,
    workers: int = 1,
    drain_s: float = DRAIN_S,
) -> None:
    """Serve what `make` makes (None: the gateway) until a signal ends it; `ready` is called once requests are taken.

    Raises what making and starting raise.
    """
    if make is None:
        from tenbin.gateway.app import make_gateway  # noqa: PLC0415 (half a second, which a taken port need not cost)

        make = make_gateway
    allow_many_files()
    watch = Watch(config, environ)  # before the files are read
    served = make(config, environ, worker=worker, workers=workers)
    # What is loaded now stays: the collector need not walk through it again, nor look after every request.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS, 20, 20)
    keep_freed_memory()

    async def run() -> None:
        await Server(served, sockets, watch, drain_s).run(ready)

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run())
    finally:
        gc.unfreeze()  # else DuckDB, where it was loaded, calls what it finds at the exit its own leaks, on 35 lines
