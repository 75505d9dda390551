"""Who calls: what a key may name, slots that are given back once, and what is said where keys cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenbin.errors import RequestError
from tenbin.gateway.caller import Caller, Callers
from tenbin.gateway.limits import Slots
from tenbin.gateway.shared_limits import Limits
from tenbin.store.keyring import KeyRing
from tenbin.store.keys import create_key, keys_database
from tests.store.made import key


def callers(folder: Path, *, is_open: bool = False) -> Callers:
    return Callers(KeyRing(folder), Limits(folder, is_shared=False), is_open=is_open)


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def refusal(asked: Callers, headers: dict[str, str], saying: str | None = None) -> tuple[int, str, float | None]:
    with pytest.raises(RequestError, match=saying) as caught:
        asked.admit(headers)
    return caught.value.status, caught.value.code, caught.value.retry_after_s


def test_a_key_may_name_what_its_lists_say_and_all_where_it_has_none() -> None:
    bound = Caller(key(profiles=frozenset({"b", "c"}), models=frozenset({"m"})))
    for free in (Caller(key()), Caller(None)):
        assert free.may_use_profile("a")
        assert free.may_use_model("n")
        assert free.first_profile("a", ["c", "b"]) == "a"
        assert free.first_profile(None, ["c", "b"]) == "b"
    assert [bound.may_use_profile(name) for name in "abc"] == [False, True, True]
    assert [bound.may_use_model(name) for name in "mn"] == [True, False]
    assert [bound.first_profile(default, "cab") for default in ("a", "c", None)] == ["b", "c", "b"]
    assert bound.first_profile("a", ["a", "d"]) is None
    assert (bound.key_id, Caller(None).key_id) == ("key_1", None)


def test_a_slot_is_given_back_once() -> None:
    slots = Slots(2)
    assert slots.take()
    assert slots.take()
    caller = Caller(key(), slots)
    caller.release()
    caller.release()
    assert slots.taken == 1


def test_until_keys_were_read_a_key_is_neither_right_nor_wrong(tmp_path: Path) -> None:
    secret, record = create_key(tmp_path, "client")
    asked = callers(tmp_path)
    assert refusal(asked, bearer(secret), "the keys cannot be read at the moment") == (503, "keys_unavailable", 1.0)
    assert refusal(asked, {}, "no key was sent") == (401, "invalid_api_key", None)
    assert asked.ring.refresh()
    assert asked.admit(bearer(secret)).key == record
    assert refusal(asked, bearer(f"{secret}x"), "this key is not known here") == (401, "invalid_api_key", None)


def test_an_open_gateway_knows_keys_and_asks_for_none(tmp_path: Path) -> None:
    secret, record = create_key(tmp_path, "client")
    asked = callers(tmp_path, is_open=True)
    asked.ring.refresh()
    assert asked.admit({}).key is None
    assert asked.admit({"host": "rebound.example", **bearer(secret)}).key == record
    for host in ("rebound.example", "localhost:x", ""):
        assert refusal(asked, {"host": host})[:2] == (421, "host_refused")
    assert refusal(asked, {"origin": "http://evil.example"})[:2] == (403, "origin_refused")


@pytest.mark.parametrize(
    "sent",
    [
        {"authorization": "bearer  SECRET "},
        {"x-api-key": " SECRET "},
        {"authorization": "Bearer SECRET", "x-api-key": "SECRET"},
        {"authorization": "Basic dXNlcjpwYXNz", "x-api-key": "SECRET"},
    ],
    ids=str,
)
def test_a_key_is_found_in_either_header(tmp_path: Path, sent: dict[str, str]) -> None:
    secret, record = create_key(tmp_path, "client")
    asked = callers(tmp_path)
    asked.ring.refresh()
    assert asked.admit({name: value.replace("SECRET", secret) for name, value in sent.items()}).key == record
    assert refusal(asked, {**bearer(secret), "x-api-key": f"{secret}x"})[:2] == (400, "two_keys")


def test_limits_of_a_key_hold_for_it_alone(tmp_path: Path) -> None:
    secrets = {name: create_key(tmp_path, name, max_concurrency=1)[0] for name in ("one", "two")}
    rated = create_key(tmp_path, "rated", requests_per_minute=1)[0]
    asked = callers(tmp_path)
    asked.ring.refresh()
    first = asked.admit(bearer(secrets["one"]))
    full = "this key has 1 request running, as many as it may"
    assert refusal(asked, bearer(secrets["one"]), full) == (429, "too_many_at_once", 1.0)
    asked.admit(bearer(secrets["two"])).release()
    first.release()
    asked.admit(bearer(secrets["one"])).release()
    asked.admit(bearer(rated)).release()
    status, code, wait_s = refusal(asked, bearer(rated), "this key may send 1 request a minute")
    assert (status, code) == (429, "rate_limited")
    assert wait_s == pytest.approx(60.0, abs=30.0)


def test_a_wait_of_less_than_a_second_is_a_refusal_too(tmp_path: Path) -> None:
    secret, _ = create_key(tmp_path, "fast", requests_per_minute=61)
    asked = callers(tmp_path)
    asked.ring.refresh()
    for _ in range(61):
        asked.admit(bearer(secret))
    wait_s = None
    while wait_s is None:  # a busy machine lets another one in
        try:
            asked.admit(bearer(secret))
        except RequestError as refused:
            wait_s = refused.retry_after_s
    assert 0.0 < wait_s < 1.0


def test_limits_that_were_changed_in_the_store_count_from_then_on(tmp_path: Path) -> None:
    secret, record = create_key(tmp_path, "client", requests_per_minute=1, max_concurrency=1)
    asked = callers(tmp_path)
    asked.ring.refresh()
    asked.admit(bearer(secret))
    with keys_database(tmp_path) as link:
        link.execute("UPDATE keys SET requests_per_minute = 5, max_concurrency = 2 WHERE key_id = ?", (record.key_id,))
    assert asked.ring.refresh()
    held = [asked.admit(bearer(secret)) for _ in range(2)]
    assert refusal(asked, bearer(secret), "has 2 requests running")[:2] == (429, "too_many_at_once")
    assert all(caller.slots is held[0].slots for caller in held)
