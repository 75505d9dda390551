"""The main job and some of the tests on the newest Python of this machine, where that is not the one of `.venv`.

Run as `python checks/newest_python.py`: copies the checkout into a temporary folder, installs it there, runs `make
demo` and `TESTS`. Looked for are python3.12 and later, on the PATH and in pyenv's folder. On Python 3.13 no report
could be written for a week, while every test passed on 3.11.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MINORS = range(12, 20)
TESTS = ("tests/router", "tests/upstream", "tests/store/test_ledger.py", "tests/gateway/test_connection.py")


def interpreters(minor: int) -> Iterator[str]:
    """Where a Python of this minor version may be."""
    if (found := shutil.which(f"python3.{minor}")) is not None:
        yield found
    for folder in sorted(Path.home().glob(f".pyenv/versions/3.{minor}.*"), reverse=True):
        yield str(folder / "bin" / "python")


def works(python: str, minor: int) -> bool:
    """Whether it runs, and is what it is called: pyenv's shims are there for versions that are switched off."""
    ask = f"import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, {minor}))"
    return subprocess.run([python, "-c", ask], capture_output=True, check=False).returncode == 0


def newest() -> str | None:
    """The newest that works and is newer than this one."""
    for minor in reversed(MINORS):
        if minor > sys.version_info.minor:
            for python in interpreters(minor):
                if works(python, minor):
                    return python
    return None


def copy(to: Path) -> None:
    """The checkout as it stands, without what git ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


def main() -> int:
    """Run it; the status of the first command that failed."""
    python = newest()
    if python is None:
        print("newest python: this machine has none that is newer than .venv's")
        return 0
    print(f"newest python: {python}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        copy(Path(folder))
        environ = {**os.environ, "PYTHON": python}
        tests = [".venv/bin/python", "-m", "pytest", "-q", "-n", "3", "-m", "not browser and not extra", *TESTS]
        for command in (["requirements/install.sh", "dev"], ["make", "demo"], tests):
            code = subprocess.run(command, cwd=folder, env=environ, check=False).returncode
            if code:
                return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
