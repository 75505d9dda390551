"""Deciding fails, hangs or returns nonsense: the answer comes from the profile's safe default, and says so."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from tests.gateway.chaos.client import EASY, HARD, chat_body
from tests.gateway.chaos.processes import gathered
from tests.gateway.running import USUAL, Running, Upstreams, eventually, fitted

MOODY = """
import threading
import numpy as np

mood = "well"
gate = threading.Event()

class Moody:
    name = "moody"
    dim = 2

    def embed(self, texts):
        if mood == "raises":
            raise ZeroDivisionError("the plug-in fails")
        if mood == "hangs":
            gate.wait()
        if mood == "lacks rows":
            return np.zeros((0, 2), np.float32)
        if mood == "is nan":
            return np.full((len(texts), 2), np.nan, np.float32)
        return np.array([[1.0, 0.0] if "prove" in text else [0.0, 1.0] for text in texts], np.float32)
"""
PLUGINS = '[plugins]\nallow = ["acme"]'
PROFILE = 'mu = 0.3\nsafe_default = "cheap"'
UNABLE = {"cheap": "capabilities = []"}
TOOLS = [{"type": "function", "function": {"name": "look_up"}}]
HASTY = f"[profiles.hasty]\n{PROFILE}\ndecision_deadline_ms = 200"
"""Only for decisions that never come: those that do come late, too, on a busy machine."""


@pytest.fixture(scope="module")
def moody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The module of a plug-in that is installed as any other is."""
    site: Path = tmp_path_factory.mktemp("site")
    info = site / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[tenbin.embedders]\nmoody = acme_moods:Moody\n", encoding="utf-8")
    (site / "acme_moods.py").write_text(MOODY, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        import acme_moods  # type: ignore[import-not-found]

        yield acme_moods
    del sys.modules["acme_moods"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, moody: ModuleType) -> Iterator[tuple[Running, Upstreams]]:
    folder: Path = tmp_path_factory.mktemp("deciding")
    assert moody.mood == "well"
    settings = replace(USUAL, embedder="moody", allow_plugins=("acme",))
    fitted(["cheap", "good"], settings).save(folder / "router")
    with (
        Upstreams("cheap", "good") as ups,
        Running(folder, ups, profile=PROFILE, candidate=UNABLE, more=f"{HASTY}\n{PLUGINS}") as gateway,
    ):
        yield gateway, ups


@pytest.fixture
def gateway(served: tuple[Running, Upstreams], moody: ModuleType) -> Iterator[Running]:
    moody.mood, moody.gate = "well", threading.Event()
    yield served[0]
    moody.mood = "well"
    moody.gate.set()


def test_a_plug_in_decides_like_any_other_embedder(gateway: Running) -> None:
    assert gateway.chat(EASY).headers["x-tenbin-model"] == "cheap"
    assert gateway.chat(HARD).headers["x-tenbin-model"] == "good"


@pytest.mark.parametrize("mood", ["raises", "lacks rows", "is nan"])
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_decision_that_fails_is_the_safe_default(
    gateway: Running, moody: ModuleType, mood: str, is_stream: bool
) -> None:
    moody.mood = mood
    answer = gateway.chat(HARD, stream=is_stream)
    assert answer.status == 200
    assert answer.headers["x-tenbin-model"] == "cheap"
    assert answer.headers["x-tenbin-reason"].startswith("safe default: ")
    assert gateway.chat(HARD, stream=is_stream, tools=TOOLS).headers["x-tenbin-model"] == "good"  # the default cannot
    moody.mood = "well"
    assert gateway.chat(HARD).headers["x-tenbin-model"] == "good"


@pytest.mark.parametrize("mood", ["raises", "is nan"])
def test_a_ceiling_holds_where_deciding_fails_as_far_as_prices_tell(
    gateway: Running, moody: ModuleType, mood: str
) -> None:
    moody.mood = mood
    served = gateway.chat(HARD, tools=TOOLS, tenbin={"max_cost_usd": 1.0})  # the default cannot
    assert (served.status, served.headers["x-tenbin-model"]) == (200, "good")
    refused = gateway.chat(HARD, tools=TOOLS, tenbin={"max_cost_usd": 1e-5})  # its input alone costs 2e-4
    assert (refused.status, refused.error["code"], refused.error["param"]) == (
        400,
        "no_candidate",
        "tenbin.max_cost_usd",
    )
    assert "good is expected to cost " in refused.error["message"]
    assert gateway.chat(HARD, tenbin={"max_cost_usd": 1e-5}).headers["x-tenbin-model"] == "cheap"


def test_a_decision_that_is_late_is_the_safe_default(gateway: Running, moody: ModuleType) -> None:
    moody.mood = "hangs"
    bodies = [json.loads(chat_body(f"{HARD} {i}", model="tenbin/hasty")) for i in range(30)]
    began = time.monotonic()
    answers = asyncio.run(gathered(gateway.base_url.removesuffix("/v1"), bodies))
    assert [status for status, _ in answers] == [200] * 30
    assert {json.loads(body)["model"] for _, body in answers} == {"cheap"}
    assert time.monotonic() - began < 4.0  # one after another they take 6 s
    late = gateway.chat(HARD, model="tenbin/hasty")
    assert late.headers["x-tenbin-reason"] == "safe default: the decision came too late"
    assert gateway.chat(HARD, model="tenbin/hasty", tools=TOOLS).headers["x-tenbin-model"] == "good"
    assert gateway.get("/ready").status == 200
    shown = gateway.get(f"/v1/decisions/{late.headers['x-tenbin-decision-id']}").json
    assert shown["code"] == "late"
    moody.mood = "well"
    moody.gate.set()
    eventually(lambda: gateway.chat(HARD).headers["x-tenbin-model"] == "good", "decisions to come again")
    assert gateway.gateway.services.decider.queue_depth == 0


def test_more_than_can_wait_take_the_safe_default(gateway: Running, moody: ModuleType) -> None:
    decider = gateway.gateway.services.decider
    usual, decider.max_waiting = decider.max_waiting, 4
    moody.mood = "hangs"
    bodies = [json.loads(chat_body(f"{HARD} {i}", model="tenbin/hasty")) for i in range(20)]
    answers = asyncio.run(gathered(gateway.base_url.removesuffix("/v1"), bodies))
    decider.max_waiting = usual
    assert [status for status, _ in answers] == [200] * 20
