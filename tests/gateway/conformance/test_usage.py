"""The usage of a stream: asked of the upstream, billed, shown to who asked and to nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from tenbin.testing import Answer
from tenbin.types import Usage
from tests.gateway.conformance.cases import Case
from tests.gateway.conformance.served import CANDIDATES, Site, members_of
from tests.gateway.conformance.usage import ALWAYS, ASKED, USAGE_CASES
from tests.gateway.running import frames

BILLED = Usage(1200, 40, cached_tokens=1000, reasoning_tokens=0)


def streamed(site: Site, case: Case) -> list[Any]:
    """The frames that the client gets; the ledger must hold the usage in any case."""
    for name in CANDIDATES[case.upstream]:
        site.ups[name].script = Answer(usage=BILLED)
    asked = ASKED.get(case.name)
    answer = site.post(case, site.members(case, asked.members if asked else None))
    assert answer.status == 200, answer.body
    (call,) = (c for c in site.gateway.calls() if c.request_id == answer.headers["x-tenbin-decision-id"])
    assert call.usage == BILLED
    assert call.cost_usd > 0.0
    return frames(answer.body)


@pytest.mark.parametrize("case", [case for case in USAGE_CASES if case.name != ALWAYS], ids=str)
def test_a_chat_client_sees_the_usage_if_it_asked(site: Site, case: Case) -> None:
    *chunks, end = streamed(site, case)
    assert end == "[DONE]"
    if case.upstream == "openai":
        assert members_of(members_of(site.received().body)["stream_options"])["include_usage"] == b"true"
    if not ASKED[case.name].sees:
        assert [chunk for chunk in chunks if "usage" in chunk or not chunk["choices"]] == []
        return
    *before, last = chunks
    assert last["choices"] == []
    seen = last["usage"]
    assert (seen["prompt_tokens"], seen["completion_tokens"]) == (1200, 40)
    assert seen["prompt_tokens_details"]["cached_tokens"] == 1000
    assert [chunk["usage"] for chunk in before] == [None] * len(before)


@pytest.mark.parametrize("case", [case for case in USAGE_CASES if case.name == ALWAYS], ids=str)
def test_a_messages_client_always_sees_it(site: Site, case: Case) -> None:
    events = streamed(site, case)
    (last,) = (event for event in events if event["type"] == "message_delta")
    if case.upstream == "openai":
        assert members_of(site.received().body)["stream_options"] == b'{"include_usage":true}'
    seen = last["usage"]
    assert (seen["cache_read_input_tokens"], seen["output_tokens"]) == (1000, 40)


@pytest.mark.parametrize("endpoint", ["chat", "messages"])
def test_an_unstreamed_request_is_not_asked_for_it(site: Site, endpoint: Any) -> None:
    case = Case("whole", endpoint, "openai", "pinned", False)
    answer = site.post(case, site.members(case))
    assert "stream_options" not in members_of(site.received().body)
    assert answer.json["usage"]
