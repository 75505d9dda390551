"""Keys: made, shown once, listed, revoked; a ring that follows and survives its file."""

import asyncio
import sqlite3
import stat

import pytest

from tenbin.errors import StoreError, UsageError
from tenbin.store.keyring import KeyRing
from tenbin.store.keys import create_key, list_keys, revoke_key
from tests.store.made import exit_code, fork, until


def test_the_secret_is_shown_once_and_stored_nowhere(tmp_path):
    secret, record = create_key(tmp_path, "web", profiles=["fast"], models=["a", "b"], day_usd=5, max_concurrency=2)
    assert secret.startswith("tb-")
    assert len(secret) == 46
    assert list_keys(tmp_path) == (record,)
    assert record.models == {"a", "b"}
    assert record.month_usd is None
    assert all(secret.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert stat.S_IMODE((tmp_path / "keys.sqlite").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": ""}, "cannot name a key"),
        ({"name": "a\nb"}, "cannot name a key"),
        ({"name": "x" * 65}, "cannot name a key"),
        ({"profiles": ["fats"], "known_profiles": ["fast"]}, 'did you mean "fast"'),
        ({"models": ["x"], "known_models": []}, 'there is no model "x"'),
        ({"profiles": []}, "may use no profile"),
        ({"day_usd": 0}, "day_usd is 0"),
        ({"day_usd": float("nan")}, "day_usd is nan"),
        ({"month_usd": True}, "month_usd is true"),
        ({"month_usd": "5"}, 'month_usd is "5"'),
        ({"requests_per_minute": 1.5}, "requests_per_minute is 1.5"),
        ({"max_concurrency": -1}, "max_concurrency is -1"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(tmp_path, given, message):
    with pytest.raises(UsageError, match=message):
        create_key(tmp_path, **({"name": "web"} | given))
    assert list_keys(tmp_path) == ()


def test_a_name_is_free_again_once_its_key_is_revoked(tmp_path):
    _, first = create_key(tmp_path, "web")
    with pytest.raises(UsageError, match="already"):
        create_key(tmp_path, "web")
    assert revoke_key(tmp_path, "web").revoked_at is not None
    _, second = create_key(tmp_path, "web")
    assert revoke_key(tmp_path, second.key_id).key_id == second.key_id
    with pytest.raises(UsageError, match='no key "web" in use'):
        revoke_key(tmp_path, "web")
    assert [record.key_id for record in list_keys(tmp_path)] == [first.key_id, second.key_id]


def test_a_ring_finds_live_keys_only(tmp_path):
    secret, record = create_key(tmp_path, "web")
    ring = KeyRing(tmp_path)
    assert not ring.is_loaded
    assert ring.refresh()
    assert not ring.refresh()
    assert ring.find(secret) == record
    assert [ring.find(wrong) for wrong in ("", "tb-", secret[:-1], secret + "x", "\udcff", "x" * 100_000)] == [None] * 6
    revoke_key(tmp_path, "web")
    assert ring.refresh()
    assert ring.find(secret) is None


def test_what_another_process_makes_and_revokes_is_seen_within_a_second(tmp_path):
    async def work():
        ring = KeyRing(tmp_path)
        ring.refresh()
        task = asyncio.create_task(ring.follow())
        assert exit_code(fork(lambda: create_key(tmp_path, "web"))) == 0
        await until(lambda: len(ring) == 1, 1.0)
        assert exit_code(fork(lambda: revoke_key(tmp_path, "web"))) == 0
        await until(lambda: len(ring) == 0, 1.0)
        task.cancel()

    asyncio.run(work())


def test_a_store_that_is_gone_or_broken_leaves_the_keys_in_force(tmp_path):
    secret, record = create_key(tmp_path, "web")
    ring = KeyRing(tmp_path)
    ring.refresh()
    kept = (tmp_path / "keys.sqlite").read_bytes()
    (tmp_path / "keys.sqlite").unlink()
    with pytest.raises(StoreError, match="gone"):
        ring.refresh()
    (tmp_path / "keys.sqlite").write_bytes(b"")
    with pytest.raises(StoreError, match="gone"):
        ring.refresh()
    (tmp_path / "keys.sqlite").write_bytes(b"nonsense " * 1000)
    with pytest.raises(StoreError, match="does not answer"):
        ring.refresh()
    assert ring.find(secret) == record
    (tmp_path / "keys.sqlite").unlink()
    (tmp_path / "keys.sqlite").write_bytes(kept)
    assert ring.refresh()
    assert ring.find(secret) == record


def test_a_locked_file_does_not_turn_keys_away(tmp_path, monkeypatch):
    monkeypatch.setattr("tenbin.store.keyring.BUSY_S", 0.05)
    secret, record = create_key(tmp_path, "web")
    ring = KeyRing(tmp_path)
    ring.refresh()
    holder = sqlite3.connect(tmp_path / "keys.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError):
        ring.refresh()
    assert ring.find(secret) == record
    holder.execute("ROLLBACK")
    holder.close()
    ring.refresh()
    assert ring.find(secret) == record


def test_an_empty_folder_is_a_ring_without_keys(tmp_path):
    ring = KeyRing(tmp_path / "new")
    ring.refresh()
    assert ring.is_loaded
    assert len(ring) == 0
