"""Stopped from outside, by Ctrl-C or SIGTERM: the exceptions, the exit codes, and what is said."""

from __future__ import annotations

from tenbin.errors import EXIT_INTERRUPTED

EXIT_TERMINATED = 143
"""SIGTERM (128 + SIGTERM)."""


class Terminated(BaseException):
    """SIGTERM as an exception, so that half-written files are cleared away on the way out."""


def stopped(error: BaseException) -> tuple[str, int]:
    """The sentence and the exit code of a KeyboardInterrupt, or of Terminated."""
    signal, code = ("SIGTERM", EXIT_TERMINATED) if isinstance(error, Terminated) else ("Ctrl-C", EXIT_INTERRUPTED)
    return f"stopped by {signal}; nothing was left half-written", code
