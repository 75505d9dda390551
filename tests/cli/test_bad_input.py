"""Every kind of bad input, end to end: one sentence, the exit code of its class, no traceback, nothing half-written."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Tenbin = Callable[..., Result]
Rows = list[dict[str, Any]]


def rows_of(made: Path) -> Rows:
    return [json.loads(line) for line in (made / "train.jsonl").read_text(encoding="utf-8").splitlines()]


def without(column: str) -> Callable[[Rows], Rows]:
    return lambda rows: [{key: value for key, value in row.items() if key != column} for row in rows]


def with_cell(at: int, column: str, value: Any) -> Callable[[Rows], Rows]:
    return lambda rows: [{**row, column: value} if i == at else row for i, row in enumerate(rows)]


BAD_ROWS: Mapping[str, tuple[Callable[[Rows], Rows], list[str]]] = {
    "no prompt column": (without("prompt"), ["prompt"]),
    "no model column": (without("model"), ["model"]),
    "no quality column": (without("quality"), ["quality"]),
    "no quality anywhere": (lambda rows: [{**row, "quality": None} for row in rows], ["quality"]),
    "quality above 1": (with_cell(4, "quality", 1.5), [":5", "column quality", "1.5"]),
    "quality below 0": (with_cell(4, "quality", -0.1), [":5", "column quality", "-0.1"]),
    "negative tokens": (with_cell(2, "output_tokens", -3), [":3", "column output_tokens", "-3"]),
    "duplicate pair": (lambda rows: [*rows, rows[0]], ["q0", "small"]),
    "no rows": (lambda _: [], ["empty"]),
}


def assert_refused(run: Result, code: int, words: list[str], folder: Path, left: set[str]) -> None:
    assert run.exit_code == code, run.stderr
    assert run.stderr.startswith("tenbin: ")
    assert run.stderr.count("\n") == 1
    assert run.stdout == ""
    for word in words:
        assert word in run.stderr
    assert {entry.name for entry in folder.iterdir()} == left


@pytest.mark.parametrize("name", BAD_ROWS)
def test_bad_outcomes(made: Path, tenbin: Tenbin, tmp_path: Path, name: str) -> None:
    spoil, words = BAD_ROWS[name]
    table = tmp_path / "t.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in spoil(rows_of(made))), encoding="utf-8")
    run = tenbin("fit", table, "--prices", made / "prices.toml", "--out", tmp_path / "r")
    assert_refused(run, 3, [str(table), *words] if name != "no quality anywhere" else words, tmp_path, {"t.jsonl"})


@pytest.mark.parametrize("command", ["fit", "evaluate"])
def test_a_missing_table(made: Path, tenbin: Tenbin, tmp_path: Path, command: str) -> None:
    where = ["--out", tmp_path / "r"] if command == "fit" else []
    first = [] if command == "fit" else [made / "router"]
    assert_refused(tenbin(command, *first, tmp_path / "t.csv", *where), 3, ["t.csv"], tmp_path, set())


def test_a_line_of_200_mb(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    table = tmp_path / "t.jsonl"
    with table.open("wb") as stream:
        for _ in range(200):
            stream.write(b"x" * 1_000_000)
    assert_refused(
        tenbin("fit", table, "--out", tmp_path / "r"), 3, ["t.jsonl:1", "longer than"], tmp_path, {"t.jsonl"}
    )
    run = tenbin("route", made / "router", "--batch", table, "--out", tmp_path / "out")
    assert_refused(run, 3, ["t.jsonl:1:1", "longer than"], tmp_path, {"t.jsonl"})


def test_wrong_encoding(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes("query_id,prompt,model,quality\na,日本語のプロンプト,m,1\n".encode("shift_jis"))
    assert_refused(tenbin("fit", table, "--out", tmp_path / "r"), 3, ["t.csv", "UTF-8"], tmp_path, {"t.csv"})


def test_a_model_without_a_price(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    text = (made / "prices.toml").read_text(encoding="utf-8").replace('"medium"', '"medum"')
    (tmp_path / "p.toml").write_text(text, encoding="utf-8")
    run = tenbin("fit", made / "train.jsonl", "--prices", tmp_path / "p.toml", "--out", tmp_path / "r")
    assert_refused(run, 4, ['"medium"', "medum"], tmp_path, {"p.toml"})
    run = tenbin("route", made / "router", "a prompt", "--prices", tmp_path / "p.toml")
    assert_refused(run, 4, ['"medium"', "medum"], tmp_path, {"p.toml"})


@pytest.mark.parametrize("text", ["[models", '[models."a"]\ninput_usd_per_mtok = -1\noutput_usd_per_mtok = 1\n'])
def test_a_damaged_price_book(made: Path, tenbin: Tenbin, tmp_path: Path, text: str) -> None:
    (tmp_path / "p.toml").write_text(text, encoding="utf-8")
    run = tenbin("fit", made / "train.jsonl", "--prices", tmp_path / "p.toml", "--out", tmp_path / "r")
    assert_refused(run, 4, ["p.toml"], tmp_path, {"p.toml"})


@pytest.mark.parametrize("seed", ["-1", str(2**32)])
def test_a_seed_that_no_generator_takes(made: Path, tenbin: Tenbin, tmp_path: Path, seed: str) -> None:
    for command in (
        ("fit", made / "train.jsonl", "--prices", made / "prices.toml", "--out", tmp_path / "r"),
        (
            "router",
            "add-model",
            made / "router",
            "--suggest",
            "16",
            "--prompts",
            made / "train.jsonl",
            "--out",
            "a.jsonl",
        ),
        ("pilot", "plan", "mine", made / "train.jsonl", "--budget", "3", "--root", tmp_path / "pilots"),
    ):
        assert_refused(tenbin(*command, "--seed", seed), 2, ["--seed", "0<=x<="], tmp_path, set())


def test_tokens_without_prices(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    run = tenbin("fit", made / "train.jsonl", "--out", tmp_path / "r")
    assert_refused(run, 3, ["--prices"], tmp_path, set())


def test_a_truncated_parquet(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    import duckdb

    whole, cut = tmp_path / "whole.parquet", tmp_path / "t.parquet"
    duckdb.sql(f"copy (from '{made / 'train.jsonl'}') to '{whole}'")
    cut.write_bytes(whole.read_bytes()[:-100])
    whole.unlink()
    assert_refused(tenbin("fit", cut, "--out", tmp_path / "r"), 3, ["t.parquet"], tmp_path, {"t.parquet"})


def broken(made: Path, folder: Path, name: str, spoil: Callable[[bytes], bytes]) -> Path:
    router = folder / "broken"
    shutil.copytree(made / "router", router)
    (router / name).write_bytes(spoil((router / name).read_bytes()))
    return router


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("manifest.json", lambda blob: blob[:50]),
        ("manifest.json", lambda _: b"[]"),
        ("manifest.json", lambda blob: blob.replace(b'"format": 4', b'"format": 99')),
        ("quality.npz", lambda blob: blob[:-20]),
        ("encoder.npz", lambda blob: blob[:40] + b"\0" + blob[41:]),
    ],
    ids=["cut manifest", "no manifest", "newer", "cut array", "changed array"],
)
@pytest.mark.parametrize("command", ["route", "evaluate", "show"])
def test_a_damaged_or_newer_artifact(
    made: Path, tenbin: Tenbin, tmp_path: Path, name: str, spoil: Callable[[bytes], bytes], command: str
) -> None:
    router = broken(made, tmp_path, name, spoil)
    if router.joinpath(name).read_bytes() == (made / "router" / name).read_bytes():
        pytest.fail("nothing was spoilt")
    asked = {
        "route": ("route", router, "a prompt"),
        "evaluate": ("evaluate", router, made / "test.jsonl", "--report", tmp_path / "r.html"),
        "show": ("router", "show", router),
    }
    assert_refused(tenbin(*asked[command]), 5, ["broken"], tmp_path, {"broken"})


@pytest.mark.parametrize("place", ["nothing", "train.jsonl", "."])
def test_what_is_no_router(made: Path, tenbin: Tenbin, tmp_path: Path, place: str) -> None:
    assert_refused(tenbin("route", made / place, "a prompt"), 5, ["router"], tmp_path, set())


def test_an_empty_prompt(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    assert_refused(tenbin("route", made / "router", " \n"), 2, ["PROMPT", "empty"], tmp_path, set())
    (tmp_path / "in").write_text('{"prompt": "a"}\n{"prompt": ""}\n')
    run = tenbin("route", made / "router", "--batch", tmp_path / "in", "--out", tmp_path / "out")
    assert_refused(run, 3, [f"{tmp_path / 'in'}:2:2", "empty"], tmp_path, {"in"})


@pytest.mark.parametrize(
    "prompt",
    [
        "x" * 1_000_000,
        "日本語の長い文章です。" * 100_000,
        "שלום עולם",
        "🦜👩‍👩‍👧‍👦",
        "\u202e\u0000\u0007",
        "नमस्ते दुनिया",
        "́́",
    ],
    ids=["1 MB", "Japanese, 3 MB", "Hebrew", "emoji", "controls", "Devanagari", "combining"],
)
def test_a_prompt_of_any_script_and_length_is_decided(made: Path, tenbin: Tenbin, prompt: str) -> None:
    run = tenbin("route", made / "router", "-", "--json", stdin=prompt)
    assert run.exit_code == 0, run.stderr
    assert json.loads(run.stdout)["model"] in ("small", "medium", "large")
    line = tenbin("route", made / "router", "--batch", "-", stdin=json.dumps({"prompt": prompt}))
    assert json.loads(line.stdout)["model"] == json.loads(run.stdout)["model"]


def test_a_group_never_seen_is_decided_in_a_batch_and_refused_where_it_is_named_by_hand(
    made: Path, tenbin: Tenbin
) -> None:
    line = json.dumps({"prompt": "Compute 3 plus 4", "group": "botany"})
    run = tenbin("route", made / "router", "--batch", "-", stdin=line)
    assert run.exit_code == 0, run.stderr
    assert json.loads(run.stdout)["model"] in ("small", "medium", "large")
    run = tenbin("route", made / "router", "Compute 3 plus 4", "--group", "botany", "--json")
    assert run.exit_code == 2
    assert run.stderr.startswith('tenbin: the router knows no group "botany"; known: arithmetic, code, ')


def test_a_line_that_is_cut_off_in_a_pipe(made: Path, spawn: Callable[..., subprocess.Popen[bytes]]) -> None:
    process = spawn("route", made / "router", "--batch", "-")
    out, said = process.communicate(b'{"prompt": "a"}\n{"prom', timeout=60)
    assert process.returncode == 3
    assert said.startswith(b"tenbin: <stdin>:2:")
    assert b"Traceback" not in said
    assert out.count(b"\n") <= 1
