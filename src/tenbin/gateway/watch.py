"""The files that a running gateway was built from, looked at once a second, so that changes need no restart."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from tenbin.artifact import CALIBRATION, MANIFEST, PRICES
from tenbin.config import Document, load_document, read_gateway, read_profiles
from tenbin.errors import TenbinError

PERIOD_S = 1.0

Look = Mapping[Path, tuple[int, int, int] | None]
"""What files were at one moment: time of change (ns), size, inode; None where there is none."""


class Watch:
    """Watches a configuration and what it names: make it before these files are read, so that no change is missed."""

    def __init__(self, config: Path, environ: Mapping[str, str]) -> None:
        self.config = config
        self.environ = environ
        self.files: tuple[Path, ...] = (config,)
        self._taken: Look = {}
        self._last: Look = {}
        self._start()

    def has_changed(self) -> bool:
        """Whether the files differ from the last time this was so and have come to rest: two looks that are equal."""
        seen = look_at(self.files)
        has_settled = seen == self._last and seen != self._taken
        self._last = seen
        if has_settled:
            self._start()
        return has_settled

    def _start(self) -> None:
        with contextlib.suppress(TenbinError):  # a broken config names no files: those of the last good one stay
            self.files = watched_files(self.config, load_document(self.config, self.environ))
        self._taken = self._last = look_at(self.files)


def look_at(files: tuple[Path, ...]) -> Look:
    """One look at files that may be missing or unreadable."""
    return {path: _state(path) for path in files}


def watched_files(config: Path, document: Document) -> tuple[Path, ...]:
    """The config itself, the manifests, prices and calibrations of its routers, its price files."""
    settings = read_gateway(document)
    routers = {settings.router, *(profile.router for profile in read_profiles(document).values())}
    parts = [folder / name for folder in routers if folder is not None for name in (MANIFEST, PRICES, CALIBRATION)]
    return tuple(sorted({config, *parts, *([settings.prices] if settings.prices is not None else [])}))


async def keep_watch(watch: Watch, act: Callable[[], Awaitable[None]], period_s: float = PERIOD_S) -> None:
    """Call `act` whenever the files have changed, for ever; a disk that hangs holds up a thread, not the answers."""
    is_due = False

    def look() -> None:
        nonlocal is_due
        is_due = watch.has_changed() or is_due

    while True:
        await asyncio.sleep(period_s)
        try:
            await asyncio.to_thread(look)  # one that found no thread is done all the same, once there is one
            if is_due:
                is_due = False
                await act()
        except Exception:  # as of a system that has no thread to give: the next look is another one
            logging.getLogger("tenbin.gateway").exception("the files cannot be looked at")


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
