"""When candidates fail in different ways, the client is told what it can act on."""

from __future__ import annotations

import itertools

import pytest

from tenbin.testing import Answer
from tenbin.testing.fake.request import UpstreamRequest
from tests.gateway.conformance.cases import OWN, Case
from tests.gateway.conformance.served import CANDIDATES, Site
from tests.gateway.conformance.unlike import PAIRS, UNLIKE_CASES
from tests.gateway.running import Reply


def told(site: Site, case: Case, answers: tuple[Answer, ...]) -> Reply:
    """What the client sees where the first call fails in the one way and the second in the other."""
    turns = iter(answers)

    def script(request: UpstreamRequest) -> Answer:
        return next(turns)

    for name in CANDIDATES[case.upstream]:
        site.ups[name].script = script
    answer = site.post(case, site.members(case))
    assert len(site.ups.called()) == len(answers)
    assert answer.headers["x-should-retry"] == "false"
    return answer


@pytest.mark.parametrize("case", UNLIKE_CASES, ids=str)
def test_what_the_client_can_act_on_is_told(site: Site, case: Case) -> None:
    pair = PAIRS[case.name]
    for answers in itertools.permutations((pair.told, pair.silent)):
        site.reset()
        answer = told(site, case, answers)
        assert answer.status == pair.status
        assert answer.headers.get("retry-after") == pair.told.headers.get("retry-after")


@pytest.mark.parametrize(("endpoint", "upstream"), OWN)
def test_a_refusal_after_a_failure_is_the_last_word(site: Site, endpoint: str, upstream: str) -> None:
    case = Case("refused second", endpoint, upstream, "exhausted", False)  # type: ignore[arg-type]
    assert told(site, case, (Answer.error(429, retry_after=5), Answer.error(400))).status == 400
