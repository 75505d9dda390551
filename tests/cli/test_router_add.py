from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tenbin.cli.router import COMMANDS
from tests.cli.conftest import PRICES, quality_of, write_lines

Tenbin = Callable[..., Result]
BOOK = PRICES + '[models."fresh"]\ninput_usd_per_mtok = 0.1\noutput_usd_per_mtok = 0.4\n'


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    path = tmp_path / "prices.toml"
    path.write_text(BOOK)
    return path


def answered(asked: Path, like: str, out: Path) -> Path:
    """The prompts of a file answered by "fresh" as well as a known model does."""
    rows: list[dict[str, Any]] = []
    for line in asked.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        n = int(record["query_id"][1:])
        quality = quality_of(record["group"], like, n)
        rows.append({**record, "model": "fresh", "quality": quality, "input_tokens": 12, "output_tokens": 40})
    return write_lines(out, rows)


def test_from_prompts_to_a_router_that_has_it(made: Path, tenbin: Tenbin, prices: Path, tmp_path: Path) -> None:
    ask = tmp_path / "ask.jsonl"
    run = tenbin(
        "router", "add-model", made / "router", "--suggest", "24", "--prompts", made / "train.jsonl", "--out", ask
    )
    assert run.exit_code == 0, run.stderr
    assert len(ask.read_text(encoding="utf-8").splitlines()) == 24
    table = answered(ask, "large", tmp_path / "answers.jsonl")
    new = tmp_path / "new"
    words = ("router", "add-model", made / "router")
    run = tenbin(*words, table, "--model", "fresh", "--prices", prices, "--out", new)
    assert run.exit_code == 0, run.stderr
    assert "Taken in" in run.stdout
    assert "Expected gain" in run.stdout
    shown = json.loads(tenbin("router", "show", new, "--json").stdout)["manifest"]
    assert [candidate["name"] for candidate in shown["candidates"]][-1] == "fresh"
    assert (shown["changes"][0]["kind"], shown["changes"][0]["n_labels"]) == ("added", 24)
    card = tenbin("router", "show", new).stdout
    assert "fresh" in card
    assert "24 labels" in card
    differ = tenbin("router", "diff", made / "router", new).stdout
    assert "+ fresh" in differ
    assert "24 labels" in differ
    routed = json.loads(tenbin("route", new, "Compute 3 plus 4", "--mu", "0.5", "--json").stdout)
    assert "fresh" in {candidate["model"] for candidate in routed["candidates"]}


def test_what_does_not_help_is_written_only_by_force(made: Path, tenbin: Tenbin, prices: Path, tmp_path: Path) -> None:
    ask = tmp_path / "ask.jsonl"
    tenbin("router", "add-model", made / "router", "--suggest", "16", "--prompts", made / "train.jsonl", "--out", ask)
    prices.write_text(BOOK.replace("0.1\noutput_usd_per_mtok = 0.4", "90.0\noutput_usd_per_mtok = 90.0"))
    table = answered(ask, "small", tmp_path / "answers.jsonl")
    new = tmp_path / "new"
    words = ("router", "add-model", made / "router", table, "--model", "fresh", "--prices", prices, "--out", new)
    run = tenbin(*words)
    assert run.exit_code == 0, run.stderr
    assert "Not taken in" in run.stdout
    assert "Nowhere along the dial" in run.stdout
    assert not new.exists()
    forced = json.loads(tenbin(*words, "--force", "--json").stdout)
    assert forced["taken_in"]
    assert forced["forced"]
    assert (new / "manifest.json").is_file()


def test_a_candidate_less(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    new = tmp_path / "new"
    run = tenbin("router", "retire-model", made / "router", "small", "--out", new)
    assert run.exit_code == 0, run.stderr
    assert "large, medium" in run.stdout
    assert "- small" in tenbin("router", "diff", made / "router", new).stdout
    run = tenbin("router", "retire-model", new, "large", "--out", tmp_path / "newer")
    assert run.exit_code == 2
    assert "--reference" in run.stderr
    assert not (tmp_path / "newer").exists()
    run = tenbin("router", "retire-model", new, "large", "--reference", "medium", "--out", new)
    assert run.exit_code == 0, run.stderr
    assert "The reference is medium now" in run.stdout
    assert tenbin("router", "retire-model", new, "medium", "--out", new).exit_code == 2


def test_lines_of_prompts_are_kept_as_they_are_and_held_out_ones_left_alone(
    made: Path, tenbin: Tenbin, tmp_path: Path
) -> None:
    rows = [
        {"query_id": f"p{n}", "prompt": f"Say {n} in French", "reference": "x", "split": "train" if n % 2 else "test"}
        for n in range(40)
    ]
    prompts, out = write_lines(tmp_path / "prompts.jsonl", rows), tmp_path / "ask.jsonl"
    run = tenbin("router", "add-model", made / "router", "--suggest", "8", "--prompts", prompts, "--out", out, "--json")
    assert run.exit_code == 0, run.stderr
    kept = [json.loads(line) for line in out.read_text().splitlines()]
    assert all(line in rows and line["split"] == "train" for line in kept)
    found = json.loads(run.stdout)
    assert found["query_ids"] == [line["query_id"] for line in kept]
    assert found["label_propensity"] == pytest.approx(8 / 20)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--suggest", "8", "--out", "x"], 2, "--prompts"),
        (["--out", "x"], 2, "--suggest"),
        (["--suggest", "8", "--prompts", "missing.jsonl", "--out", "x"], 3, "missing.jsonl"),
        (["--suggest", "8", "--prompts", "{made}/train.jsonl", "--out", "-", "--json"], 2, "name a file"),
        (["--suggest", "8", "--prompts", "{made}/train.jsonl", "--out", "{made}/train.jsonl"], 2, "written over"),
        (["{made}/train.jsonl", "--model", "medium", "--out", "x"], 2, "already"),
        (["{made}/train.jsonl", "--model", "mediun", "--out", "x"], 3, "medium"),
    ],
)
def test_what_makes_no_sense_is_said(
    words: list[str], code: int, said: str, made: Path, tenbin: Tenbin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = tenbin("router", "add-model", made / "router", *[word.format(made=made) for word in words])
    assert run.exit_code == code
    assert said in run.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_summary_is_that_of_its_command(name: str) -> None:
    command = COMMANDS[name].load()
    assert command.name == name
    assert command.get_short_help_str(limit=200) == COMMANDS[name].summary
