"""The load generator counts what comes back, and nothing else: answers, lost frames, errors; prompts never repeat."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from bench.load import Load, Run
from bench.memory import Block
from bench.mock import GAP_S, WORDS, spoken
from bench.prompts import Bodies
from tenbin.testing import Answer, FakeUpstream, UpstreamRequest


def measured(upstream: FakeUpstream, **members: Any) -> dict[str, Any]:
    async def whole() -> dict[str, Any]:
        return await Run(Load(upstream.port, "m", connections=3, **{"seconds": 0.2, **members})).measure()

    return asyncio.run(whole())


def test_prompts_are_distinct_and_marked() -> None:
    bodies = [json.loads(body) for body in islice(Bodies("m", stream=True, paced=True, seed=1, pool=20), 60)]
    prompts = [body["messages"][0]["content"] for body in bodies]
    assert len(set(prompts)) == 60
    assert all("[paced]" in prompt and 200 <= len(prompt) <= 1640 for prompt in prompts)
    assert all(body["stream"] for body in bodies)


@pytest.mark.parametrize("mode", [{}, {"stream": True}, {"stream": True, "paced": True, "seconds": 0.5}])
def test_a_good_server_has_no_errors(mode: dict[str, Any]) -> None:
    with FakeUpstream(spoken) as upstream:
        result = measured(upstream, **mode)
        assert all(request.was_closed is False for request in upstream.requests)
    assert result["errors"] == {}
    assert result["lost_frames"] == 0
    assert 0 < result["requests"] <= upstream.received_count - 3
    if "paced" in mode:
        assert result["latency_p50_ms"] >= 1000 * GAP_S * len(WORDS)


def test_lost_frames_are_counted() -> None:
    without = " ".join(word for word in WORDS if word not in ("w03", "w11"))
    with FakeUpstream(Answer(text=without)) as upstream:
        result = measured(upstream, stream=True)
        assert result["lost_frames"] == 2 * upstream.received_count


def test_errors_are_counted_by_kind() -> None:
    with FakeUpstream(Answer.error(503)) as upstream:
        result = measured(upstream)
    assert result["requests"] == 0
    assert [kind.split(":")[0] for kind in result["errors"]] == ["status 503"]


def test_a_block_leaves_every_tenth_stream() -> None:
    def halting(request: UpstreamRequest) -> Answer:
        """As `spoken`; what is paced has not ended when a busy machine gets round to leaving it."""
        answer = spoken(request)
        return replace(answer, chunk_gap_s=5.0) if answer.chunk_gap_s else answer

    with FakeUpstream(halting) as upstream:

        async def whole() -> dict[str, int]:
            return await Block(Load(upstream.port, "m", connections=4, seconds=0), 200).whole()

        assert asyncio.run(whole()) == {}
        upstream.wait_idle()
        requests = upstream.requests
    assert len(requests) == 200
    assert sum(request.was_closed for request in requests) == 20
    assert all(request.is_streaming for request in requests if request.was_closed)
