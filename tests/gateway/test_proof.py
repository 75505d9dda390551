"""A certified profile serves what is proved at the prices of the moment, else its reference alone, and says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tenbin.errors import ConfigError
from tenbin.gateway.proof import no_looser
from tenbin.gateway.snapshot import build_snapshot
from tenbin.router.calibrate import calibrate
from tenbin.router.dials import Dial
from tenbin.router.router import Router
from tenbin.types import Panel, Query, TradeOff
from tests.gateway.running import EASY, HARD, Running, Upstreams, eventually, fitted, written

CERTIFIED = "min_quality = 0.9\ncertified = true"


def calibration_panel(n: int) -> Panel:
    prompts = [f"{text} {i % 60} {59 - i % 60} {i % 60}" for i in range(n // 2) for text in (EASY, HARD)]
    quality = np.ones((n, 2))
    quality[1::2, 0] = 0.0
    tokens, none = np.full((n, 2), 20.0), np.full((n, 2), np.nan)
    queries = tuple(Query(str(i), prompt) for i, prompt in enumerate(prompts))
    return Panel(queries, ("cheap", "good"), quality, tokens, 5.0 * tokens, none, none, np.ones((n, 2)))


@pytest.fixture(scope="module")
def router() -> Router:
    return fitted(["cheap", "good"])


@pytest.fixture
def ups() -> Iterator[Upstreams]:
    with Upstreams("cheap", "good") as upstreams:
        yield upstreams


def certified(gateway: Running) -> bool:
    lines = gateway.request("GET", "/metrics", admin=True).body.decode()
    return 'tenbin_certified{profile="auto"} 1.0' in lines


def test_it_routes_while_proved_and_a_price_change_recertifies_before_it_applies(
    tmp_path: Path, router: Router, ups: Upstreams, capsys: pytest.CaptureFixture[str]
) -> None:
    router.take_calibration(calibrate(router, calibration_panel(120)))
    router.save(tmp_path / "router")
    with Running(tmp_path, ups, profile=CERTIFIED) as gateway:
        assert gateway.chat(f"{EASY} 7 52 7").headers["x-tenbin-model"] == "cheap"
        assert gateway.chat(f"{HARD} 7 52 7").headers["x-tenbin-model"] == "good"
        assert certified(gateway)
        prices = tmp_path / "router" / "prices.toml"
        prices.write_text(prices.read_text().replace("= 0.1", "= 100.0").replace("= 0.4", "= 400.0"))
        assert gateway.request("POST", "/reload", admin=True).status == 200
        assert not certified(gateway)
        answer = gateway.chat(f"{EASY} 7 52 7")
        assert answer.headers["x-tenbin-model"] == "good"
        assert "the reference alone is certified" in answer.headers["x-tenbin-reason"]
        told: list[str] = []  # a thread of its own writes the log
        uncertified = "profile auto serves its reference alone, uncertified"
        eventually(lambda: told.append(capsys.readouterr().err) or uncertified in "".join(told), "the log tells")
        ups["good"].script = ()


@pytest.mark.parametrize("n", [0, 4])
def test_without_a_proof_the_reference_serves_from_the_start(
    tmp_path: Path, router: Router, ups: Upstreams, n: int
) -> None:
    router.take_calibration(calibrate(router, calibration_panel(n)) if n else None)
    router.save(tmp_path / "router")
    with Running(tmp_path, ups, profile=CERTIFIED + '\nsafe_default = "cheap"') as gateway:
        answer = gateway.chat(f"{EASY} 7 52 7")
        assert answer.headers["x-tenbin-model"] == "good"
        assert not certified(gateway)
        (call,) = gateway.calls()
        assert call.cost_usd
        assert call.baseline_usd == call.cost_usd  # it saves nothing, and loses nothing


def test_a_reference_that_the_profile_does_not_reach_is_refused(tmp_path: Path, router: Router, ups: Upstreams) -> None:
    router.save(tmp_path / "router")
    config = written(tmp_path, ups, profile=CERTIFIED + '\ndeny = ["good"]')
    with pytest.raises(ConfigError, match='certified against its reference "good", but it is barred: not allowed'):
        build_snapshot(config, {})


def test_asking_for_more_quality_never_loosens_what_is_proved() -> None:
    proved = TradeOff(0.2)
    assert no_looser(lambda _: TradeOff(0.5), proved)(Dial(min_quality=0.99)).mu == 0.2
    assert no_looser(lambda _: TradeOff(0.1), proved)(Dial(min_quality=0.99)).mu == 0.1
