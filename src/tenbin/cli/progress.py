"""Long work shown on a terminal: the step, a bar, the time so far and the time to go; silent anywhere else."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from tenbin.cli.output import char_width, clip, pad

BAR_CELLS = 24
REDRAW_S = 0.1
KEEP_S = 0.5
"""A finished step shorter than this leaves no line behind."""


class TerminalProgress:
    """A `tenbin.types.Progress` on stderr: `with TerminalProgress() as progress: fit(..., progress=progress)`.

    One step is drawn at a time; a step that took half a second or more leaves a line with its time.
    """

    def __init__(
        self, stream: TextIO | None = None, *, quiet: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.stream = sys.stderr if stream is None else stream
        self.active = not quiet and is_live(self.stream)
        self.clock = clock
        self.step = ""
        self.started = self.drawn = 0.0
        self.shown = False

    def __call__(self, step: str, done: float) -> None:
        """Show that `step` is `done` (0 to 1); a new step name ends the one before."""
        if not self.active:
            return
        now = self.clock()
        if step != self.step:
            self.finish()
            self.step, self.started, self.drawn = step, now, -REDRAW_S
        if now - self.drawn >= REDRAW_S:
            self.draw(min(max(done, 0.0), 1.0), now - self.started)
            self.drawn = now
        if done >= 1.0:
            self.finish()

    def draw(self, done: float, elapsed_s: float) -> None:
        """Draw the bar of a step that is `done` (0 to 1), over the bar before."""
        left = f", {duration(elapsed_s * (1 - done) / done)} to go" if done > 0.02 and elapsed_s > 1.0 else ""
        columns = shutil.get_terminal_size().columns - 1
        line = f"  {pad(clip(self.step, 36), 36)}  {bar(done, BAR_CELLS)} {done:4.0%}  {duration(elapsed_s)}{left}"
        self.stream.write(f"\r\x1b[K{clip_right(line, columns)}")
        self.stream.flush()
        self.shown = True

    def finish(self) -> None:
        """End the step on the screen: its time, or nothing if it was short."""
        if not self.active or not self.step:
            return
        elapsed_s = self.clock() - self.started
        if self.shown:
            self.stream.write("\r\x1b[K")
        if elapsed_s >= KEEP_S:
            self.stream.write(f"  {pad(clip(self.step, 36), 36)}  {duration(elapsed_s)}\n")
        self.stream.flush()
        self.step, self.shown = "", False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish()


def is_live(stream: TextIO) -> bool:
    """Whether what was written to the stream can be drawn over."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def bar(done: float, cells: int) -> str:
    """A share from 0 to 1 as a bar so many columns wide."""
    full = int(done * cells)
    return "━" * full + "─" * (cells - full)


def clip_right(line: str, columns: int) -> str:
    """The line cut to the width of the terminal, so that it never wraps."""
    used = 0
    for at, char in enumerate(line):
        used += char_width(char)
        if used > columns:
            return line[:at]
    return line


def duration(seconds: float) -> str:
    """A time as people say it: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
