"""Where programs of models run: in bubblewrap, with nothing of this machine but the system's programs to read."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tenbin.errors import MissingExtraError
from tenbin.quality.limited_process import APART

SCRATCH_BYTES = 64 << 20
PROGRAM = "/python_tests.py"
SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
DEVICES = ("null", "zero", "urandom")
INSTALL = "install it (Debian, Ubuntu: apt install bubblewrap)"


def sandboxed(program: str) -> list[str]:
    """The command that runs a program of `apart/` in the sandbox.

    No network, an empty environment, no other processes to see; /usr and the Python that Tenbin runs on for reading, an
    empty /tmp of 64 MB for writing, and nothing else. Time, memory and processes the program limits itself, before it
    touches what it was given. Raises MissingExtraError where there is no bubblewrap.
    """
    bubblewrap = shutil.which("bwrap")
    if bubblewrap is None:
        raise MissingExtraError("programs run only inside bubblewrap, which is not installed", fix=INSTALL)
    python = Path(sys.base_prefix)
    visible = [Path("/usr"), *([] if python.is_relative_to("/usr") else [python])]
    command = [bubblewrap, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--die-with-parent"]
    command += ["--new-session", "--clearenv", "--setenv", "LANG", "C.UTF-8", *_rights()]
    for path in visible:
        for parent in [*reversed(path.parents)][1:]:  # which bubblewrap would make for its caller's eyes alone
            command += ["--perms", "0755", "--dir", str(parent)]
        command += ["--ro-bind", str(path), str(path)]
    command += _system_links()
    for device in DEVICES:
        command += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    command += ["--perms", "1777", "--size", str(SCRATCH_BYTES), "--tmpfs", "/tmp", "--chdir", "/tmp"]  # noqa: S108
    command += ["--ro-bind", str(APART / f"{program}.py"), PROGRAM, "--remount-ro", "/"]
    return [*command, "--", _python(python), "-I", "-B", PROGRAM]


def _rights() -> list[str]:
    """Root needs no namespace of users, and keeps just the rights to become nobody; others get a namespace of one."""
    if os.geteuid() == 0:
        return ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    return ["--unshare-user", "--cap-drop", "ALL"]


def _system_links() -> list[str]:
    """/bin, /lib and the like as they are here: links into /usr, or folders of their own."""
    found: list[str] = []
    for name in SYSTEM:
        path = Path("/") / name
        if path.is_symlink():
            found += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            found += ["--ro-bind", str(path), str(path)]
    return found


def _python(prefix: Path) -> str:
    """The interpreter below the environment that Tenbin is installed in: that one is not to be seen."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return str(prefix / "bin" / version)
