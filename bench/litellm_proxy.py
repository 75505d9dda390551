"""LiteLLM's proxy from PyPI, in a virtual environment of its own: one worker, no database, a master key.

python -m bench.litellm_proxy [--folder DIR]   installs it and says where
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from bench.served import Served, free_port, serve

PACKAGE = "litellm[proxy]"
CONFIG = """\
model_list:
  - model_name: bench
    litellm_params:
      model: openai/bench
      api_base: http://127.0.0.1:{upstream}/v1
      api_key: sk-upstream
litellm_settings:
  telemetry: false
general_settings:
  master_key: sk-bench
"""
QUIET = {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}


def usual_folder() -> Path:
    """Where it is installed once for all runs."""
    return Path(tempfile.gettempdir()) / "tenbin-bench-litellm"


def installed(folder: Path) -> Path:
    """The proxy's command in `folder`, installed from the package index if it is not there."""
    command = folder / "bin" / "litellm"
    if not command.exists():
        print(f"installing {PACKAGE} into {folder} ...", file=sys.stderr)
        venv.create(folder, with_pip=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", PACKAGE], check=True)
    return command


def version(folder: Path) -> str:
    """The installed version."""
    code = "from importlib.metadata import version; print(version('litellm'))"
    return subprocess.run(
        [folder / "bin" / "python", "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def start_litellm(folder: Path, upstream: Served, home: Path | None = None) -> Served:
    """The proxy in front of the upstream."""
    home = home or usual_folder()
    config = folder / "litellm.yaml"
    config.write_text(CONFIG.format(upstream=upstream.port), encoding="utf-8")
    port = free_port()
    command = [str(installed(home)), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--num_workers", "1"]
    return serve("litellm", command, port, folder, ready_path="/health/liveliness", environ=QUIET)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=usual_folder())
    print(installed(parser.parse_args().folder))
