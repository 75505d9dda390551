"""The loop that a run runs on: watched on the terminal, stopped cleanly by Ctrl-C and SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator

import uvloop

from tenbin.cli.output import say
from tenbin.cli.pilot_run_progress import RunProgress
from tenbin.cli.stopped import Terminated
from tenbin.pilot.run.perform import perform
from tenbin.pilot.run.prepared import Prepared
from tenbin.pilot.run.report import RunReport
from tenbin.pilot.run.run import Run, RunOptions
from tenbin.report.catalogue import Catalogue

TICK_S = 0.2
SIGNALS: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)


class Watch:
    """Draws the progress of a run and hands it the signals; `stopped_by` is what to raise at the end, if any."""

    def __init__(self, words: Catalogue) -> None:
        self.words = words
        self.progress = RunProgress(sys.stderr, words)
        self.stopped_by: BaseException | None = None
        self.run: Run | None = None
        self._ticker: asyncio.Task[None] | None = None

    def begun(self, run: Run) -> None:
        """The run is about to make its first call."""
        self.run = run
        self._ticker = asyncio.get_running_loop().create_task(self._tick())

    def stop(self, number: signal.Signals) -> None:
        """A signal came: the first lets what is under way end, the second cuts it off."""
        if self.run is None:
            return
        if self.stopped_by is None:
            self.progress.clear()
            say(self.words("pilot_run.stopping"), err=True)
        self.stopped_by = KeyboardInterrupt() if number == signal.SIGINT else Terminated()
        self.run.stop()

    async def ended(self) -> None:
        """The run is over."""
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
        self.progress.clear()

    async def _tick(self) -> None:
        while self.run is not None:
            self.progress.show(self.run.report())
            await asyncio.sleep(TICK_S)


def run_watched(prepared: Prepared, options: RunOptions, words: Catalogue) -> tuple[RunReport, BaseException | None]:
    """The report of the run, and what to raise after it has been told: KeyboardInterrupt, Terminated, or nothing."""
    watch = Watch(words)

    async def whole() -> RunReport:
        with signals_to(watch):
            try:
                return await perform(prepared, os.environ, options, begun=watch.begun)
            finally:
                await watch.ended()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(whole()), watch.stopped_by


@contextlib.contextmanager
def signals_to(watch: Watch) -> Iterator[None]:
    """SIGINT and SIGTERM go to the watch; afterwards they are again what they were."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        loop.add_signal_handler(number, watch.stop, number)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
