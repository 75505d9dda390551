from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.conftest import outcome_rows, write_lines

Tenbin = Callable[..., Result]


@pytest.fixture(scope="module")
def fitted(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a `router` of its own and `calibration.jsonl`, prompts that it was not fitted on."""
    folder = tmp_path_factory.mktemp("certify")
    shutil.copytree(made / "router", folder / "router")
    write_lines(folder / "calibration.jsonl", outcome_rows(200, start=3000))
    return folder


def test_outcomes_are_kept_beside_the_router_and_serve_again(fitted: Path, tenbin: Tenbin) -> None:
    before = tenbin("certify", fitted / "router", "--min-quality", "0.8")
    assert before.exit_code == 8
    assert "the router has no calibration rows to certify on" in before.stderr
    first = tenbin("certify", fitted / "router", fitted / "calibration.jsonl", "--min-quality", "0.8")
    assert first.exit_code == 0, first.stderr
    assert first.stdout.startswith("Certified: at least 80.0% of large's mean quality, with 95% confidence.")
    assert "200 different calibration prompts" in first.stdout
    assert tenbin("certify", fitted / "router", "--min-quality", "0.8").stdout == first.stdout
    assert b"Compute" not in (fitted / "router" / "calibration.npz").read_bytes()
    ja = tenbin("certify", fitted / "router", "--min-quality", "0.8", "--lang", "ja", "--by-group")
    assert "証明済み" in ja.stdout
    assert "日本語" in ja.stdout
    assert "。 " not in ja.stdout  # a Japanese full stop is as wide as a letter


def test_a_route_is_decided_by_what_is_proved(fitted: Path, tenbin: Tenbin) -> None:
    assert tenbin("certify", fitted / "router", fitted / "calibration.jsonl", "--min-quality", "0.8").exit_code == 0
    document = json.loads(tenbin("certify", fitted / "router", "--min-quality", "0.8", "--json").stdout)
    route = ("route", fitted / "router", "Compute 5 plus 7 and give the number only", "--certified")
    decided = tenbin(*route, "--min-quality", "0.8", "--json")
    assert json.loads(decided.stdout)["trade_off"] == document["certificate"]["trade_off"]
    alone = tenbin(*route, "--min-quality", "1.0")
    assert alone.stdout.startswith("large: only eligible candidate")
    assert "(large alone, nothing is certified)" in alone.stdout
    assert "nothing could be certified, large serves alone" in alone.stderr
    assert tenbin(*route).exit_code == 2


def test_one_candidate_leaves_nothing_to_certify(tenbin: Tenbin, tmp_path: Path) -> None:
    for name, start in (("train", 0), ("calibration", 3000)):
        rows = [row for row in outcome_rows(96, start=start) if row["model"] == "small"]
        write_lines(tmp_path / f"{name}.jsonl", [{**row, "cost_usd": 0.001} for row in rows])
    assert tenbin("fit", tmp_path / "train.jsonl", "--out", tmp_path / "router").exit_code == 0
    asked = (tmp_path / "router", tmp_path / "calibration.jsonl", "--min-quality", "0.9")
    told = "here is nothing to certify: no setting is expected to cost less than small alone"
    assert told in tenbin("certify", *asked).stdout
    run = tenbin("route", tmp_path / "router", "Compute 5 plus 7", "--min-quality", "0.9", "--certified")
    assert run.exit_code == 0, run.stderr
    assert told in run.stderr
    assert run.stdout.startswith("small: only eligible candidate (small alone, nothing is certified)")
    assert (
        "証明なし"
        in tenbin("route", tmp_path / "router", "7", "--min-quality", "0.9", "--certified", "--lang", "ja").stdout
    )


@pytest.mark.parametrize(
    ("flags", "code", "sentence"),
    [
        (["--min-quality", "1.1"], 2, "a certificate starts from the reference itself"),
        (["--min-quality", "0.9", "--deny", "large"], 7, 'the reference "large" may not answer here'),
        (["--min-quality", "0.9", "--group", "nobody"], 8, 'no calibration row is of the group "nobody"; known: '),
        (["--min-quality", "0.9", "--group", "arithmetik"], 8, 'did you mean "arithmetic"?'),
    ],
)
def test_what_cannot_be_certified_is_said_in_one_sentence(
    fitted: Path, tenbin: Tenbin, flags: list[str], code: int, sentence: str
) -> None:
    run = tenbin("certify", fitted / "router", fitted / "calibration.jsonl", *flags)
    assert run.exit_code == code
    assert sentence in run.stderr


def test_an_empty_calibration_split_is_said(fitted: Path, made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    rows = [{**row, "split": "test"} for row in outcome_rows(20, start=5000)]
    for table in (write_lines(tmp_path / "test.jsonl", rows), made / "train.jsonl"):
        run = tenbin("certify", fitted / "router", table, "--min-quality", "0.9")
        assert run.exit_code == 8
        assert "queries is a calibration row that the router was not fitted on" in run.stderr
