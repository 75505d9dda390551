"""How many threads the library of linear algebra under numpy may take."""

from __future__ import annotations

import os

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def one_thread() -> None:
    """Bound it to one, unless somebody has set another number; to be called before numpy loads, which reads it then.

    A fit must not depend on how many cores there are, workers share them, and a small decision is slower among threads.
    """
    for variable in THREAD_VARIABLES:
        os.environ.setdefault(variable, "1")
