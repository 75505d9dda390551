"""`tenbin erase`, as an operator who was asked to delete calls it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from click.testing import Result

from tenbin.errors import StoreError, UsageError
from tenbin.store.reader import Reader
from tests.store.made import intent, running, settled

Tenbin = Callable[..., Result]
SCHEMA = Path(__file__).parents[2] / "docs/reference/json/erase.schema.json"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with two calls of ann and one of bob, texts kept; it stands where a tenbin.toml says."""
    (tmp_path / "tenbin.toml").write_text('[store]\npath = "kept"\n', encoding="utf-8")

    async def work() -> None:
        async with running(tmp_path / "kept") as ledger:
            for name, user in (("r0", "ann"), ("r1", "ann"), ("r2", "bob")):
                await ledger.record(intent(name, user=user, prompt=b"a question"))
                await ledger.record(settled(name, answer=b"an answer"))

    asyncio.run(work())
    return tmp_path / "kept"


def test_a_user_is_gone_and_others_and_the_sums_stay(tenbin: Tenbin, store: Path) -> None:
    done = tenbin("erase", "ann", "--config", store.parent / "tenbin.toml")
    assert done.exit_code == 0, done.stderr
    assert "texts of 2 calls" in done.stdout
    left = {call.request_id: (call.user, call.prompt, call.cost_usd) for call in Reader(store).requests(with_text=True)}
    assert left == {"r0": (None, None, 0.01), "r1": (None, None, 0.01), "r2": ("bob", b"a question", 0.01)}
    again = tenbin("erase", "ann", "--store", store, "--lang", "ja")
    assert "ann の呼び出しはありません" in again.stdout


def test_what_may_still_hold_copies_is_named_and_the_exit_code_says_so(tenbin: Tenbin, store: Path) -> None:
    (store / "journal" / "w0-1.000001.damaged").write_bytes(b"ann said")
    done = tenbin("erase", "ann", "--store", store, "--json")
    found = json.loads(done.stdout)
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(found)
    assert (found["texts"], found["calls"], found["pending"]) == (2, 2, ["w0-1.000001.damaged"])
    assert done.exit_code == StoreError.exit_code
    assert "w0-1.000001.damaged" in done.stderr


def test_a_folder_without_a_ledger_is_left_as_it_is(tenbin: Tenbin, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        done = tenbin("erase", "ann", "--store", folder)
        assert done.exit_code == StoreError.exit_code
        assert "holds no ledger" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_nobody_is_no_user(tenbin: Tenbin, store: Path) -> None:
    assert tenbin("erase", "", "--store", store).exit_code == UsageError.exit_code
