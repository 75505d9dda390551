"""`tenbin keys`, as a person and as a script call it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result

from tenbin.errors import ConfigError, UsageError

Tenbin = Callable[..., Result]
SCHEMAS = Path(__file__).parents[2] / "docs/reference/json"
SECRET = re.compile(r"tb-[A-Za-z0-9_-]{43}\n")
CONFIG = """
[candidates.small]
base_url = "http://127.0.0.1:1/v1"
[candidates.large]
base_url = "http://127.0.0.1:1/v1"
[profiles.support]
mu = 0.5
[store]
path = "kept"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "tenbin.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def document(name: str, run: Result) -> dict[str, Any]:
    """The run's JSON document, held against its schema."""
    assert run.exit_code == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(found)
    return found


def test_the_secret_stands_alone_on_stdout_and_in_no_file(tenbin: Tenbin, config: Path) -> None:
    made = tenbin("keys", "create", "alice", "--day-usd", "5", "--rpm", "60", "--config", config)
    assert made.exit_code == 0, made.stderr
    assert SECRET.fullmatch(made.stdout)
    secret = made.stdout.strip()
    assert secret not in made.stderr
    assert "$5.00 per day, 60 requests per minute" in made.stderr
    listed = tenbin("keys", "list", "--config", config)
    assert secret not in listed.output
    assert listed.stdout.splitlines()[2].startswith("alice ")
    files = [path for path in config.parent.rglob("*") if path.is_file()]
    assert (config.parent / "kept" / "keys.sqlite") in files
    assert not any(secret.encode() in path.read_bytes() for path in files)


def test_a_key_lives_until_it_is_revoked(tenbin: Tenbin, config: Path) -> None:
    words = ["--profile", "support", "--model", "small", "--model", "large", "--month-usd", "9", "--concurrency", "2"]
    made = document("keys-create", tenbin("keys", "create", "bob", *words, "--config", config, "--json"))
    key = made["key"]
    assert (key["profiles"], key["models"]) == (["support"], ["large", "small"])
    assert (key["month_usd"], key["max_concurrency"], key["revoked_at"]) == (9.0, 2, None)
    revoked = document("keys-revoke", tenbin("keys", "revoke", "bob", "--config", config, "--json"))["key"]
    assert revoked["key_id"] == key["key_id"]
    assert revoked["revoked_at"] is not None
    (listed,) = document("keys-list", tenbin("keys", "list", "--config", config, "--json"))["keys"]
    assert listed == revoked
    assert tenbin("keys", "revoke", "bob", "--config", config).exit_code == UsageError.exit_code


def test_a_store_can_be_named_itself(tenbin: Tenbin, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    assert tenbin("keys", "list", "--store", folder).stdout == "No key yet; make one: tenbin keys create NAME\n"
    assert tenbin("keys", "create", "carol", "--profile", "unchecked", "--store", folder).exit_code == 0
    assert "profiles unchecked only" in tenbin("keys", "list", "--store", folder).stdout


def test_japanese(tenbin: Tenbin, tmp_path: Path) -> None:
    made = tenbin("keys", "create", "dora", "--store", tmp_path, "--lang", "ja")
    assert SECRET.fullmatch(made.stdout)
    assert "制限なし" in made.stderr
    assert "使用中" in tenbin("keys", "list", "--store", tmp_path, "--lang", "ja").stdout
    assert "無効にしました" in tenbin("keys", "revoke", "dora", "--store", tmp_path, "--lang", "ja").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["create", "e", "--profile", "suport"], '"support"'),
        (["create", "e", "--model", "smal"], '"small"'),
        (["create", "e", "--day-usd", "0"], "above 0"),
        (["create", "e", "--month-usd", "nan"], "above 0"),
        (["create", "e", "--rpm", "-1"], "above 0"),
        (["create", "e\nf"], "cannot name a key"),
        (["revoke", "nobody"], "nobody"),
        (["list", "--store", "x"], "--store"),
    ],
)
def test_bad_input_is_one_sentence(tenbin: Tenbin, config: Path, words: list[str], told: str) -> None:
    run = tenbin("keys", *words, "--config", config)
    assert run.exit_code == UsageError.exit_code
    assert told in run.stderr
    assert run.stderr.count("\n") == 1
    assert run.stdout == ""


def test_a_name_is_taken_once(tenbin: Tenbin, tmp_path: Path) -> None:
    assert tenbin("keys", "create", "f", "--store", tmp_path).exit_code == 0
    assert tenbin("keys", "create", "f", "--store", tmp_path).exit_code == UsageError.exit_code


def test_without_a_place_it_asks_for_one(tenbin: Tenbin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = tenbin("keys", "list")
    assert (run.exit_code, "--store" in run.stderr) == (UsageError.exit_code, True)
    (tmp_path / "tenbin.toml").write_text("[gatway]\n", encoding="utf-8")
    assert tenbin("keys", "list").exit_code == ConfigError.exit_code
