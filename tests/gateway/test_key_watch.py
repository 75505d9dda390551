"""Keys under watch at the gateway: dear decisions are an alarm, a new subject goes to the reference."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tenbin.gateway import watched_keys
from tenbin.gateway.key_watch import KeyWatch
from tenbin.router.dearness import DearCurve
from tenbin.store.keys import create_key
from tenbin.telemetry.metrics import Metrics
from tenbin.testing import Answer
from tests.gateway.running import EASY, HARD, Running, Upstreams, eventually, fitted

ENOUGH = 48
"""In the gateway under test half of the training prompts are dear; so many that all are cannot be chance."""
NO_FLAGS: dict[str, Any] = {"dear": {}, "new_subject": {}}
CURVE = DearCurve((0.0, 0.1, 1.0), (1.0, 0.1, 0.0), (1.05, 0.15, 0.05))


def served(name: str = "auto", barred: tuple[str | None, ...] = (None, None, None)) -> Any:
    return SimpleNamespace(profile=SimpleNamespace(name=name), dear_curve=CURVE, reference=2, barred=barred)


def weighed(*ranking: int, barred: tuple[str | None, ...] = (None, None, None)) -> Any:
    """A request for candidates of 1, 2 and 10 dollars, whose losses rise in the order of the ranking."""
    loss = np.full(3, 1.0)
    loss[list(ranking)] = np.arange(len(ranking)) / 10.0
    cost = np.array([1.0, 2.0, 10.0])
    allowed = tuple(m for m in ranking if barred[m] is None)
    return SimpleNamespace(barred=barred, ranking=allowed, cost_usd=cost, loss=loss)


def sent(keys: KeyWatch, *ranking: int, count: int = ENOUGH, mu: float = 0.3, **who: Any) -> None:
    bars = {"barred": who.pop("barred")} if "barred" in who else {}
    for _ in range(count):
        keys.decided(served(**who), "key_a", mu, weighed(*ranking, **bars))


def counted(keys: KeyWatch, name: str = "auto", sign: str = "dear") -> int:
    return keys.counts([name])[name, sign]


def test_what_is_dear_is_flagged_by_profile_and_released(caplog: pytest.LogCaptureFixture) -> None:
    keys = KeyWatch(Metrics())
    sent(keys, 2, 1, 0)
    sent(keys, 1, 2, 0, name="other")
    assert (counted(keys), counted(keys, "other")) == (1, 0)
    (state,) = keys.states(["auto"])["auto"]["dear"].values()
    assert (state["limit"], state["share"]) == (0.15, 1.0)
    assert keys.states(["other"]) == {"other": NO_FLAGS}
    assert caplog.messages == [
        "key_a flagged: 100% of its latest decisions in profile auto are dear; "
        "10% of the training prompts' were, at most 15% is expected"
    ]
    keys.release("other")
    assert counted(keys) == 1
    keys.release("auto")
    assert keys.states(["auto"]) == {"auto": NO_FLAGS}
    sent(keys, 1, 2, 0)
    assert counted(keys) == 0


def test_a_flag_ends_with_usual_traffic(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)  # whatever a gateway that ran before in this process has set
    keys = KeyWatch(Metrics())
    sent(keys, 2, 1, 0)
    sent(keys, 0, 1, 2, count=300)
    assert counted(keys) == 0
    assert caplog.records[-1].levelno == logging.WARNING
    assert "no longer flagged" in caplog.messages[-1]


def test_who_looks_into_a_profile_at_one_worker_frees_its_keys_at_all() -> None:
    here, there = KeyWatch(Metrics()), KeyWatch(Metrics())
    for keys in (here, there):
        keys.adopt({"auto": 1.0})
        sent(keys, 2, 1, 0)
        sent(keys, 2, 1, 0, name="other")
        keys.adopt({"auto": 1.0})  # what was looked into before says nothing of these
        assert (counted(keys), counted(keys, "other")) == (1, 1)
    here.resume("auto", 2.0)
    there.adopt({"auto": 2.0})
    assert [counted(keys) for keys in (here, there)] == [0, 0]
    assert [counted(keys, "other") for keys in (here, there)] == [1, 1]
    for keys in (here, there):
        sent(keys, 2, 1, 0)
        keys.adopt({"auto": 2.0})
        assert counted(keys) == 1  # once is enough


def test_at_mu_0_everything_may_be_dear() -> None:
    keys = KeyWatch(Metrics())
    sent(keys, 2, 1, 0, mu=0.0, count=1_000)
    assert counted(keys) == 0


def test_it_is_the_text_that_counts_not_what_else_narrows_the_choice() -> None:
    keys = KeyWatch(Metrics())
    only_the_reference = ("not allowed for this key", "not allowed for this key", None)
    sent(keys, 0, 1, 2, barred=only_the_reference)
    assert counted(keys) == 0
    no_reference = (None, None, "not allowed for this key")
    sent(keys, 2, 0, 1, barred=no_reference)
    assert counted(keys) == 1


def test_keys_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched_keys, "MOST_KEYS", 3)
    keys = KeyWatch(Metrics())
    sent(keys, 2, 1, 0)
    for i in range(5):
        keys.decided(served(), f"key_{i}", 0.3, weighed(0, 1, 2))
    assert len(keys.dear._keys) == 3
    assert counted(keys) == 0


def test_another_router_begins_its_watch_afresh_and_other_prices_do_not(tmp_path: Path) -> None:
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups, profile="mu = 0.3") as gateway:
        keys = gateway.gateway.services.keys
        for _ in range(ENOUGH):
            keys.new_subject.met("auto", "key_a", True, 0.05, 0.1)
        prices = tmp_path / "router" / "prices.toml"
        prices.write_text(prices.read_text().replace("= 0.1", "= 0.2"))
        assert gateway.request("POST", "/reload", admin=True).status == 200
        assert keys.new_subject.has("auto", "key_a")
        fitted(["cheap", "good"], ending=lambda i: f"{i} and {i}").save(tmp_path / "router")
        assert gateway.request("POST", "/reload", admin=True).status == 200
        assert not keys.new_subject.has("auto", "key_a")


def talk(gateway: Running, turns: int, topic: str, secret: str) -> None:
    """A conversation in which every turn sends the earlier ones again."""
    messages: list[dict[str, str]] = []
    for turn in range(turns):
        messages.append({"role": "user", "content": f"{topic} {turn}"})
        body = {"model": "tenbin/auto", "messages": messages}
        reply = gateway.post("/v1/chat/completions", body, authorization=f"Bearer {secret}")
        messages.append({"role": "assistant", "content": reply.json["choices"][0]["message"]["content"]})


def test_a_key_that_sends_only_dear_prompts_is_flagged_and_another_is_not(tmp_path: Path) -> None:
    (crafted, crafted_key), (usual, _), (talker, _) = (
        create_key(tmp_path / "store", name) for name in ("crafted", "usual", "talker")
    )
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups, gateway="") as gateway:
        for fake in ups.fakes.values():
            fake.script = Answer(text="yes")
        eventually(lambda: len(gateway.gateway.services.ring) == 3, "the keys were read")

        def metric(name: str) -> str:
            lines = gateway.request("GET", "/metrics", admin=True).body.decode().splitlines()
            return next((line.split()[-1] for line in lines if line.startswith(name)), "")

        for i in range(ENOUGH // 2):
            gateway.chat(f"{HARD} {i}", headers={"authorization": f"Bearer {usual}"})
            gateway.chat(f"{EASY} {i}", headers={"authorization": f"Bearer {usual}"})
        talk(gateway, ENOUGH, HARD, talker)
        assert metric('tenbin_flagged_keys{profile="auto",sign="dear"}') == "0.0"
        # An alarm on its increase sees the first one.
        assert metric('tenbin_key_flags_total{profile="auto",sign="dear"}') == "0.0"
        models = {
            gateway.chat(f"{HARD} {i % 7}", headers={"authorization": f"Bearer {crafted}"}).headers["x-tenbin-model"]
            for i in range(ENOUGH)
        }
        assert models == {"good"}  # an alarm changes no decision
        assert metric('tenbin_flagged_keys{profile="auto",sign="dear"}') == "1.0"
        assert metric('tenbin_key_flags_total{profile="auto",sign="dear"}') == "1.0"
        state = gateway.request("GET", "/state", admin=True).json
        assert list(state["flagged_keys"]["auto"]["dear"]) == [crafted_key.key_id]
        assert gateway.request("POST", "/profiles/auto/resume", admin=True).status == 200
        assert metric('tenbin_flagged_keys{profile="auto",sign="dear"}') == "0.0"
        assert metric('tenbin_key_flags_total{profile="auto",sign="dear"}') == "1.0"
