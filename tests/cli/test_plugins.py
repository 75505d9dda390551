"""`tenbin plugins`, as a person calls it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from click.testing import Result

Tenbin = Callable[..., Result]
SCHEMA = Path(__file__).parents[2] / "docs/reference/json/plugins.schema.json"


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package with one plug-in that cannot be imported; the working folder is beside it."""
    info = tmp_path / "site" / "acme-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[tenbin.metrics]\nbroken = acme_missing:Metric\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.delitem(sys.modules, "acme_missing", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_ships_is_listed_and_works(tenbin: Tenbin) -> None:
    run = tenbin("plugins", "--json")
    assert run.exit_code == 0, run.stderr
    found = json.loads(run.stdout)
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(found)
    own = {(row["door"], row["name"]): row["fault"] for row in found["plugins"] if row["package"] == "tenbin"}
    assert {("embedder", "base"), ("predictor", "stack"), ("predictor", "constant")} <= set(own)
    assert set(own.values()) == {None}


def test_a_stranger_is_named_and_not_loaded(tenbin: Tenbin, acme: Path) -> None:
    text = tenbin("plugins").stdout
    assert "acme 1.0" in text
    assert "not allowed" in text
    assert "cannot be imported" not in text


def test_a_broken_one_is_a_sentence(tenbin: Tenbin, acme: Path) -> None:
    (acme / "tenbin.toml").write_text('[plugins]\nallow = ["acme"]\n')
    run = tenbin("plugins")
    assert run.exit_code == 0
    assert 'metric "broken" of the package "acme": cannot be imported (ModuleNotFoundError' in run.stdout


def test_what_a_plugin_prints_is_no_part_of_the_document(tenbin: Tenbin, acme: Path) -> None:
    (acme / "tenbin.toml").write_text('[plugins]\nallow = ["acme"]\n')
    (acme / "site" / "acme_missing.py").write_text("print('loading weights'); Metric = None")
    run = tenbin("plugins", "--json")
    assert [row["fault"] for row in json.loads(run.stdout)["plugins"] if row["name"] == "broken"] != [None]
    assert run.stderr == "loading weights\n"


def test_a_wrong_config_is_refused(tenbin: Tenbin, acme: Path) -> None:
    (acme / "other.toml").write_text('[plugins]\nalow = ["acme"]\n')
    run = tenbin("plugins", "--config", "other.toml")
    assert run.exit_code == 6
    assert 'other.toml: unknown key in plugins: "alow"; did you mean "allow"?' in run.stderr
