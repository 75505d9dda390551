"""`tenbin report` turns one saved evaluation into a page in either language."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tenbin.cli.report import report
from tenbin.errors import DataError
from tests.report.made import make_evaluation


@pytest.mark.parametrize(("lang", "heading"), [("en", "Cost against quality"), ("ja", "費用と品質の関係")])
def test_one_evaluation_gives_both_languages(lang: str, heading: str, tmp_path: Path) -> None:
    saved, page = tmp_path / "evaluation.json", tmp_path / "report.html"
    saved.write_text(json.dumps(make_evaluation().to_json()))
    run = CliRunner().invoke(report, [str(saved), "--out", str(page), "--lang", lang, "--title", "Our pilot"])
    assert run.exit_code == 0, run.output
    assert str(page) in run.output
    document = page.read_text(encoding="utf-8")
    assert heading in document
    assert "Our pilot" in document


def test_a_wrong_file_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    saved = tmp_path / "evaluation.json"
    saved.write_text("{}")
    run = CliRunner().invoke(report, [str(saved), "--out", str(tmp_path / "report.html")])
    assert isinstance(run.exception, DataError)
    assert [found.name for found in tmp_path.iterdir()] == ["evaluation.json"]
