"""A configuration that cannot be served says which profile it is, and what to change there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tenbin.errors import ConfigError, DecisionError
from tenbin.gateway.snapshot import build_snapshot
from tests.gateway.running import Upstreams, written

OTHER = '[candidates.other]\nbase_url = "http://127.0.0.1:9/v1"\n[profiles.second]\n'


@pytest.mark.parametrize(
    ("second", "error", "sentence"),
    [
        ("max_cost_usd = 1e-9", DecisionError, "profiles.second: no trade-off costs at most 1e-09 dollars per query"),
        ("min_quality = 1.9", DecisionError, "profiles.second: no trade-off reaches 190.0% of the reference's"),
        (
            'allow = ["other"]',
            ConfigError,
            "profiles.second: allow and deny leave none of the router's candidates; "
            "the router knows cheap, good: allow one of them",
        ),
    ],
)
def test_a_profile_that_cannot_be_served_is_named(
    tmp_path: Path, second: str, error: type[Exception], sentence: str
) -> None:
    with Upstreams("cheap", "good") as ups, pytest.raises(error, match=re.escape(sentence)):
        build_snapshot(written(tmp_path, ups, more=OTHER + second), {})
