"""Where a whole provider fails, one of the other dialect takes over, and the client does not notice."""

from __future__ import annotations

import pytest

from tenbin.testing import Answer
from tenbin.testing.fake.request import UpstreamRequest
from tests.gateway.conformance.across import ACROSS_CASES
from tests.gateway.conformance.cases import Case
from tests.gateway.conformance.failures import BY_NAME
from tests.gateway.conformance.served import CANDIDATES, Site
from tests.gateway.running import frames


class Provider:
    """Fails for every request of the dialect that is asked first."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.path = ""

    def __call__(self, request: UpstreamRequest) -> Answer | None:
        self.path = self.path or request.path
        return self.answer if request.path == self.path else None


@pytest.mark.parametrize("case", ACROSS_CASES, ids=str)
def test_the_other_provider_takes_over(site: Site, case: Case) -> None:
    failing = BY_NAME[case.name].script(case)
    assert isinstance(failing, Answer)
    down = Provider(failing)
    for fake in site.ups.fakes.values():
        fake.script = down
    answer = site.post(case, site.members(case, {"model": b'"tenbin/mixed"'}))
    assert answer.status == 200, answer.body
    failed, took_over = ("anthropic", "openai") if down.path.endswith("/messages") else ("openai", "anthropic")
    assert answer.headers["x-tenbin-model"] in CANDIDATES[took_over]  # type: ignore[index]
    left = answer.headers["x-tenbin-fallbacks"].split(", ")
    assert set(left) <= set(CANDIDATES[failed])  # type: ignore[index]
    assert len(site.ups.called()) == len(left) + 1
    if not case.is_stream:
        assert ("choices" in answer.json) == (case.endpoint == "chat")
    elif case.endpoint == "chat":
        assert frames(answer.body)[-1] == "[DONE]"
    else:
        assert frames(answer.body)[-1]["type"] == "message_stop"
        assert [event["type"] for event in frames(answer.body)].count("message_start") == 1
