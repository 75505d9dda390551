"""Configuration, prices and artifact change under load; time passes midnight: requests that run keep what they have."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tenbin.prices import PriceBook
from tenbin.store.reader import Reader
from tenbin.testing import Answer
from tests.gateway.chaos.processes import Crowd, tenbin_serve
from tests.gateway.running import PATIENCE_S, Reply, Running, Upstreams, fitted, frames, written
from tests.gateway.serving import Serving, until

BOOK = """
[models.cheap]
input_usd_per_mtok = 0.1
output_usd_per_mtok = 0.4
[models.good]
input_usd_per_mtok = {good}
output_usd_per_mtok = {good}
"""


@pytest.fixture
def gateway(folder: Path, ups: Upstreams) -> Iterator[Running]:
    (folder / "prices.toml").write_text(BOOK.format(good=10), encoding="utf-8")
    with Running(folder, ups, gateway=f'keys = "open"\nprices = "{folder / "prices.toml"}"') as running:
        yield running


def reload(gateway: Running) -> Reply:
    return gateway.request("POST", "/reload", admin=True)


def test_a_reload_takes_over_on_the_loop_that_the_requests_run_on(gateway: Running) -> None:
    before = gateway.gateway.snapshot
    is_held, is_free = threading.Event(), threading.Event()

    def hold() -> None:
        is_held.set()
        is_free.wait(PATIENCE_S)

    gateway.loop.call_soon_threadsafe(hold)
    assert is_held.wait(PATIENCE_S)
    reloading = threading.Thread(target=gateway.gateway.reload)
    reloading.start()
    reloading.join(1.0)
    assert gateway.gateway.snapshot is before
    is_free.set()
    reloading.join(PATIENCE_S)
    assert gateway.gateway.snapshot is not before


def test_a_new_price_bills_what_comes_after_it(gateway: Running, ups: Upstreams) -> None:
    ups["good"].script = Answer.slow(first_byte_s=0.5)
    replies: list[Reply] = []
    running = threading.Thread(target=lambda: replies.append(gateway.chat()))
    running.start()
    ups["good"].wait_for(1)
    (gateway.folder / "prices.toml").write_text(BOOK.format(good=30), encoding="utf-8")
    assert reload(gateway).status == 200
    ups["good"].script = ()
    assert gateway.chat().status == 200
    running.join()
    assert replies[0].status == 200
    old, new = sorted(gateway.calls(), key=lambda call: call.at or 0.0)
    assert old.usage == new.usage
    assert new.cost_usd == pytest.approx(3.0 * (old.cost_usd or 0.0))
    assert old.price_version != new.price_version
    assert new.price_version == gateway.gateway.snapshot.price_version


def test_a_stream_that_runs_finishes_on_the_old_configuration(gateway: Running, ups: Upstreams) -> None:
    ups["good"].script = Answer.slow(chunk_gap_s=0.05)
    replies: list[Reply] = []
    running = threading.Thread(target=lambda: replies.append(gateway.chat(stream=True)))
    running.start()
    ups["good"].wait_for(1)
    text = gateway.config.read_text(encoding="utf-8")
    gateway.config.write_text(text.replace("mu = 0.3", 'mu = 0.3\ndeny = ["good"]'), encoding="utf-8")
    assert reload(gateway).status == 200
    assert gateway.chat().headers["x-tenbin-model"] == "cheap"
    running.join()
    assert frames(replies[0].body)[-1] == "[DONE]"
    assert replies[0].headers["x-tenbin-model"] == "good"


@pytest.mark.parametrize("broken", ["config", "emptied", "prices", "artifact", "gone"])
def test_what_is_broken_is_refused_and_the_old_stays(gateway: Running, broken: str) -> None:
    snapshot = gateway.gateway.snapshot
    files = {"config": gateway.config, "emptied": gateway.config, "prices": gateway.folder / "prices.toml"}
    path = files.get(broken, gateway.router / "manifest.json")
    whole = path.read_bytes()
    if broken == "gone":
        path.unlink()
    else:
        path.write_bytes(b"" if broken == "emptied" else whole[: len(whole) // 2])
    refused = reload(gateway)
    assert refused.status == 409
    assert refused.error["message"]
    assert gateway.gateway.snapshot is snapshot
    assert gateway.chat().headers["x-tenbin-model"] == "good"
    path.write_bytes(whole)
    assert reload(gateway).status == 200
    assert gateway.gateway.snapshot is not snapshot
    metrics = gateway.request("GET", "/metrics", admin=True).body.decode()
    assert re.search(r'tenbin_reloads_total\{outcome="refused"\} [12]\.0', metrics)  # midnight may have tried it, too


def test_another_log_level_holds_from_the_reload_on(folder: Path, ups: Upstreams) -> None:
    config = written(folder, ups)
    with tenbin_serve(config) as serving:
        serving.wait_ready()
        reload_with(serving, config, 'log_level = "error"', 'log_level = "info"')
        until(lambda: b'reloads_total{outcome="ok"} 1.0' in scraped(serving), "the reload")
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0
    assert [line for line in serving.lines if '"reloaded"' in line]


def test_an_admin_key_that_holds_only_after_a_restart_is_said_to(folder: Path, ups: Upstreams) -> None:
    config = written(folder, ups, gateway='keys = "open"')
    config.write_text(config.read_text(encoding="utf-8").replace('"error"', '"warning"'), encoding="utf-8")
    with tenbin_serve(config) as serving:
        serving.wait_ready()
        reload_with(serving, config, "[gateway]", '[gateway]\nadmin_key_env = "OPERATORS"')
        serving.line("the admin key .* only with a restart")


def reload_with(serving: Serving, config: Path, old: str, new: str) -> None:
    """Put other words into the configuration, in one go, and have it read."""
    written_before = config.read_text(encoding="utf-8")
    assert old in written_before
    beside = config.with_suffix(".new")
    beside.write_text(written_before.replace(old, new), encoding="utf-8")
    beside.replace(config)
    serving.signal(signal.SIGHUP)


def scraped(serving: Serving) -> bytes:
    connection = serving.connect(serving.admin)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read()
    finally:
        connection.close()


def test_midnight_brings_the_prices_of_the_day(gateway: Running) -> None:
    app = gateway.gateway
    today = app.snapshot.day
    later = today.isoformat()
    dated = f"[[models.good.prices]]\nsince = {later}\ninput_usd_per_mtok = 20\noutput_usd_per_mtok = 20\n"
    dated += "[[models.good.prices]]\nsince = 2020-01-01\ninput_usd_per_mtok = 5\noutput_usd_per_mtok = 5\n"
    dated += "[[models.cheap.prices]]\nsince = 2020-01-01\ninput_usd_per_mtok = 0.1\noutput_usd_per_mtok = 0.4\n"
    (gateway.folder / "prices.toml").write_text(dated, encoding="utf-8")
    assert reload(gateway).status == 200
    new = app.snapshot
    # As the gateway was a day before: the book is the same, the rates are those of that day.
    yesterday = today - timedelta(days=1)
    rates = PriceBook.load(gateway.folder / "prices.toml").rates(["good"], yesterday)
    app.snapshot = replace(new, day=yesterday, rates={**new.rates, "good": rates})
    gateway.chat()
    app.reload_on_new_day()
    assert app.snapshot.day >= today
    gateway.chat()
    before, after = gateway.calls()
    assert after.cost_usd == pytest.approx(4.0 * (before.cost_usd or 0.0))
    unchanged = app.snapshot
    app.reload_on_new_day()
    assert app.snapshot is unchanged or app.snapshot.day > unchanged.day  # midnight passed under the test itself


def test_another_router_is_taken_up_under_load_and_nobody_notices(folder: Path, ups: Upstreams) -> None:
    """A process, its files watched: artifact, config and SIGHUP in turn while a crowd asks."""
    config = written(folder, ups)
    other = folder / "other"
    fitted(["good", "cheap"]).save(other)
    with tenbin_serve(config) as serving:
        serving.wait_ready()
        crowd = Crowd(serving.url, "reload")

        def versions() -> str:
            return json.dumps(serving.get("/state", serving.admin)["snapshot"]["profiles"])

        async def change() -> None:
            first = await asyncio.to_thread(versions)
            shutil.rmtree(folder / "router")
            other.rename(folder / "router")
            serving.signal(signal.SIGHUP)
            await asyncio.to_thread(until, lambda: versions() != first, "the other router")
            second = await asyncio.to_thread(versions)
            config.write_text(config.read_text("utf-8").replace("mu = 0.3", "mu = 0.2"), encoding="utf-8")
            await asyncio.to_thread(until, lambda: versions() != second, "the watched change")

        async def load() -> None:
            await asyncio.gather(crowd.run(6, 3.0), change())

        asyncio.run(load())
        assert set(crowd.heard) == set(crowd.asked)
        assert set(crowd.heard.values()) == {200}
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0
    calls = list(Reader(folder / "store").requests())
    assert sorted(call.user or "" for call in calls) == sorted(crowd.asked)
    assert {call.status for call in calls} == {"ok"}
