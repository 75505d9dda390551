"""Where the router goes that a pilot has proved: where the gateway looks for it, and never over one in service."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenbin.pilot.going_live import GoingLive, going_live
from tenbin.pilot.plan.setup import read_setup
from tests.pilot.plan.made import write_config


def test_it_goes_where_the_gateway_looks_unless_a_router_stands_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = write_config(tmp_path)
    assert going_live("mine", read_setup(config, {})) == GoingLive(tmp_path / "r", is_served=True)
    (tmp_path / "r").mkdir()
    assert going_live("mine", read_setup(config, {})) == GoingLive(Path("mine-router"), is_served=False)
    config.write_text(config.read_text().replace("[profiles.auto]", '[profiles.auto]\nrouter = "mine-router"'))
    assert going_live("mine", read_setup(config, {})) == GoingLive(Path("mine-router"), is_served=True)
    (tmp_path / "mine-router").mkdir()  # fitted the last time: the same command again
    assert going_live("mine", read_setup(config, {})) == GoingLive(Path("mine-router"), is_served=True)
    assert going_live("mine", None) == GoingLive(Path("mine-router"), is_served=False)
