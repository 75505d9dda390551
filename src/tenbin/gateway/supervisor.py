"""Several serving processes behind one port: started, watched, restarted, and ended together."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tenbin.errors import EXIT_INTERRUPTED, TenbinError
from tenbin.gateway.server import DRAIN_S
from tenbin.gateway.worker import Order, Report

COMMAND = (sys.executable, "-m", "tenbin.gateway.worker")
STEADY_S = 10.0
"""A worker that served so long before it died has not died at once."""
MAX_DEATHS = 5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
KILL_AFTER_S = DRAIN_S + 15.0


class Supervisor:
    """Keeps one worker per admin socket running behind one public socket.

    SIGTERM and SIGINT let all workers drain, a second SIGINT kills them. SIGHUP is passed on to those that serve: it
    would end one that starts, which looks for changes of its files anyway. A worker that dies is started again after a
    pause that doubles, also where the system refuses (no descriptors, no memory, a Python that is being replaced); when
    each start ends at once and no other worker serves, the supervisor gives up and says why.
    """

    def __init__(
        self,
        config: Path,
        environ: Mapping[str, str],
        public: socket.socket,
        admins: Sequence[socket.socket],
        command: Sequence[str] = COMMAND,
    ) -> None:
        self.config = config
        self.environ = environ
        self.public = public
        self.admins = admins
        self.command = command
        self.log = logging.getLogger("tenbin.gateway")
        self.running: dict[int, Process] = {}
        self.serving: set[int] = set()
        self.stopping = asyncio.Event()
        self.all_ready = asyncio.Event()
        # Never written to: its end at our death, however we die, is what the workers wait for.
        self.alive_read, self.alive_write = os.pipe()

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until a signal ends it; `ready` is called once every worker serves.

        Raises the error of the configuration where the first workers refuse it, TenbinError where they die at once.
        """
        with self._signals():
            keepers = [asyncio.create_task(self._keep(k)) for k in range(len(self.admins))]
            announcing = asyncio.create_task(self._announce(ready))
            stopped = asyncio.create_task(self.stopping.wait())
            await asyncio.wait({*keepers, stopped}, return_when=asyncio.FIRST_COMPLETED)
            announcing.cancel()
            await self._end(keepers)
            os.close(self.alive_write)
            os.close(self.alive_read)
            await asyncio.gather(*keepers, stopped)

    async def _announce(self, ready: Callable[[], None]) -> None:
        await self.all_ready.wait()
        ready()

    async def _keep(self, worker: int) -> None:
        """Run one worker, again and again, until the end."""
        deaths = 0
        while not self.stopping.is_set():
            told, code, served_s = await self._run_once(worker)
            if self.stopping.is_set():
                return
            deaths = 1 if served_s > STEADY_S else deaths + 1
            reason = told.error if told is not None and told.error else f"it {ending(code)}"
            if not self.all_ready.is_set() and told is not None and told.error:
                raise failure(told)
            if deaths >= MAX_DEATHS and not self.serving:
                raise TenbinError(f"worker {worker} died {deaths} times at once: {reason}", fix="see the lines above")
            pause = min(FIRST_PAUSE_S * 2 ** (deaths - 1), LONGEST_PAUSE_S)
            self.log.error("worker %d ended (%s); starting it again in %.1f s", worker, reason, pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), pause)

    async def _run_once(self, worker: int) -> tuple[Report | None, int, float]:
        """Start one worker and wait for its end: its report (None: no word), its exit code, the seconds it served."""
        try:
            process, reading = await self._start(worker)
        except OSError as error:
            return Report(f"no process could be started: {error}", TenbinError.exit_code), TenbinError.exit_code, 0.0
        self.running[worker] = process
        if self.stopping.is_set():  # the signal came while the process was being made
            _tell(process, signal.SIGTERM)
        try:
            told = await read_report(reading)
            if told is None or told.error is not None:
                return told, await process.wait(), 0.0
            began = time.monotonic()
            self.serving.add(worker)
            if len(self.serving) == len(self.admins):
                self.all_ready.set()
            code = await process.wait()
            return told, code, time.monotonic() - began
        finally:
            self.serving.discard(worker)
            self.running.pop(worker, None)

    async def _start(self, worker: int) -> tuple[Process, int]:
        """A process for one worker, and the pipe with its report. Errors: OSError."""
        reading, writing = os.pipe()
        admin = self.admins[worker].fileno()
        order = Order(str(self.config), worker, len(self.admins), self.public.fileno(), admin, self.alive_read, writing)
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command,
                order.dumps(),
                env=dict(self.environ),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=order.descriptors,
                process_group=0,  # Ctrl-C in a terminal is for us to pass on, once
            )
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        return process, reading

    async def _end(self, keepers: Sequence[asyncio.Task[None]]) -> None:
        """Let the workers that still run drain, kill those that do not end, and reap all."""
        self._stop()
        _, late = await asyncio.wait(keepers, timeout=KILL_AFTER_S)
        if late:
            self._send(signal.SIGKILL)
            await asyncio.wait(late)

    def _stop(self) -> None:
        self.stopping.set()
        self._send(signal.SIGTERM)

    def _interrupted(self) -> None:
        if not self.stopping.is_set():
            self._stop()
            return
        self._send(signal.SIGKILL)
        sys.stderr.flush()
        os._exit(EXIT_INTERRUPTED)

    def _send(self, number: signal.Signals) -> None:
        for process in list(self.running.values()):
            _tell(process, number)

    def _reload(self) -> None:
        for worker in self.serving:
            _tell(self.running[worker], signal.SIGHUP)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        loop.add_signal_handler(signal.SIGINT, self._interrupted)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(number)


def _tell(process: Process, number: signal.Signals) -> None:
    """Send a signal. Not by `send_signal`, which looks first whether the process has ended, and so takes its exit code
    from who waits for it."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


async def read_report(descriptor: int) -> Report | None:
    """The one line that a worker writes on this pipe, None where it ends without; the pipe is closed."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
    )
    try:
        line = await reader.readline()
    finally:
        transport.close()
    return Report(**json.loads(line)) if line.endswith(b"\n") else None


def failure(told: Report) -> TenbinError:
    """The error that a worker reported, of the class of its exit code."""
    kinds: list[type[TenbinError]] = [k for k in TenbinError.__subclasses__() if k.__init__ is TenbinError.__init__]
    found = next((kind for kind in kinds if kind.exit_code == told.exit_code), TenbinError)
    return found(told.error or "the worker failed")


def ending(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"left with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
