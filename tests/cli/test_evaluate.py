from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from tenbin.cli.evaluate_text import promises, shown_prompt
from tenbin.cli.output import TEXTS
from tenbin.report.catalogue import load_catalogue
from tenbin.types import Query
from tests.report.made import make_evaluation

Tenbin = Callable[..., Result]


@pytest.fixture(scope="module")
def evaluated(made: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    from click.testing import CliRunner

    from tenbin.cli.commands import cli

    folder = tmp_path_factory.mktemp("evaluated")
    asked = ["evaluate", made / "router", made / "test.jsonl", "--report", folder / "report.html", "--examples", "2"]
    run = CliRunner().invoke(cli, [str(word) for word in [*asked, "--out", folder / "eval.json"]])
    assert run.exit_code == 0, run.stderr
    return folder, run.stdout


def test_the_verdict_comes_first(evaluated: tuple[Path, str]) -> None:
    folder, text = evaluated
    figures = json.loads((folder / "eval.json").read_text(encoding="utf-8"))
    made_on = date.fromisoformat(figures["data"]["versions"]["date"])
    assert timedelta(0) <= date.today() - made_on <= timedelta(days=1)  # midnight may have passed since
    assert text.splitlines()[0] == figures["verdict"]["sentences"]["en"][0]
    for model in ("small", "medium", "large"):
        assert f"\n  {model}" in text
    assert "60 unseen prompts" in text


def test_the_report_shows_prompts_only_when_asked(
    evaluated: tuple[Path, str], made: Path, tenbin: Tenbin, tmp_path: Path
) -> None:
    folder, _ = evaluated
    prompts = {json.loads(line)["prompt"] for line in (made / "test.jsonl").read_text(encoding="utf-8").splitlines()}
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert sum(prompt in page for prompt in prompts) == 2
    assert tenbin("evaluate", made / "router", made / "test.jsonl", "--report", tmp_path / "r.html").exit_code == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert not any(prompt in page for prompt in prompts)


def test_japanese(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    run = tenbin("evaluate", made / "router", made / "test.jsonl", "--lang", "ja", "--report", page)
    assert "未学習のプロンプト" in run.stdout
    assert "モデルの無作為な混合" in run.stdout
    assert "reference" not in run.stdout
    assert 'lang="ja"' in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(("lang", "said"), [("en", "not reached in training"), ("ja", "学習時点で到達できず")])
def test_a_promise_that_training_did_not_reach_is_not_called_kept(lang: str, said: str) -> None:
    made = make_evaluation()
    unreached = dataclasses.replace(made.operating_points[0], reached=False)
    shown = promises(dataclasses.replace(made, operating_points=(unreached,)), load_catalogue(lang, TEXTS))
    assert shown.endswith(said)


def test_training_prompts_alone_are_nothing_to_evaluate_on(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    run = tenbin(
        "evaluate", made / "router", made / "train.jsonl", "--report", tmp_path / "r.html", "--out", tmp_path / "e"
    )
    assert run.exit_code == 8
    assert run.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "what"),
    [
        (["--lang", "jp"], '"en", "ja"'),
        (["--examples", "3"], "--report"),
        (["--examples", "-1", "--report", "x.html"], "-1"),
        (["--report", "missing/x.html"], "missing/x.html: is in a folder that does not exist"),
        (["--out", "."], "is a folder"),
    ],
)
def test_wrong_flags_are_named(made: Path, tenbin: Tenbin, flags: list[str], what: str) -> None:
    run = tenbin("evaluate", made / "router", made / "test.jsonl", *flags)
    assert (run.exit_code, run.stderr.count("\n")) == (2, 1), run.stderr
    assert what in run.stderr


@pytest.mark.parametrize("flag", ["--out", "--report"])
def test_the_outcomes_are_not_written_over(made: Path, tenbin: Tenbin, tmp_path: Path, flag: str) -> None:
    mine = tmp_path / "test.jsonl"
    mine.write_bytes((made / "test.jsonl").read_bytes())
    run = tenbin("evaluate", made / "router", mine, flag, mine)
    assert (run.exit_code, run.stderr.count("\n")) == (2, 1)
    assert "would be written over" in run.stderr
    assert mine.read_bytes() == (made / "test.jsonl").read_bytes()


def test_a_conversation_is_shown_by_what_it_says_without_its_pictures() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    turns = (
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "犬?"}, picture]},
    )
    assert shown_prompt(Query("q", "", messages=turns)) == "system: Be kind.\n\nuser: 犬?"
    assert shown_prompt(Query("q", "Which dog?")) == "Which dog?"
