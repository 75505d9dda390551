"""A thread beside the loop for work that may take long, or for ever."""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread


class SideThread:
    """Does what it is given in turn; starts with the first work, ends with `close` once all before it is done.

    A daemon: nothing ends a thread, and where its work hangs (another's code, a model far away) the process must end
    all the same. An executor's threads are waited for.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._given: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._is_started = False

    def do(self, work: Callable[[], None]) -> None:
        """Take this on; RuntimeError where the system gives no thread."""
        if not self._is_started:
            Thread(target=self._run, name=self._name, daemon=True).start()
            self._is_started = True
        self._given.put(work)

    def close(self) -> None:
        """Take on no more."""
        self._given.put(None)

    def _run(self) -> None:
        while (work := self._given.get()) is not None:
            work()


__all__ = ["SideThread"]
