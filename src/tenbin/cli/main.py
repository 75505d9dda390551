"""`tenbin`: the console script, which may be stopped from its first moment on; all else is loaded inside of that."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

from tenbin.cli.standard_streams import open_standard_streams
from tenbin.cli.stopped import Terminated, stopped


def on_sigterm(_signal: int, _frame: object) -> NoReturn:
    """Turn the first SIGTERM into an exception; `timeout` sends two, and the second would stop the clearing away."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated


def main() -> NoReturn:
    """The console script."""
    open_standard_streams()
    if sys.argv[1:2] == ["serve"] and hasattr(signal, "SIGHUP"):
        # until it can reload: what changes while it starts is taken up by itself
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, on_sigterm)
    try:
        from tenbin.cli.commands import start  # noqa: PLC0415 (takes a fifth of a second, in which people press Ctrl-C)

        code = start()
    except (KeyboardInterrupt, Terminated) as error:
        sentence, code = stopped(error)
        sys.stderr.write(f"tenbin: {sentence}\n")
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) in (signal.default_int_handler, on_sigterm):
            signal.signal(number, signal.SIG_DFL)  # all is said: who is impatient now gets no traceback
    sys.exit(code)
