"""Freed memory kept for the next request: getting it anew from the system costs more than using it."""

from __future__ import annotations

import contextlib
import ctypes

KEPT_BYTES = 32 << 20
"""As much as deciding a conversation of some 400,000 tokens takes; the C library takes no larger threshold."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's `mallopt`."""


def keep_freed_memory() -> None:
    """Let at most `KEPT_BYTES` of freed memory stay with this process; nothing happens where glibc is not there.

    Otherwise every large array comes as fresh pages, which the system has to find and to fill with zeros: a fifth of
    the processor time that a conversation of 200,000 tokens takes.
    """
    with contextlib.suppress(OSError, AttributeError):
        set_option = ctypes.CDLL(None).mallopt
        set_option(_MMAP_THRESHOLD, KEPT_BYTES)
        set_option(_TRIM_THRESHOLD, KEPT_BYTES)
