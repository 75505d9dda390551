from __future__ import annotations

import json
import os
import pty
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tenbin.artifact import read_manifest

Tenbin = Callable[..., Result]


def test_the_summary_says_what_was_fitted_why_and_what_next(made: Path) -> None:
    text = (made / "fit.txt").read_text(encoding="utf-8")
    manifest = read_manifest(made / "router")
    for word in (
        "96 prompts x 3 models",
        "large",
        manifest.embedder_name,
        manifest.embedder_reason,
        "Cross-fitted",
        "97%",
        "quality asked for",
        "95% intervals over the training prompts in brackets",
    ):
        assert word in text
    assert text.rstrip().splitlines()[-1].startswith("Next: tenbin evaluate ")
    assert " OUTCOMES --report report.html  (prompts that were not fitted on)" in text  # the table has no test rows


def test_a_table_with_test_rows_is_named_in_the_next_command_as_it_was_read(
    made: Path, tenbin: Tenbin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [json.loads(line) for line in (made / "train.jsonl").read_text().splitlines()]
    for i, line in enumerate(lines):
        line["split"], line["score"] = "test" if i >= len(lines) // 2 else "train", line.pop("quality")
    Path("my table.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    read = ("my table.jsonl", "--map", "quality=score", "--format", "outcomes")
    fitted = tenbin("fit", *read, "--prices", made / "prices.toml", "--out", "r", "--embedder", "base")
    assert fitted.exit_code == 0, fitted.stderr
    last = fitted.stdout.rstrip().splitlines()[-1]
    assert shlex.split(last)[1:] == ["tenbin", "evaluate", "r", *read, "--report", "report.html"]


def test_json_and_settings_arrive_in_the_artifact(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    run = tenbin(
        *("fit", made / "train.jsonl", "--prices", made / "prices.toml", "--out", tmp_path / "r", "--json"),
        *("--predictor", "ridge", "--embedder", "base", "--no-group", "--reference", "medium", "--seed", "7"),
    )
    assert run.exit_code == 0, run.stderr
    found, manifest = json.loads(run.stdout), read_manifest(tmp_path / "r")
    assert found["artifact_hash"] == manifest.artifact_hash
    assert (manifest.predictor, manifest.reference, manifest.seed, manifest.uses_groups) == (
        "ridge",
        "medium",
        7,
        False,
    )
    assert [entry["model"] for entry in found["candidates"]] == list(manifest.models)
    assert found["candidates"][manifest.models.index("large")]["quality"] == pytest.approx(1.0)
    assert [row["min_quality"] for row in found["promises"]] == [1.0, 0.99, 0.97, 0.95, 0.9]
    kept = next(row["promise"] for row in found["promises"] if row["min_quality"] == 0.97)
    assert kept["saving"]["value"] == found["crossfit"]["saving"]
    assert kept["quality_ratio"]["value"] >= 0.97
    assert kept["saving"]["low"] < kept["saving"]["value"] < kept["saving"]["high"]


@pytest.mark.filterwarnings("error")
def test_qualities_of_zero_and_savings_of_nothing_are_said_plainly(tenbin: Tenbin, tmp_path: Path) -> None:
    table = tmp_path / "zero.csv"
    rows = [f"q{k},Question number {k}?,{name},0,1.0" for k in range(12) for name in ("a", "b")]
    table.write_text("\n".join(["query_id,prompt,model,quality,cost_usd", *rows]), encoding="utf-8")
    run = tenbin("fit", table, "--embedder", "base", "--out", tmp_path / "router")
    assert (run.exit_code, run.stderr) == (0, "")
    assert "keeping 97% of a's quality costs as much as asking it every time." in run.stdout


def test_map_renames_columns(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    table = (made / "train.jsonl").read_text(encoding="utf-8").replace('"quality"', '"score"')
    (tmp_path / "t.jsonl").write_text(table, encoding="utf-8")
    asked = (
        "fit",
        tmp_path / "t.jsonl",
        "--prices",
        made / "prices.toml",
        "--predictor",
        "constant",
        "--out",
        tmp_path / "r",
    )
    assert tenbin(*asked).exit_code == 3
    assert tenbin(*asked, "--map", "quality=score").exit_code == 0


@pytest.mark.parametrize(
    ("flags", "what"),
    [
        (["--map", "quality"], "renames nothing"),
        (["--map", "quality=a", "--map", "quality=b"], "twice"),
        (["--format", "spruot"], 'did you mean "sprout"'),
        (["--reference", "huge"], '"huge" is no model'),
        (["--prces", "x"], '"--prices"'),
        (["--seed", "x"], "not a valid integer"),
    ],
)
def test_wrong_flags_are_named(made: Path, tenbin: Tenbin, tmp_path: Path, flags: list[str], what: str) -> None:
    prices = [] if "--prces" in flags else ["--prices", made / "prices.toml"]
    run = tenbin("fit", made / "train.jsonl", *prices, "--out", tmp_path / "r", *flags)
    assert (run.exit_code, run.stderr.count("\n")) == (2, 1), run.stderr
    assert what in run.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flag", "name", "near"), [("--predictor", "stak", "stack"), ("--embedder", "wordlama", "wordllama")]
)
def test_an_unknown_plug_in_gets_the_nearest_one(
    made: Path, tenbin: Tenbin, tmp_path: Path, flag: str, name: str, near: str
) -> None:
    run = tenbin("fit", made / "train.jsonl", "--prices", made / "prices.toml", flag, name, "--out", tmp_path / "r")
    assert (run.exit_code, run.stderr.count("\n")) == (11, 1), run.stderr
    assert f'did you mean "{near}"' in run.stderr


def test_a_place_taken_by_something_else_is_refused_before_the_work(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "thesis.txt").write_text("precious")
    run = tenbin("fit", tmp_path / "missing.parquet", "--out", tmp_path / "r")
    assert run.exit_code == 2
    assert "not a router" in run.stderr
    assert (tmp_path / "r" / "thesis.txt").read_text() == "precious"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_in_the_middle_leaves_nothing(
    made: Path, spawn: Callable[..., subprocess.Popen[bytes]], tmp_path: Path, number: int, code: int
) -> None:
    # A pipe that stays open keeps the fit in the middle of reading, however fast the machine.
    os.mkfifo(tmp_path / "prices.toml")
    process = spawn("fit", made / "train.jsonl", "--prices", tmp_path / "prices.toml", "--out", tmp_path / "r")
    writer = os.open(tmp_path / "prices.toml", os.O_WRONLY)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    os.close(writer)
    assert process.returncode == code
    assert said.decode().strip().startswith("tenbin: stopped by")
    assert b"Traceback" not in said
    assert [entry.name for entry in tmp_path.iterdir()] == ["prices.toml"]


def test_progress_is_drawn_on_a_terminal_only(made: Path, tmp_path: Path) -> None:
    import sys

    command = [sys.executable, "-m", "tenbin", "fit", str(made / "train.jsonl"), "--prices", str(made / "prices.toml")]
    command += ["--predictor", "constant", "--embedder", "base"]
    screen, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    watched = subprocess.Popen([*command, "--out", str(tmp_path / "a")], stdout=-1, stderr=terminal, env=environment)
    os.close(terminal)
    shown = b""
    began = time.monotonic()
    while time.monotonic() - began < 60:
        try:
            part = os.read(screen, 4096)
        except OSError:  # the other end is closed: the command is over
            break
        if not part:
            break
        shown += part
    watched.communicate(timeout=60)
    assert "━".encode() in shown
    assert b"%" in shown
    piped = subprocess.run([*command, "--out", str(tmp_path / "b")], capture_output=True, check=True, timeout=60)
    assert piped.stderr == b""
    assert b"\x1b[" not in piped.stdout


def test_an_unknown_embedder_is_told_what_there_is(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    asked = ("fit", made / "train.jsonl", "--prices", made / "prices.toml", "--out", tmp_path / "r", "--embedder")
    run = tenbin(*asked, "nosuch")
    assert run.exit_code != 0
    assert 'there is no embedder "nosuch"; here there are base, ' in run.stderr
    assert "endpoint:URL#MODEL" in run.stderr
    assert 'did you mean "wordllama"' in tenbin(*asked, "wordlama").stderr
