"""A configuration that cannot be served says which profile it is, and what to change there."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tenbin.errors import ConfigError, DecisionError
from tenbin.gateway.snapshot import build_snapshot
from tenbin.testing import Answer, FakeUpstream
from tests.gateway.running import HARD, USUAL, Running, Upstreams, fitted, written

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


def test_a_model_of_the_router_without_a_table_is_barred_for_that(tmp_path: Path) -> None:
    with Upstreams("cheap", "good") as ups:
        path = written(tmp_path, ups)
        text = path.read_text("utf-8")
        path.write_text(text.replace("[candidates.cheap]", "[candidates.another]"), "utf-8")
        served = build_snapshot(path, {}).profiles["auto"]
    barred = dict(zip(served.router.models, served.barred, strict=True))
    assert barred == {"cheap": "stands in no [candidates.NAME] of the configuration", "good": None}


def test_a_gateway_starts_although_its_embeddings_endpoint_does_not_answer(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It ended with code 10, so that a restart during an outage of the embeddings was an outage of all models."""
    body = {"model": "tenbin/auto", "messages": [{"role": "user", "content": f"{HARD} 7"}]}
    with Upstreams("cheap", "good") as ups, FakeUpstream() as embeddings:
        settings = replace(USUAL, embedder=f"endpoint:{embeddings.base_url}#e")
        fitted(["cheap", "good"], settings).save(tmp_path / "router")
        embeddings.script = Answer.error(429, retry_after=30)
        asked = len(embeddings.requests)
        with Running(tmp_path, ups) as gateway:
            assert len(embeddings.requests) == asked + 1
            reply = gateway.post("/v1/chat/completions", body)
            assert reply.headers["x-tenbin-reason"] == "safe default: deciding failed (NetworkError)"
            assert len(embeddings.requests) == asked + 2
            (told,) = [line for line in capfd.readouterr().err.splitlines() if "a decision failed" in line]
            assert "refused with status 429" in told
            assert "exception" not in told, "a stack for every request of an outage fills a disk"
            embeddings.script = None
            assert "least expected loss" in gateway.post("/v1/chat/completions", body).headers["x-tenbin-reason"]
