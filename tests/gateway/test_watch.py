from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tenbin.gateway.watch import Watch, keep_watch, look_at, watched_files
from tests.gateway.serving import PATIENCE_S
from tests.store.made import no_new_threads, until

CONFIG = '[gateway]\nrouter = "fitted"\nprices = "prices.toml"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "tenbin.toml"
    path.write_text(CONFIG, encoding="utf-8")
    (tmp_path / "prices.toml").write_text("", encoding="utf-8")
    return path


def test_it_watches_the_config_its_prices_and_its_routers(config: Path) -> None:
    config.write_text(CONFIG + '[profiles.other]\nrouter = "other"\n', encoding="utf-8")
    names = {str(path.relative_to(config.parent)) for path in Watch(config, {}).files}
    parts = {
        f"{router}/{name}"
        for router in ("fitted", "other")
        for name in ("manifest.json", "prices.toml", "calibration.npz")
    }
    assert names == {"tenbin.toml", "prices.toml", *parts}


def test_nothing_changed_is_no_change(config: Path) -> None:
    watch = Watch(config, {})
    assert [watch.has_changed() for _ in range(3)] == [False, False, False]


def test_a_change_counts_once_and_only_when_it_has_come_to_rest(config: Path) -> None:
    watch = Watch(config, {})
    (config.parent / "prices.toml").write_text("# half\n", encoding="utf-8")
    assert not watch.has_changed()
    (config.parent / "prices.toml").write_text("# the whole\n", encoding="utf-8")
    assert not watch.has_changed()
    assert [watch.has_changed() for _ in range(3)] == [True, False, False]


def test_a_change_that_is_taken_back_is_none(config: Path) -> None:
    watch = Watch(config, {})
    prices = config.parent / "prices.toml"
    before = prices.stat()
    os.utime(prices, ns=(0, 0))
    assert not watch.has_changed()
    os.utime(prices, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [watch.has_changed() for _ in range(2)] == [False, False]


@pytest.mark.parametrize("change", ["appears", "goes", "is replaced"])
def test_files_that_come_go_and_are_swapped_are_changes(config: Path, change: str) -> None:
    watch = Watch(config, {})
    prices = config.parent / "prices.toml"
    if change == "appears":
        (config.parent / "fitted").mkdir()
        (config.parent / "fitted" / "manifest.json").write_text("{}", encoding="utf-8")
    elif change == "goes":
        prices.unlink()
    else:  # same size, same time: another inode
        other = config.parent / "other"
        other.write_text("", encoding="utf-8")
        found = prices.stat()
        os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
        other.replace(prices)
    assert [watch.has_changed() for _ in range(3)] == [False, True, False]


def test_a_changed_config_says_anew_what_is_watched_and_a_broken_one_does_not(config: Path) -> None:
    watch = Watch(config, {})
    config.write_text("[gateway]\n", encoding="utf-8")
    assert [watch.has_changed(), watch.has_changed()] == [False, True]
    assert watch.files == (config,)
    config.write_text("[gateway", encoding="utf-8")
    assert [watch.has_changed(), watch.has_changed()] == [False, True]
    assert watch.files == (config,)
    config.write_text(CONFIG, encoding="utf-8")
    assert [watch.has_changed(), watch.has_changed()] == [False, True]
    assert len(watch.files) == 5


def test_an_unreadable_place_is_a_missing_file(tmp_path: Path) -> None:
    blocked = tmp_path / "file" / "below"
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert look_at((blocked,)) == {blocked: None}


def test_it_acts_whenever_something_changed(config: Path) -> None:
    acted = asyncio.Event()

    async def act() -> None:
        acted.set()

    async def run() -> None:
        watching = asyncio.create_task(keep_watch(Watch(config, {}), act, period_s=0.001))
        for text in ("# one\n", "# second\n"):
            config.write_text(CONFIG + text, encoding="utf-8")
            await asyncio.wait_for(acted.wait(), PATIENCE_S)
            acted.clear()
        watching.cancel()

    asyncio.run(run())


def test_a_look_for_which_there_is_no_thread_is_not_the_last(config: Path, caplog: pytest.LogCaptureFixture) -> None:
    acted = asyncio.Event()

    async def act() -> None:
        acted.set()

    async def run() -> None:
        watch = Watch(config, {})
        with no_new_threads():
            watching = asyncio.create_task(keep_watch(watch, act, period_s=0.001))
            await until(lambda: "the files cannot be looked at" in caplog.text)
        config.write_text(CONFIG + "# another\n", encoding="utf-8")
        await asyncio.wait_for(acted.wait(), PATIENCE_S)
        watching.cancel()

    asyncio.run(run())


def test_watched_files_are_in_order_and_named_once(config: Path) -> None:
    from tenbin.config import load_document

    config.write_text(CONFIG + '[profiles.same]\nrouter = "fitted"\n', encoding="utf-8")
    files = watched_files(config, load_document(config, {}))
    assert list(files) == sorted(set(files))
