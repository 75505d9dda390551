"""Stopped from outside, by Ctrl-C or SIGTERM: the exceptions, the exit codes, and what is said."""

from __future__ import annotations

import signal

from tenbin.errors import EXIT_INTERRUPTED

EXIT_TERMINATED = 143
"""SIGTERM (128 + SIGTERM)."""


class Terminated(BaseException):
    """SIGTERM as an exception, so that half-written files are cleared away on the way out."""


def stopped(error: BaseException) -> tuple[str, int]:
    """The sentence and the exit code of a KeyboardInterrupt, or of Terminated.

    What a command says of its own unfinished work is the text of the exception. A database that was reading makes one
    of either; that SIGTERM came is seen by its being ignored since.
    """
    terminated = isinstance(error, Terminated) or signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    name, code = ("SIGTERM", EXIT_TERMINATED) if terminated else ("Ctrl-C", EXIT_INTERRUPTED)
    return f"stopped by {name}; {str(error) or 'nothing was left half-written'}", code
