"""How many files a serving process may have open: a request is two, the client's connection and the upstream's."""

from __future__ import annotations

import contextlib
import resource


def allow_many_files() -> None:
    """Raise the limit to the most that the system allows this process.

    Shells and services set 1024, for programs that ask by `select`, which none of ours does: some 500 requests at once,
    and the next ones failed as if their upstreams did not answer.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # then it stays as it was
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
