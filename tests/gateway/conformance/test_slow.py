"""A first token that is late: waited for where nobody else is there, taken over inside the SLA where somebody is."""

from __future__ import annotations

import time

import pytest

from tenbin.testing import Answer
from tests.gateway.conformance.cases import OWN, Case, Dialect, Endpoint
from tests.gateway.conformance.failures import SLOW_CASES
from tests.gateway.conformance.served import CANDIDATES, DEADLINE_S, HASTY, Site
from tests.gateway.conformance.test_failures import First
from tests.gateway.running import frames

BEFORE_CONTENT = {True: 0, False: -1}
"""Where a hanging upstream stops: a stream behind its headers, a whole answer before them."""


def of_way(way: str) -> list[Case]:
    return [case for case in SLOW_CASES if case.way == way]


def hasty(site: Site, case: Case) -> dict[str, bytes]:
    """The members of a request to a profile with an SLA."""
    return site.members(case, {"model": b'"%b"' % HASTY[case.upstream].encode()})


@pytest.mark.parametrize("case", of_way("pinned"), ids=str)
def test_a_pinned_model_is_waited_for(site: Site, case: Case) -> None:
    name = CANDIDATES[case.upstream][1]
    site.ups[name].script = Answer.slow(first_byte_s=0.05, first_chunk_s=0.05)
    answer = site.post(case, site.members(case))
    assert answer.status == 200
    assert site.ups.called() == [name]


@pytest.mark.parametrize("case", of_way("routed"), ids=str)
def test_the_next_candidate_takes_over_inside_the_sla(site: Site, case: Case) -> None:
    first = First(Answer.hang(BEFORE_CONTENT[case.is_stream]))
    for name in CANDIDATES[case.upstream]:
        site.ups[name].script = first
    answer = site.post(case, hasty(site, case))
    assert answer.status == 200, answer.body
    left = answer.headers["x-tenbin-fallbacks"]
    assert {left, answer.headers["x-tenbin-model"]} == set(CANDIDATES[case.upstream])
    site.ups[left].wait_closed(site.ups[left].requests[0])
    assert len(site.ups.called()) == 2


@pytest.mark.parametrize("case", of_way("exhausted"), ids=str)
def test_when_all_are_late_the_client_is_told_in_time(site: Site, case: Case) -> None:
    for name in CANDIDATES[case.upstream]:
        site.ups[name].script = Answer.hang(BEFORE_CONTENT[case.is_stream])
    answer = site.post(case, hasty(site, case))
    assert answer.status == 504, answer.body
    word = "timeout_error" if case.endpoint == "messages" else "upstream_timeout"
    assert answer.error["type" if case.endpoint == "messages" else "code"] == word
    assert answer.headers["x-should-retry"] == "false"
    assert sorted(answer.headers["x-tenbin-fallbacks"].split(", ")) == sorted(CANDIDATES[case.upstream])
    assert sorted(site.ups.called()) == sorted(CANDIDATES[case.upstream])


@pytest.mark.parametrize(("endpoint", "upstream"), OWN)
def test_after_its_first_token_a_stream_has_until_the_deadline(
    site: Site, endpoint: Endpoint, upstream: Dialect
) -> None:
    case = Case("slow later", endpoint, upstream, "routed", True)
    for name in CANDIDATES[upstream]:
        site.ups[name].script = Answer.hang(900)
    began = time.monotonic()
    answer = site.post(case, hasty(site, case))
    assert time.monotonic() - began > 0.9 * DEADLINE_S
    assert answer.status == 200
    assert "error" in frames(answer.body)[-1]
    assert len(site.ups.called()) == 1
