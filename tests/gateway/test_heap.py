from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tenbin.gateway.heap import KEPT_BYTES

FAULTS = f"""
import resource
import sys
from tenbin.gateway.heap import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    bytearray({KEPT_BYTES // 4})
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

if sys.argv[1] == "keep":
    keep_freed_memory()
faults()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep memory")
def test_memory_that_was_freed_is_used_again() -> None:
    fresh, kept = (
        int(subprocess.run([sys.executable, "-c", FAULTS, what], capture_output=True, text=True, check=True).stdout)
        for what in ("leave", "keep")
    )
    assert kept < 10 < fresh
