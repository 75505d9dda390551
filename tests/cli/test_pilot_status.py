"""`tenbin pilot status`, `merge` and `export` as a person calls them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import msgspec
import pytest
from click.testing import Result

from tenbin.pilot.records import Graded
from tests.pilot.made import every_pair, made_prompts, made_records, written

Tenbin = Callable[..., Result]
SCHEMAS = Path(__file__).parents[2] / "docs/reference/json"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pilots")
    for name, n in (("one", 14), ("two", 24)):
        prompts = made_prompts(n)
        written(folder / name, prompts, every_pair(prompts), made_records(prompts, every_pair(prompts), seed=n))
    return folder


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("pilot-status", "status one two"),
        ("pilot-merge", "merge one two --out {tmp}/all.csv"),
        ("pilot-export", "export one --out {tmp}/one.parquet"),
    ],
)
def test_the_document_keeps_to_its_schema(schema: str, words: str, root: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    run = tenbin("pilot", *(word.format(tmp=tmp_path) for word in words.split()), "--root", root, "--json")
    assert run.exit_code == 0, run.stderr
    found = json.loads((SCHEMAS / f"{schema}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(found).validate(json.loads(run.stdout))


def test_one_pilot_is_told_in_full_with_its_page(root: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    run = tenbin("pilot", "status", "one", "--root", root, "--html", tmp_path / "page.html", "--lang", "ja")
    assert run.exit_code == 0, run.stderr
    assert "プロンプトを追加してください" in run.stdout
    assert 'lang="ja"' in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_two_are_put_side_by_side_and_have_no_page(root: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    run = tenbin("pilot", "status", "one", "two", "--root", root)
    assert "one" in run.stdout
    assert "two" in run.stdout
    run = tenbin("pilot", "status", "one", "two", "--root", root, "--html", tmp_path / "page.html")
    assert run.exit_code == 2
    assert "one pilot" in run.stderr


def test_a_pilot_that_is_not_there_is_named(root: Path, tenbin: Tenbin) -> None:
    run = tenbin("pilot", "status", "three", "--root", root)
    assert run.exit_code == 3
    assert "there is no such pilot" in run.stderr


def test_clashes_are_told_and_one_pilot_is_no_merge(root: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    run = tenbin("pilot", "merge", "one", "two", "--root", root, "--out", tmp_path / "all.jsonl")
    assert run.exit_code == 0, run.stderr
    assert "labelled differently; the later label holds" in run.stdout
    assert tenbin("pilot", "merge", "one", "--root", root, "--out", tmp_path / "x.csv").exit_code == 2


def test_a_pilot_graded_anew_is_held_to_the_metric_that_graded_it(tenbin: Tenbin, tmp_path: Path) -> None:
    prompts = made_prompts(14)
    pairs = every_pair(prompts)
    first = made_records(prompts, pairs)
    anew = [msgspec.structs.replace(it, metric="judge-1") for it in first if isinstance(it, Graded)]
    written(tmp_path / "one", prompts, pairs, first)
    written(tmp_path / "two", prompts, pairs, [*first, *anew])
    run = tenbin("pilot", "merge", "one", "two", "--root", tmp_path, "--out", tmp_path / "all.csv")
    assert run.exit_code == 2
    assert "different metrics (one: exact-1, two: judge-1)" in run.stderr
    told = json.loads(tenbin("pilot", "status", "two", "--root", tmp_path, "--json").stdout)
    assert "judge-1" in json.dumps(told)
    assert "exact-1" not in json.dumps(told)


def test_an_export_has_its_card_and_one_way_of_hiding_prompts(root: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    out = tmp_path / "one.csv"
    run = tenbin("pilot", "export", "one", "--root", root, "--out", out, "--hash-prompts", "--license", "CC0-1.0")
    assert run.exit_code == 0, run.stderr
    assert "sha256:" in out.read_text(encoding="utf-8")
    assert "CC0-1.0" in (tmp_path / "one.csv.card.md").read_text(encoding="utf-8")
    run = tenbin("fit", out, "--out", tmp_path / "router")
    assert run.exit_code == 3
    assert "the outcome table: has hashes in place of prompts" in run.stderr
    run = tenbin("pilot", "export", "one", "--root", root, "--out", out, "--hash-prompts", "--drop-prompts")
    assert run.exit_code == 2
