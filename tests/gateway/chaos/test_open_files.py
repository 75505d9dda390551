"""A limit on open files that a crowd would use up: the gateway takes what the system allows it at most."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from tenbin.testing import Answer
from tests.gateway.chaos.client import HARD, chat_body
from tests.gateway.chaos.processes import gathered
from tests.gateway.running import Upstreams, written
from tests.gateway.serving import Serving

CROWD = 100
FEWER = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
os.execv(sys.executable, [sys.executable, "-m", "tenbin", *sys.argv[1:]])
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_crowd_needs_two_files_each_and_has_them(folder: Path, ups: Upstreams, workers: str) -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 4 * CROWD
    ups["good"].script = Answer.slow(first_byte_s=1.0)  # so that all are under way at once
    config = written(folder, ups)
    bodies = [json.loads(chat_body(f"{HARD} {i}", model="good")) for i in range(2 * CROWD)]
    with Serving([sys.executable, "-c", FEWER, "serve", str(config), "--workers", workers]) as serving:
        serving.wait_ready()
        answers = asyncio.run(gathered(serving.url, bodies))
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0
    assert Counter(status for status, _ in answers) == {200: len(bodies)}
