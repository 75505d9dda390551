"""What writes to files beside an event loop: handed a piece, it says on the loop when that is down."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import os
import queue
import struct
import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol

from tenbin.compiled.library import NUMBER, POINTER, Library, open_library

RUNG = struct.Struct("qq")
"""What the compiled pen rings with: `Outcome` of pen.c."""
Told = Callable[["Outcome"], None]


class Outcome(NamedTuple):
    """How much of a piece was written, and the errno that stood in the way of the rest (0: it is all there)."""

    written: int
    fault: int


class Pen(Protocol):
    """Writes one piece at a time; whoever hands one over is told of it on the loop before the next."""

    def write(self, fd: int, data: bytes, at: int) -> None:
        """Begin to write to `fd` from `at` on."""

    def close(self) -> None:
        """End the thread; after the last piece is down."""


def open_pen(loop: asyncio.AbstractEventLoop, told: Told) -> Pen:
    """The compiled pen, or one of Python where there is no library; `told` is called on the loop after every piece."""
    library = open_library()
    return PlainPen(loop, told) if library is None else CompiledPen(loop, told, library)


class CompiledPen:
    """A thread of pen.c. It needs no turn of the interpreter, so neither the disk nor the loop waits for the other."""

    def __init__(self, loop: asyncio.AbstractEventLoop, told: Told, library: Library) -> None:
        self._loop, self._told = loop, told
        counting = ctypes.PYFUNCTYPE(None, ctypes.py_object)
        self._hold, self._free = (counting((name, ctypes.pythonapi)) for name in ("Py_IncRef", "Py_DecRef"))
        self._data: bytes | None = None
        self._heard, self._bell = os.pipe()
        self._pen = ctypes.c_void_p()
        number = ctypes.c_int
        self._hand = library.function("tenbin_hand_to_pen", POINTER, number, ctypes.c_char_p, NUMBER, NUMBER)
        self._close = library.function("tenbin_close_pen", POINTER, gives_up_lock=True)
        loop.add_reader(self._heard, self._hear)
        fault = library.function("tenbin_open_pen", POINTER, number)(ctypes.addressof(self._pen), self._bell)
        if fault:
            self._put_down()
            raise OSError(fault, os.strerror(fault))

    def write(self, fd: int, data: bytes, at: int) -> None:
        """Begin to write to `fd` from `at` on."""
        # Held until it is down, whatever becomes of this object: for a busy disk the kernel goes on to read these bytes
        # while the interpreter ends, and would write what has come to stand in their place.
        self._hold(data)
        self._data = data
        self._hand(self._pen, fd, data, len(data), at)

    def close(self) -> None:
        """End the thread; after the last piece is down."""
        self._close(self._pen)
        self._let_go()
        self._put_down()

    def _put_down(self) -> None:
        with contextlib.suppress(RuntimeError):  # a loop that has closed hears nothing any more
            self._loop.remove_reader(self._heard)
        os.close(self._heard)
        os.close(self._bell)

    def _hear(self) -> None:
        outcome = Outcome(*RUNG.unpack(os.read(self._heard, RUNG.size)))
        self._let_go()
        self._told(outcome)

    def _let_go(self) -> None:
        data, self._data = self._data, None
        if data is not None:
            self._free(data)


class PlainPen:
    """A thread of Python."""

    def __init__(self, loop: asyncio.AbstractEventLoop, told: Told) -> None:
        self._loop, self._told = loop, told
        self._handed: queue.SimpleQueue[tuple[int, bytes, int] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="tenbin-journal", daemon=True)
        self._thread.start()

    def write(self, fd: int, data: bytes, at: int) -> None:
        """Begin to write to `fd` from `at` on."""
        self._handed.put((fd, data, at))

    def close(self) -> None:
        """End the thread; after the last piece is down."""
        self._handed.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (piece := self._handed.get()) is not None:
            outcome = write_whole(*piece)
            # A loop that has closed has nobody left who waits.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._told, outcome)


def write_whole(fd: int, data: bytes, at: int) -> Outcome:
    """Write all of it from `at` on."""
    view, written = memoryview(data), 0
    try:
        while written < len(data):
            step = os.pwrite(fd, view[written:], at + written)
            if step == 0:
                return Outcome(written, errno.EIO)
            written += step
    except OSError as error:
        return Outcome(written, error.errno or errno.EIO)
    return Outcome(written, 0)


__all__ = ["CompiledPen", "Outcome", "Pen", "PlainPen", "open_pen", "write_whole"]
