"""Compiles the kernel when Tenbin is installed or packed; where there is no C compiler, Tenbin works without it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOM = Path("src/tenbin/compiled")
SOURCES = ("normal.c", "kernel.c", "tally.c", "sight.c", "outlook.c", "glance.c", "scales.c", "pen.c")
# No contraction: a product and a sum must round like NumPy's, one after the other. Nobody asks errno after a root.
FLAGS = ("-std=c11", "-O3", "-ffp-contract=off", "-fno-math-errno", "-shared", "-fPIC")
TIMEOUT_S = 120


def compile_kernel(folder: Path) -> str | None:
    """Compile `SOURCES` into _kernel.so beside them; what stood in the way, None where nothing did.

    The compiler is `$CC` or the machine's `cc`.
    """
    sources, library = [folder / name for name in SOURCES], folder / "_kernel.so"
    compiler = shlex.split(os.environ.get("CC", "cc"))
    if not compiler or shutil.which(compiler[0]) is None:
        return "no C compiler was found"
    made = library.with_name(f"_kernel.{os.getpid()}.part")
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    command = [*compiler, *FLAGS, f'-DTENBIN_SOURCE="{digest}"', "-o", str(made), *map(str, sources), "-lm"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=TIMEOUT_S)  # noqa: S603
        said = done.stderr.decode(errors="backslashreplace").strip()  # a path in it may be of any bytes
        fault = said.partition("\n")[0] or "without a word" if done.returncode else None
        if fault is None:
            made.replace(library)
    except (OSError, subprocess.TimeoutExpired) as error:
        fault = str(error)
    with contextlib.suppress(OSError):  # of a folder that is read-only nothing goes, not even what is not there
        made.unlink()
    return fault and f"{compiler[0]} failed: {fault}"


class KernelHook(BuildHookInterface[Any]):
    """Adds the kernel to wheels and to checkouts that are installed to be edited."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (the interface's)
        """Compile, and mark the wheel as one for this platform."""
        fault = compile_kernel(Path(self.root) / ROOM)
        if fault:
            self.app.display_warning(f"tenbin: {fault}; it works without its compiled kernel, and decides more slowly")
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        build_data["artifacts"].append(str(ROOM / "_kernel.so"))
