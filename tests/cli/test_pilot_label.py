"""`tenbin pilot label` as a person meets it: the page's address, Ctrl-C, labels from a file, and what they tell."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

import jsonschema
import pytest
from click.testing import Result

from tenbin.pilot.journal import read_journal
from tenbin.pilot.records import Labelled
from tests.cli.test_json_schemas import schema
from tests.pilot.label.made import make_pilot

Tenbin = Callable[..., Result]
Spawn = Callable[..., subprocess.Popen[bytes]]


def csv_of(path: Path, rows: list[tuple[str, str, object]], heads: str = "query_id,model,quality") -> Path:
    path.write_text("\n".join([heads, *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")
    return path


def every(quality: float) -> list[tuple[str, str, object]]:
    return [(f"q{i}", model, quality) for i in range(6) for model in ("big", "small")]


def test_labels_from_a_file_correct_the_means(tenbin: Tenbin, tmp_path: Path) -> None:
    make_pilot(tmp_path / "mine")
    source = csv_of(tmp_path / "labels.csv", [(q, m, 0.7 if m == "big" else 0.3) for q, m, _ in every(0.0)])
    told = tenbin("pilot", "label", "mine", "--root", tmp_path, "--import", source)
    assert told.exit_code == 0, told.stderr
    assert "12 labels taken." in told.stdout
    assert "The outcome table is corrected by 12 labels." in told.stdout
    told = tenbin("pilot", "label", "mine", "--root", tmp_path, "--summary", "--json")
    document = json.loads(told.stdout)
    jsonschema.Draft202012Validator(schema("pilot-label")).validate(document)
    assert document["is_corrected"]
    assert [(row["model"], round(row["table"], 6)) for row in document["models"]] == [("big", 0.7), ("small", 0.3)]
    assert document["models"][0]["judged"] == pytest.approx(0.9)
    assert document["noise"]["label_sd"]["value"] is None


def test_few_labels_correct_nothing_and_none_say_so(tenbin: Tenbin, tmp_path: Path) -> None:
    make_pilot(tmp_path / "mine")
    told = tenbin("pilot", "label", "mine", "--root", tmp_path, "--summary")
    assert "Nobody has labelled an answer yet" in told.stdout
    source = csv_of(tmp_path / "labels.csv", every(0.5)[:4])
    told = tenbin("pilot", "label", "mine", "--root", tmp_path, "--import", source, "--lang", "ja")
    assert "4 件の評価では足りません（10 件から）" in told.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("query_id,model\nq0,big\n", 'has no column "quality"'),
        ("query_id,model,quality\nq0,big,1\nq0,big,7\n", 'labels.csv:3: "7" is no quality'),
        ("query_id,model,quality\nq0,big,nan\n", '"nan" is no quality'),
        ("query_id,model,quality\nq0,huge,1\n", 'bought no answer of "huge" to "q0"'),
        ('query_id,model,quality\n"q0,big,1\n', "is no CSV in UTF-8"),
    ],
)
def test_a_wrong_file_is_named_by_line_and_nothing_is_taken(
    tenbin: Tenbin, tmp_path: Path, text: str, said: str
) -> None:
    folder = make_pilot(tmp_path / "mine")
    (tmp_path / "labels.csv").write_text(text, encoding="utf-8")
    told = tenbin("pilot", "label", "mine", "--root", tmp_path, "--import", tmp_path / "labels.csv")
    assert (told.exit_code, said in told.stderr) == (3, True), told.stderr
    assert not [record for record in read_journal(folder) if isinstance(record, Labelled)]


def test_no_pilot_no_page(tenbin: Tenbin, tmp_path: Path) -> None:
    told = tenbin("pilot", "label", "none", "--root", tmp_path, "--no-browser")
    assert told.exit_code == 3
    assert "there is no such pilot" in told.stderr
    assert tenbin("pilot", "label", "none", "--root", tmp_path, "--labeller", " ").exit_code == 2


def test_ctrl_c_ends_it_and_loses_nothing(spawn: Spawn, tmp_path: Path) -> None:
    folder = make_pilot(tmp_path / "mine")
    running = spawn("pilot", "label", "mine", "--root", tmp_path, "--no-browser", "--count", "4", NO_COLOR="1")
    assert running.stdout is not None
    url = running.stdout.readline().decode().strip().rpartition(" ")[2]
    origin = "/".join(url.split("/")[:3])
    sent = Request(  # noqa: S310 (our own server on loopback)
        f"{url}answer/0", b'{"step": 4}', {"Origin": origin, "Content-Type": "application/json"}
    )
    with urlopen(sent, timeout=20) as answer:  # noqa: S310
        assert answer.status == 200
    running.send_signal(signal.SIGINT)
    told, complaints = running.communicate(timeout=60)
    assert running.returncode == 0, complaints
    assert "1 of 4 answers labelled." in told.decode()
    assert [one.quality for one in read_journal(folder) if isinstance(one, Labelled)] == [1.0]
