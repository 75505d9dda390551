"""The budget under fire: the upstream keeps its own bill. `runs/pilot_chaos.py` does the same 200 times."""

from __future__ import annotations

import pytest

from tests.pilot.run.troubled import ordeal


@pytest.mark.parametrize("seed", [3, 5, 8, 9, 12, 17])
def test_the_budget_is_never_exceeded_whatever_fails(seed: int) -> None:
    assert ordeal(seed).calls > 10
