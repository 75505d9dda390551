from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from click.testing import Result

from tenbin.cli import demo

Tenbin = Callable[..., Result]


def test_without_the_package_the_install_command_is_named(
    tenbin: Tenbin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "PACKAGE", "a_package_that_is_not_there")
    run = tenbin("demo", "--out", tmp_path / "demo")
    assert run.exit_code == 9
    assert "'pip install paretobandit'" in run.stderr
    assert run.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_package_is_found_without_being_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "made_package"
    (package / "data" / "examples").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    for name in (demo.FIT_ON, demo.HELD_OUT):
        (package / "data" / "examples" / name).write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(demo, "PACKAGE", "made_package")
    assert [path.name for path in demo.outcome_files()] == [demo.FIT_ON, demo.HELD_OUT]


def bandit_lines(count: int, start: int) -> str:
    rows = []
    for n in range(start, start + count):
        arms = {
            name: {"reward": reward, "cost": cost * (1 + n % 3)}
            for name, reward, cost in (
                ("cheap", float(n % 2), 1e-5),
                ("mid", float(n % 4 > 0), 1e-4),
                ("dear", 1.0, 1e-2),
            )
        }
        kind = "Compute" if n % 2 else "Describe at length"
        rows.append(json.dumps({"prompt": f"{kind} the number {n * 17}", "arms": arms, "source": kind}))
    return "\n".join(rows) + "\n"


def test_the_whole_demo(tenbin: Tenbin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = tmp_path / "made_bandit" / "data" / "examples"
    examples.mkdir(parents=True)
    (examples.parents[1] / "__init__.py").write_text("")
    (examples / demo.FIT_ON).write_text(bandit_lines(80, 0))
    (examples / demo.HELD_OUT).write_text(bandit_lines(60, 500))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(demo, "PACKAGE", "made_bandit")
    run = tenbin("demo", "--out", tmp_path / "out")
    assert run.exit_code == 0, run.stderr
    assert {"router", "report.html", "evaluation.json"} == {entry.name for entry in (tmp_path / "out").iterdir()}
    verdict = json.loads((tmp_path / "out" / "evaluation.json").read_text(encoding="utf-8"))["verdict"]
    assert verdict["sentences"]["en"][0] in run.stdout
    assert run.stdout.count("\n› ") == 3
    assert run.stdout.count("  chosen\n") == 3
    assert "best expected quality (mu 0)" in run.stdout
    assert " fit OUTCOMES.parquet --prices" in run.stdout  # by name where the shell finds it, else by path
    japanese = tenbin("demo", "--out", tmp_path / "out", "--lang", "ja").stdout
    assert all(
        word in japanese for word in ("振り分け", "学習完了", "埋め込み", "ベースライン", "モデルの無作為な混合")
    )
    assert japanese.count("  採用\n") == 3
    assert "期待品質が最高 (mu 0)" in japanese
    assert not any(
        word in japanese for word in ("chosen", "expected", "reference's", "Asked", "installed", "Explained")
    )
    found = json.loads(tenbin("demo", "--out", tmp_path / "out", "--json").stdout)
    schema = Path(__file__).parents[2] / "docs/reference/json/demo.schema.json"
    jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8"))).validate(found)
    assert len({decision["prompt"] for decision in found["decisions"]}) == 3


def test_the_next_commands_can_be_run_as_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "the venv" / "tenbin"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(script), "demo"])
    monkeypatch.setenv("PATH", "/nowhere")
    assert demo.program() == f"'{script}'"
    monkeypatch.setenv("PATH", str(script.parent))
    assert demo.program() == "tenbin"
