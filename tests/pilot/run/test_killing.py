"""kill -9 in the middle. `runs/pilot_chaos.py` does it fifty times."""

from __future__ import annotations

from pathlib import Path

from tests.pilot.run.killing import kill_at_random


def test_a_killed_run_loses_nothing_and_pays_nothing_unseen(tmp_path: Path) -> None:
    toll = kill_at_random(tmp_path, kills=1, seed=4, pairs=80)
    assert toll.calls >= toll.bought == 80
