from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tenbin.prices import PriceBook
from tenbin.router.fit import FitSettings, fit
from tests.router.made import PRICES, make_panel

Tenbin = Callable[..., Result]
FIELDS = ["query_id", "mu", "model", "quality", "input_tokens", "output_tokens", "cost_usd", "loss", "reason"]


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def batch(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_one_prompt_explains_every_candidate(made: Path, tenbin: Tenbin) -> None:
    run = tenbin("route", made / "router", "Compute 3 plus 4 and give the number only", "--mu", "0.3")
    assert run.exit_code == 0, run.stderr
    for word in (
        "small",
        "medium",
        "large",
        "quality ± sd",
        "tokens in",
        "tokens out",
        "cost",
        "seconds",
        "loss",
        "why",
    ):
        assert word in run.stdout


def test_in_japanese_the_reasons_are_so_too_and_programs_still_read_english(made: Path, tenbin: Tenbin) -> None:
    prompt = "Compute 3 plus 4 and give the number only"
    asked = ("route", made / "router", prompt, "--min-quality", "0.9", "--lang", "ja")
    shown = tenbin(*asked).stdout
    for word in ("期待損失が最小", "採用", "品質 ± sd", "入力トークン", "基準モデルの品質の 90% を最小の費用で維持"):
        assert word in shown
    assert not any(word in shown for word in ("chosen", "expected", "tokens"))
    found = json.loads(tenbin(*asked, "--json").stdout)
    assert found["reason"].startswith("least expected loss")
    assert found["candidates"][0]["reason"] == "chosen"


def test_json_holds_the_decision_and_what_decided(made: Path, tenbin: Tenbin) -> None:
    run = tenbin("route", made / "router", "Compute 3 plus 4", "--best", "--json")
    found = json.loads(run.stdout)
    assert found["trade_off"]["mu"] == 0.0
    assert {view["model"] for view in found["candidates"]} == {"small", "medium", "large"}
    alone = json.loads(tenbin("route", made / "router", "Compute 3 plus 4", "--allow", "small", "--json").stdout)
    assert alone["promise"]["saving"]["value"] > found["promise"]["saving"]["value"]
    kept = found["promise"]["quality_ratio"]
    assert kept["low"] < kept["value"] < kept["high"]
    shown = tenbin("route", made / "router", "Compute 3 plus 4", "--best").stdout
    assert f"keeps {100 * kept['value']:.1f}% [{100 * kept['low']:.1f}%, {100 * kept['high']:.1f}%] of large's" in shown
    assert found["candidates"][0]["model"] == found["model"]
    assert set(found["versions"]) == {"tenbin", "artifact", "prices"}


def test_the_dial_turns_from_dear_to_cheap(made: Path, tenbin: Tenbin) -> None:
    run = tenbin("route", made / "router", "Describe what happened in the year 12", "--sweep", "5", "--json")
    decisions = json.loads(run.stdout)["decisions"]
    assert [row["mu"] for row in decisions][0::4] == [0.0, 1.0]
    assert decisions[-1]["model"] == "small"
    assert decisions[0]["quality"] >= decisions[-1]["quality"]


def test_prices_of_the_moment_decide(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    dear_small = (made / "prices.toml").read_text().replace("0.1", "100").replace("0.4", "400")
    (tmp_path / "prices.toml").write_text(dear_small)
    asked = ("route", made / "router", "Compute 3 plus 4", "--mu", "1", "--json")
    before, after = (
        json.loads(tenbin(*asked, *extra).stdout) for extra in ((), ("--prices", tmp_path / "prices.toml"))
    )
    assert (before["model"], after["model"]) == ("small", "medium")
    assert before["versions"]["artifact"] == after["versions"]["artifact"]
    assert before["versions"]["prices"] != after["versions"]["prices"]


def test_allow_and_deny(made: Path, tenbin: Tenbin) -> None:
    asked = ("route", made / "router", "Compute 3 plus 4", "--mu", "1", "--json")
    assert json.loads(tenbin(*asked, "--deny", "small").stdout)["model"] == "medium"
    assert json.loads(tenbin(*asked, "--allow", "large").stdout)["model"] == "large"


def test_without_a_dial_denied_models_lower_the_promise_and_it_is_said(
    made: Path, tenbin: Tenbin, tmp_path: Path
) -> None:
    asked, denied = ("route", made / "router", "Compute 3 plus 4"), ("--deny", "large", "--deny", "medium")
    usual, without = (tenbin(*asked, *extra) for extra in ((), denied))
    assert without.exit_code == 0, without.stderr
    assert "99% of the reference's quality at the least cost, mu" in usual.stdout
    assert "most that these models reach" not in usual.stdout
    said = re.search(r"\((\S+)% of the reference's quality .*, the most that these models reach\)", without.stdout)
    assert said is not None
    assert float(said[1]) < 99.0
    assert without.stderr == ""
    # Where stdout is for programs, people are told on stderr.
    for words in ((*asked, "--json"), ("route", made / "router", "--batch", batch(tmp_path, [{"prompt": "a"}]))):
        run = tenbin(*words, *denied)
        assert (run.exit_code, run.stderr.count("\n")) == (0, 1)
        assert f"{said[1]}% of the reference's quality" in run.stderr
    asked_for = tenbin(*asked, *denied, "--min-quality", "0.99")
    assert asked_for.exit_code == 7
    most = re.search(r"ask for at most (\S+)", asked_for.stderr)
    assert most is not None
    assert tenbin(*asked, *denied, "--min-quality", most[1]).exit_code == 0


def test_the_prompt_may_come_from_standard_input(made: Path, tenbin: Tenbin) -> None:
    typed = tenbin("route", made / "router", "Compute 3 plus 4", "--best", "--json")
    piped = tenbin("route", made / "router", "-", "--best", "--json", stdin="Compute 3 plus 4")
    assert typed.stdout == piped.stdout


def test_batch_keeps_order_and_fields(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    rows = [
        {"prompt": "Compute 3 plus 4", "query_id": "z"},
        {"prompt": "日本語で説明してください", "group": "日本語"},
        {"messages": [{"role": "user", "content": "Write a function"}], "input_tokens": 500},
    ]
    run = tenbin("route", made / "router", "--batch", batch(tmp_path, rows), "--out", tmp_path / "out", "--mu", "0.3")
    assert run.exit_code == 0, run.stderr
    assert "3 prompts" in run.stdout
    found = lines((tmp_path / "out").read_text(encoding="utf-8"))
    assert [row["query_id"] for row in found] == ["z", "2", "3"]
    assert all(list(row) == FIELDS and row["mu"] == 0.3 for row in found)
    assert found[2]["input_tokens"] > 400


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", ("1 prompt routed in ", "prompts   share", "expected: quality ")),
        ("ja", ("プロンプト 1 件を ", "件数", "見込み: 品質 ")),
    ],
)
def test_a_batch_is_summed_up_in_the_language_asked_for(
    lang: str, said: tuple[str, ...], made: Path, tenbin: Tenbin, tmp_path: Path
) -> None:
    lines = batch(tmp_path, [{"prompt": "count"}])
    run = tenbin("route", made / "router", "--batch", lines, "--out", tmp_path / "out", "--mu", "0.3", "--lang", lang)
    assert all(part in run.stdout for part in said), run.stdout


def test_batch_does_not_write_over_its_prompts(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    lines = batch(tmp_path, [{"prompt": "count"}])
    before = lines.read_bytes()
    run = tenbin("route", made / "router", "--batch", lines, "--out", lines)
    assert run.exit_code == 2
    assert "would be written over" in run.stderr
    assert lines.read_bytes() == before


def test_batch_sweep_gives_a_line_per_prompt_and_trade_off(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    path = batch(tmp_path, [{"prompt": "Compute 3 plus 4"}, {"prompt": "Write a function"}])
    run = tenbin("route", made / "router", "--batch", path, "--sweep", "4")
    found = lines(run.stdout)
    assert [row["query_id"] for row in found] == ["1"] * 4 + ["2"] * 4
    assert [row["mu"] for row in found[:4]] == [row["mu"] for row in found[4:]]


def test_a_decision_never_depends_on_the_other_lines(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    rows = [{"query_id": str(n), "prompt": f"Describe the year {n} and compute {3 * n} plus {n}"} for n in range(1200)]
    asked = ("route", made / "router", "--mu", "0.3", "--batch")
    together = lines(tenbin(*asked, batch(tmp_path, rows)).stdout)
    backwards = lines(tenbin(*asked, batch(tmp_path, rows[::-1])).stdout)
    assert together == backwards[::-1]
    alone = lines(tenbin(*asked, batch(tmp_path, rows[700:701])).stdout)
    assert alone == together[700:701]


def test_a_batch_uses_its_stranger_budget_from_line_to_line(
    tenbin: Tenbin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenbin.cli.batch.CHUNK", 2)
    fit(make_panel(), PriceBook.loads(PRICES), FitSettings(embedder="base", groups=False)).save(tmp_path / "router")
    path = batch(tmp_path, [{"prompt": f"次の積分を計算してください {i}"} for i in range(7)])
    asked = ("route", tmp_path / "router", "--batch", path, "--mu", "0.1")
    assert all("by the means" in line["reason"] for line in lines(tenbin(*asked).stdout))
    free = lines(tenbin(*asked, "--stranger-budget-usd", "1000").stdout)
    assert len({line["model"] for line in free}) == 1
    assert all(line["reason"] == "to the reference: the text is unlike the training prompts" for line in free)
    nothing = lines(tenbin(*asked, "--stranger-budget-usd", "0").stdout)
    extra = [a["cost_usd"] - b["cost_usd"] for a, b in zip(free, nothing, strict=True)]
    assert min(extra) > 0.0
    some = lines(tenbin(*asked, "--stranger-budget-usd", str(sum(extra[:5]) + 1e-9)).stdout)
    assert [line["model"] for line in some] == [line["model"] for line in (*free[:5], *nothing[5:])]
    assert "budget is used up" in some[5]["reason"]


def test_batch_agrees_with_one_prompt(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    prompt = "Write a function f3 in Python"
    (line,) = lines(tenbin("route", made / "router", "--batch", batch(tmp_path, [{"prompt": prompt}])).stdout)
    one = json.loads(tenbin("route", made / "router", prompt, "--json").stdout)
    assert (line["model"], line["mu"], line["reason"]) == (one["model"], one["trade_off"]["mu"], one["reason"])
    assert line["cost_usd"] == pytest.approx(one["candidates"][0]["cost_usd"])


def test_streams_in_and_out(made: Path, tenbin: Tenbin) -> None:
    run = tenbin("route", made / "router", "--batch", "-", "--best", stdin='{"prompt": "Compute 3 plus 4"}\n')
    assert [row["query_id"] for row in lines(run.stdout)] == ["1"]
    assert run.stderr == ""


def test_an_empty_batch_is_an_empty_answer(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    run = tenbin("route", made / "router", "--batch", batch(tmp_path, []), "--out", tmp_path / "out", "--json")
    found = json.loads(run.stdout)
    assert (found["prompts"], found["mean_quality"], found["models"]) == (0, None, {})
    assert (tmp_path / "out").read_text() == ""


def test_a_bad_line_leaves_the_old_output(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    path = batch(tmp_path, [{"prompt": "Compute 3 plus 4", "query_id": "a"}] * 2)
    (tmp_path / "out").write_text("old")
    run = tenbin("route", made / "router", "--batch", path, "--out", tmp_path / "out")
    assert run.exit_code == 3
    assert f"{path}:2:1" in run.stderr
    assert (tmp_path / "out").read_text() == "old"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["in.jsonl", "out"]


@pytest.mark.parametrize(
    ("flags", "code", "what"),
    [
        (["x", "--mu", "0.5", "--best"], 2, "--mu and --best"),
        (["x", "--mu", "1.5"], 2, "outside [0, 1]"),
        (["x", "--min-quality", "0.9", "--sweep", "3"], 2, "--min-quality and --sweep"),
        (["x", "--sweep", "2"], 2, "sweep of 2"),
        (["x", "--mu", "nan"], 2, "outside [0, 1]"),
        (["x", "--caution", "-1"], 2, "caution"),
        (["x", "--allow", "lage"], 2, 'did you mean "large"'),
        (["x", "--deny", "small", "--deny", "medium", "--deny", "large"], 7, "no candidate"),
        (["x", "--max-cost", "0.0000000001"], 7, "the cheapest costs"),
        (["x", "--min-quality", "1.9"], 7, "no trade-off reaches"),
        (["x", "--stranger-budget-usd", "-1"], 2, "a stranger budget of -1.0 dollars is none"),
        (["x", "--min-quality", "0.9", "--certified", "--stranger-budget-usd", "1"], 2, "--certified proves"),
        ([], 2, "neither a PROMPT nor --batch"),
        (["x", "--batch", "-"], 2, "both given"),
        (["x", "--out", "o"], 2, "--out belongs to --batch"),
        (["--batch", "-", "--json"], 2, "--json sums up a batch"),
        (["--batch", "-", "--group", "g"], 2, "--group belongs"),
        (["x", "--group", "arithmetik"], 2, 'the router knows no group "arithmetik"; did you mean "arithmetic"?'),
        (["x", "--group", "zzz"], 2, 'the router knows no group "zzz"; known: arithmetic, '),
        (["--batch", "missing.jsonl"], 3, "no such file"),
        ([""], 2, "PROMPT: is empty"),
        (["-"], 2, "standard input: is empty"),
        (["x", "--mu", "a"], 2, "not a valid float"),
        (["x", "y"], 2, "unexpected extra argument"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(
    made: Path, tenbin: Tenbin, flags: list[str], code: int, what: str
) -> None:
    run = tenbin("route", made / "router", *flags)
    assert run.exit_code == code, run.stderr
    assert what in run.stderr
    assert run.stderr.startswith("tenbin: ")
    assert run.stderr.count("\n") == 1
    assert run.stdout == ""


def test_piping_to_head_is_quiet(made: Path, spawn: Callable[..., subprocess.Popen[bytes]], tmp_path: Path) -> None:
    rows = [{"prompt": f"Compute {n} plus 4"} for n in range(3000)]
    process = spawn("route", made / "router", "--batch", batch(tmp_path, rows), "--mu", "0.3")
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b'{"query_id": "1"')
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(60) == 141
