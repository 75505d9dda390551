"""One serving process: public and admin port on one event loop, signals, reloads, and an end that cuts nobody off."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from tenbin.errors import EXIT_INTERRUPTED, TenbinError
from tenbin.gateway.port import Port
from tenbin.gateway.watch import Watch, keep_watch

DRAIN_S = 300.0
"""How long running answers may take to finish after SIGTERM; who starts us kills us earlier if it must be quicker."""
ORPHAN_DRAIN_S = 10.0
"""The same where the supervisor was killed: the next one wants the port."""


class Served(Protocol):
    """What a process serves: an ASGI app that can start, drain, stop and take up a new configuration."""

    admin: Any

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...
    async def startup(self) -> None: ...
    async def drain(self, deadline_s: float) -> None: ...
    async def shutdown(self) -> None: ...
    def reload(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Sockets:
    """Where a process listens, already bound.

    `supervisor` is a pipe that ends when the supervisor does; None where there is none, and the public socket our own.
    """

    public: socket.socket
    admin: socket.socket
    supervisor: int | None = None


class Server:
    """Serves until a signal says otherwise.

    SIGTERM and SIGINT drain: readiness says no, running answers finish, the ledger is flushed. A second SIGINT leaves
    at once. SIGHUP, and a change of the files, reload: a broken configuration is refused and the old one stays.
    """

    def __init__(self, served: Served, sockets: Sockets, watch: Watch, drain_s: float = DRAIN_S) -> None:
        self.served = served
        self.sockets = sockets
        self.watch = watch
        self.drain_s = drain_s
        self.log = logging.getLogger("tenbin.gateway")
        self.stopping = asyncio.Event()
        self.is_orphan = False
        self.reloading = asyncio.Lock()
        self.refused = ""
        self.tasks: set[asyncio.Task[None]] = set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve; `ready` is called once both ports answer. Raises what starting raises."""
        with self._signals(), self._supervised():
            await self.served.startup()
            try:
                await self._serve(ready)
            finally:
                for task in self.tasks:
                    task.cancel()
                await self.served.shutdown()

    async def reload(self, *, is_asked: bool = True) -> None:
        """Take up the files as they are now, off the loop and one at a time, and say so, or why not.

        Where nobody asked (files changed), a reason that was given last time is not given again.
        """
        async with self.reloading:
            try:
                await asyncio.to_thread(self.served.reload)
            except TenbinError as refused:
                if is_asked or str(refused) != self.refused:
                    self.log.error("reload refused, the configuration before it stays: %s", refused)
                self.refused = str(refused)
            except Exception:
                self.log.exception("reload failed, the configuration before it stays")
            else:
                self.refused = ""
                self.log.info("reloaded")

    async def _serve(self, ready: Callable[[], None]) -> None:
        public = Port(self.served, is_shared=self.sockets.supervisor is not None)
        admin = Port(self.served.admin)
        async with asyncio.TaskGroup() as serving:
            serving.create_task(public.serve(sockets=[self.sockets.public]))
            serving.create_task(admin.serve(sockets=[self.sockets.admin]))
            await public.is_open.wait()
            await admin.is_open.wait()
            self._start(keep_watch(self.watch, partial(self.reload, is_asked=False)))
            ready()
            await self.stopping.wait()
            if self.is_orphan:
                public.stop_listening()
                admin.stop_listening()
            loop = asyncio.get_running_loop()
            until = loop.time() + (ORPHAN_DRAIN_S if self.is_orphan else self.drain_s)
            await self.served.drain(until - loop.time())
            for port in (public, admin):
                port.end(until - loop.time())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stopping.set)
        loop.add_signal_handler(signal.SIGINT, self._interrupted)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._start(self.reload()))
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(number)

    def _interrupted(self) -> None:
        if self.stopping.is_set():
            sys.stderr.flush()
            os._exit(EXIT_INTERRUPTED)
        self.stopping.set()

    @contextlib.contextmanager
    def _supervised(self) -> Iterator[None]:
        """Stop when the supervisor's end of the pipe closes, however it ended: kill -9 gives it no last word."""
        pipe = self.sockets.supervisor
        if pipe is None:
            yield
            return
        loop = asyncio.get_running_loop()

        def orphaned() -> None:
            loop.remove_reader(pipe)
            self.is_orphan = True
            self.stopping.set()

        loop.add_reader(pipe, orphaned)
        try:
            yield
        finally:
            loop.remove_reader(pipe)
