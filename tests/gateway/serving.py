"""A serving process under test: started, asked over loopback, and never left behind."""

from __future__ import annotations

import http.client
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

PATIENCE_S = 120.0
STAND_IN = Path(__file__).with_name("stand_in.py")


class Serving:
    """A process and the lines of its stderr: `with Serving([...]) as serving: serving.url`."""

    def __init__(self, command: Sequence[str], **variables: str) -> None:
        self.lines: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, **variables}
        )
        threading.Thread(target=self._read, daemon=True).start()
        self.url = self.admin = ""

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def line(self, pattern: str) -> str:
        """The next line of stderr in which the pattern is found."""
        while (line := self._queue.get(timeout=PATIENCE_S)) is not None:
            self.lines.append(line)
            if re.search(pattern, line):
                return line
        raise AssertionError(f"no line with {pattern!r} in {self.lines}")

    def wait_ready(self) -> Serving:
        found = re.search(r"ready at (\S+).*admin at ([^)]*)\)", self.line("ready at"))
        assert found is not None
        self.url, self.admin = found[1], found[2]
        return self

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """The exit code; the rest of stderr is in `lines` then."""
        code = self.process.wait(PATIENCE_S)
        while (line := self._queue.get(timeout=PATIENCE_S)) is not None:
            self.lines.append(line)
        return code

    def get(self, path: str, base: str | None = None) -> Any:
        """The decoded answer to a GET on a connection of its own."""
        connection = self.connect(base)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def connect(self, base: str | None = None) -> http.client.HTTPConnection:
        parts = urlsplit(base or self.url)
        return http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=PATIENCE_S)

    def __enter__(self) -> Serving:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def stand_in(config: Path, workers: int = 1, **variables: str) -> Serving:
    return Serving([sys.executable, str(STAND_IN), "serve", str(config), str(workers)], **variables)


def until(holds: Callable[[], Any], what: str) -> Any:
    """The first truthy result; AssertionError after PATIENCE_S."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for {what}")
