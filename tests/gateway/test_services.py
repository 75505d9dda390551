from __future__ import annotations

import threading
from pathlib import Path

from tests.gateway.running import PATIENCE_S, Running, Upstreams


def test_a_recurring_step_is_tried_again_however_it_failed(tmp_path: Path) -> None:
    tries, is_done = [], threading.Event()

    def step() -> None:
        tries.append(len(tries))
        if len(tries) == 1:
            raise ZeroDivisionError
        is_done.set()

    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups) as gateway:
        gateway.loop.call_soon_threadsafe(gateway.gateway.services.every, 0.01, step)
        assert is_done.wait(PATIENCE_S)
