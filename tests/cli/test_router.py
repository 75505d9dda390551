from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from tenbin.cli.router_text import dial_rows
from tenbin.router.crossfit import DialCurve
from tenbin.router.dials import Dial, turn

Tenbin = Callable[..., Result]


def test_list_shows_whole_and_damaged_ones(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    shutil.copytree(made / "router", tmp_path / "good")
    shutil.copytree(made / "router", tmp_path / "bad")
    (tmp_path / "bad" / "manifest.json").write_text("{")
    found = json.loads(tenbin("router", "list", tmp_path, "--json").stdout)["routers"]
    assert [(Path(entry["router"]).name, "error" in entry) for entry in found] == [("bad", True), ("good", False)]
    assert found[1]["reference"] == "large"
    text = tenbin("router", "list", tmp_path).stdout
    assert "good" in text
    assert "damaged" in text


def test_list_of_nothing_names_the_next_command(tenbin: Tenbin, tmp_path: Path) -> None:
    assert "tenbin fit" in tenbin("router", "list", tmp_path).stdout
    assert tenbin("router", "list", tmp_path / "missing").exit_code == 5


def test_show_prints_card_and_dial(made: Path, tenbin: Tenbin) -> None:
    run = tenbin("router", "show", made / "router")
    assert run.exit_code == 0, run.stderr
    assert "# Router card" in run.stdout
    assert "--min-quality 0.97" in run.stdout
    found = json.loads(tenbin("router", "show", made / "router", "--json").stdout)
    savings = [row["saving"] for row in found["dial"] if row["saving"] is not None]
    assert savings == sorted(savings)
    for row in found["dial"]:
        promise = row["promise"]
        assert (promise is None) == (row["mu"] is None)
        if promise is not None:
            assert promise["saving"]["value"] == pytest.approx(row["saving"])
            assert (
                promise["quality_ratio"]["low"] <= promise["quality_ratio"]["value"] <= promise["quality_ratio"]["high"]
            )
            assert f"[{100 * promise['saving']['low']:.1f}%, {100 * promise['saving']['high']:.1f}%]" in run.stdout


def test_diff_names_what_changed(made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    shutil.copytree(made / "router", tmp_path / "same")
    assert "are the same artifact" in tenbin("router", "diff", made / "router", tmp_path / "same").stdout
    prices = tmp_path / "same" / "prices.toml"
    prices.write_text(prices.read_text().replace("20.0", "40.0"))
    run = tenbin("router", "diff", made / "router", tmp_path / "same", "--json")
    found = json.loads(run.stdout)
    assert not found["same"]
    assert found["artifact_hash"][0] == found["artifact_hash"][1]
    assert [change["model"] for change in found["prices"]] == ["large"]
    text = tenbin("router", "diff", made / "router", tmp_path / "same").stdout
    assert "large" in text
    assert "40" in text


def test_diff_names_the_routers_by_their_folders_and_fits_a_terminal(
    made: Path, tenbin: Tenbin, tmp_path: Path
) -> None:
    other = tmp_path / "a-router-with-a-very-long-name-of-its-own"
    asked = ("fit", made / "test.jsonl", "--prices", made / "prices.toml", "--out", other)
    assert tenbin(*asked, "--embedder", "base", "--predictor", "ridge", "--seed", "7").exit_code == 0
    prices = other / "prices.toml"
    prices.write_text(prices.read_text().replace("20.0", "40.0"))
    tables = tenbin("router", "diff", made / "router", other).stdout.split("\n\n", 1)[1]
    heads = [line.split() for line in tables.splitlines() if "a-router" in line]
    assert len(heads) == 4, tables  # training, quality, prices, dial
    assert all("router" in head for head in heads)
    assert max(map(len, tables.splitlines())) <= 100
    assert not re.search("[0-9a-f]{13}", tables)
    assert "data_hash" in tables
    assert " at mu 0." in tables


def test_a_share_that_means_miss_by_their_rounding_is_shown_as_the_dial_reaches_it() -> None:
    curve = DialCurve(
        mu=np.array([0.0, 0.5]),
        quality=np.array([np.nextafter(0.925, 0.0), 0.5]),
        cost_usd=np.array([0.005, 0.001]),
        reference_quality=0.925,
        reference_cost_usd=0.005,
    )
    for row in dial_rows(curve):
        assert row["mu"] == turn(Dial(min_quality=row["min_quality"]), curve).mu == 0.0
        assert row["cost_usd"] == 0.005
