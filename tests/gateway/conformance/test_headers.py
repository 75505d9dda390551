"""Trace and request ids cross the gateway both ways; credentials, cookies and what belongs to one hop do not."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tenbin.testing import Answer
from tests.gateway.conformance.cases import Case
from tests.gateway.conformance.headers import BACK, CROSS, HEADER_CASES, KEYS, STAY, STAY_BACK, TO_ANTHROPIC
from tests.gateway.conformance.served import CANDIDATES, Site

OURS = {"accept", "accept-encoding", "content-length", "content-type", "host", "user-agent"}
"""What an HTTP client must send of itself."""
TRACE = CROSS["traceparent"].split("-")


@pytest.mark.parametrize("case", HEADER_CASES, ids=str)
@pytest.mark.parametrize("key", KEYS)
def test_what_reaches_the_upstream(site: Site, case: Case, key: str) -> None:
    keyed = {key: f"Bearer {site.secret}" if key == "authorization" else site.secret}
    assert site.post(case, site.members(case), **CROSS, **TO_ANTHROPIC, **STAY, **keyed).status == 200
    got = dict(site.received().headers)
    passing = set(CROSS) | (set(TO_ANTHROPIC) if case.upstream == "anthropic" else set())
    assert set(got) - OURS == passing
    version, trace, span, flags = got.pop("traceparent").split("-")
    assert (version, trace, flags) == (TRACE[0], TRACE[1], TRACE[3])
    assert re.fullmatch("[0-9a-f]{16}", span)
    assert span not in (TRACE[2], "0" * 16)
    assert {name: got[name] for name in passing - {"traceparent"}} == {
        name: value for name, value in (CROSS | TO_ANTHROPIC).items() if name in passing and name != "traceparent"
    }
    assert "planted" not in "".join(got.values())
    assert site.secret not in f"{got} {site.received().body!r}"
    assert got["user-agent"] == "tenbin"


@pytest.mark.parametrize("case", HEADER_CASES, ids=str)
@pytest.mark.parametrize("status", [200, 400])
def test_what_reaches_the_client(site: Site, case: Case, status: int) -> None:
    answer = Answer() if status == 200 else Answer.error(400)
    for name in CANDIDATES[case.upstream]:
        site.ups[name].script = replace(answer, headers={**BACK, **STAY_BACK})
    got = site.post(case, site.members(case)).headers
    assert {name: got.get(name) for name in BACK} == BACK
    assert {name for name in got if name in STAY_BACK} <= {"x-tenbin-model"}
    assert "planted" not in "".join(got.values())


@pytest.mark.parametrize(
    "given", ["", "00-0-0-01", f"00-{'0' * 32}-00f067aa0ba902b7-01", "ff" + CROSS["traceparent"][2:]]
)
def test_without_a_valid_trace_a_new_one_begins(site: Site, given: str) -> None:
    case = HEADER_CASES[0]
    site.post(case, site.members(case), traceparent=given, tracestate="vendor=1")
    got = site.received().headers
    assert re.fullmatch("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00", got["traceparent"])
    assert TRACE[1] not in got["traceparent"]
    assert "tracestate" not in got


@pytest.mark.parametrize("given", ["", "has a space", "x" * 129, "caf\xe9"])
def test_a_request_id_that_may_do_harm_is_replaced(site: Site, given: str) -> None:
    case = HEADER_CASES[0]
    site.ups[CANDIDATES["openai"][1]].script = Answer(raw=b"HTTP/1.1 400 Bad\r\ncontent-length: 2\r\n\r\n{}")
    answer = site.post(case, site.members(case), x_request_id=given)
    sent = site.received().headers["x-request-id"]
    assert re.fullmatch("req_[0-9a-f]{24}", sent)
    assert answer.headers["x-request-id"] == sent
