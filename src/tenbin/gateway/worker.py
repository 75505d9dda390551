"""`python -m tenbin.gateway.worker ORDER`: one of several serving processes, started by the supervisor."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tenbin.blas import one_thread
from tenbin.errors import TenbinError

if TYPE_CHECKING:
    from tenbin.gateway.process import MakeServed


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is told: the configuration, which of how many it is, and the descriptors it inherits.

    `public` and `admin` are bound sockets; `supervisor` is the read end of a pipe that ends with the supervisor;
    `report` the write end of one on which the worker says once that it is ready, or why it is not.
    """

    config: str
    worker: int
    workers: int
    public: int
    admin: int
    supervisor: int
    report: int

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What the process must inherit."""
        return self.public, self.admin, self.supervisor, self.report

    def dumps(self) -> str:
        """The order as one argument."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker says of its start: `error` None means ready; otherwise a sentence and its exit code."""

    error: str | None = None
    exit_code: int = 0

    def dumps(self) -> bytes:
        """The report as one line."""
        return json.dumps(asdict(self)).encode() + b"\n"


def main(arguments: Sequence[str], make: MakeServed | None = None) -> int:
    """Serve as ordered; the exit code. A failure to start is reported to the supervisor, who prints it once."""
    one_thread()  # numpy is in the imports below
    order = Order(**json.loads(arguments[0]))
    with os.fdopen(order.report, "wb", buffering=0) as report:
        try:
            serve_order(order, lambda: say(report.write, Report()), make)
        except TenbinError as error:
            say(report.write, Report(str(error), error.exit_code))
            return error.exit_code
        except Exception as error:
            say(report.write, Report(f"the worker failed ({type(error).__name__}: {error})", TenbinError.exit_code))
            raise
    return 0


def serve_order(order: Order, ready: Callable[[], None], make: MakeServed | None) -> None:
    """Serve on the inherited sockets until told otherwise."""
    from tenbin.gateway.process import serve_process  # noqa: PLC0415 (after the threads are bounded)
    from tenbin.gateway.server import Sockets  # noqa: PLC0415

    sockets = Sockets(socket.socket(fileno=order.public), socket.socket(fileno=order.admin), order.supervisor)
    serve_process(Path(order.config), os.environ, sockets, ready, make=make, worker=order.worker, workers=order.workers)


def say(write: Callable[[bytes], object], report: Report) -> None:
    """Report, if anybody still listens."""
    with contextlib.suppress(OSError):
        write(report.dumps())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
