"""Small made outcomes, a router fitted on them by the command itself, and the command as a person calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tenbin.cli.commands import cli

MODELS = ("small", "medium", "large")
TOPICS = {
    "arithmetic": "Compute {n} plus {m} and give the number only",
    "history": "Describe what happened in the year {n} in the town of number {m}",
    "code": "Write a function f{n} in Python that returns a list of {m} zeros",
    "日本語": "数字の{n}と{m}について、日本語で短く説明してください",
}
PRICES = """
[models."small"]
input_usd_per_mtok = 0.1
output_usd_per_mtok = 0.4
[models."medium"]
input_usd_per_mtok = 1.0
output_usd_per_mtok = 4.0
[models."large"]
input_usd_per_mtok = 5.0
output_usd_per_mtok = 20.0
"""


def quality_of(topic: str, model: str, n: int) -> float:
    """The large model is always right, the small one on arithmetic, the medium one mostly."""
    if model == "large":
        return 1.0
    if model == "medium":
        return 1.0 if n % 4 else 0.0
    return 1.0 if topic == "arithmetic" or n % 5 == 0 else 0.0


def outcome_rows(prompts: int, start: int = 0) -> list[dict[str, Any]]:
    rows = []
    for n in range(start, start + prompts):
        topic = list(TOPICS)[n % len(TOPICS)]
        prompt = TOPICS[topic].format(n=n, m=7 * n % 97)
        for k, model in enumerate(MODELS):
            rows.append(
                {
                    "query_id": f"q{n}",
                    "prompt": prompt,
                    "group": topic,
                    "model": model,
                    "quality": quality_of(topic, model, n),
                    "input_tokens": 10 + n % 5,
                    "output_tokens": 20 * (k + 1) + n % 7,
                    "latency_s": 0.2 * (k + 1),
                }
            )
    return rows


def write_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `train.jsonl`, `test.jsonl`, `prices.toml` and a `router` fitted on them; do not change it."""
    folder = tmp_path_factory.mktemp("made")
    write_lines(folder / "train.jsonl", outcome_rows(96))
    write_lines(folder / "test.jsonl", outcome_rows(60, start=1000))
    (folder / "prices.toml").write_text(PRICES, encoding="utf-8")
    run = tenbin_in_process(
        "fit", folder / "train.jsonl", "--prices", folder / "prices.toml", "--out", folder / "router"
    )
    assert run.exit_code == 0, run.stderr
    (folder / "fit.txt").write_text(run.stdout, encoding="utf-8")
    return folder


def tenbin_in_process(*arguments: str | Path, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], input=stdin)


@pytest.fixture
def tenbin() -> Callable[..., Result]:
    """The command in this process: `tenbin("fit", path, ..., stdin=...)`."""
    return tenbin_in_process


@pytest.fixture
def spawn() -> Callable[..., subprocess.Popen[bytes]]:
    """The command as a process of its own: `spawn("fit", path, ..., NO_COLOR="1")`."""

    def start(*arguments: str | Path, **variables: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tenbin", *map(str, arguments)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env={**os.environ, **variables})

    return start
