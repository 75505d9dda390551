"""Measures the claim that `pip install tenbin` takes at most 250 MB on disk, server parts included.

Makes a fresh venv in a temporary folder, builds and installs this checkout there with pip and no cache, and adds up
the blocks on disk of site-packages (pip itself, which venv puts there, is counted apart). Needs a package index.

    python runs/install_size.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SERVER_PARTS = ("uvicorn", "httptools", "msgspec")
LIMIT_MB = 250.0


def disk_mb(paths: Iterable[Path]) -> float:
    """Megabytes (10^6 bytes) that files and folders take on disk, as `du` counts them."""
    files = [inner for path in paths for inner in (path.rglob("*") if path.is_dir() else [path])]
    return sum(inner.lstat().st_blocks * 512 for inner in files) / 1e6


def installed(python: Path, folder: Path) -> dict[str, float]:
    """Megabytes of every package in the site-packages of that Python, by top-level name, dearest first."""
    command = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout.strip())
    sizes = {path.name: disk_mb([path]) for path in site.iterdir()}
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def is_of_pip(name: str) -> bool:
    """Whether venv put it there and not Tenbin."""
    return name.split("-", maxsplit=1)[0] in {"pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils"}


def measure(folder: Path, requirements: Iterable[str]) -> dict[str, float]:
    """Install into a fresh venv and measure it."""
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check"]
    subprocess.run([*install, *requirements], check=True)
    return installed(python, folder)


def main() -> int:
    """Print one JSON document; 1 if the limit is broken."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], check=False, capture_output=True, text=True, cwd=ROOT
    )
    result: dict[str, object] = {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit.stdout.strip(),
        "python": sys.version.split()[0],
        "limit_mb": LIMIT_MB,
    }
    total = 0.0
    for label, parts in (("base", ()), ("with_server_parts", SERVER_PARTS)):
        with tempfile.TemporaryDirectory() as folder:
            sizes = measure(Path(folder), [str(ROOT), *parts])
        total = sum(size for name, size in sizes.items() if not is_of_pip(name))
        result[f"{label}_mb"] = round(total, 1)
        result[f"{label}_and_pip_mb"] = round(sum(sizes.values()), 1)
        result[f"{label}_largest_mb"] = {name: round(size, 1) for name, size in list(sizes.items())[:6]}
    print(json.dumps(result, indent=2))
    return 0 if total <= LIMIT_MB else 1


if __name__ == "__main__":
    sys.exit(main())
