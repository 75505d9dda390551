"""Every failure of an upstream: as a direct call would show it, taken over where that is right, never multiplied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tenbin.testing import Answer
from tenbin.testing.fake.request import UpstreamRequest
from tests.gateway.conformance.cases import OWN, Case, Dialect, Endpoint
from tests.gateway.conformance.failures import BY_NAME, FAILURE_CASES, REFUSAL_CASES, Failure, Script
from tests.gateway.conformance.served import CANDIDATES, Members, Site
from tests.gateway.running import Reply, frames

NORMAL_END = {"chat": "[DONE]", "messages": "message_stop", "responses": "response.completed"}


class First:
    """Plays a failure to the first request only, whichever candidate it reaches."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.count = 0

    def __call__(self, request: UpstreamRequest) -> Answer | None:
        self.count += 1
        if self.count > 1:
            return None
        return self.script if isinstance(self.script, Answer) else self.script(request)


def of_way(way: str) -> list[Case]:
    return [case for case in FAILURE_CASES if case.way == way]


@contextmanager
def failing(site: Site, case: Case, members: Members) -> Iterator[Failure]:
    """The upstreams of a case, one or all of them broken."""
    failure = BY_NAME[case.name]
    names = CANDIDATES[case.upstream]
    script = failure.script(case)
    assert script is not None
    if failure.is_down:
        down = list(names)
        if case.way == "routed":
            down = [site.post(case, members).headers["x-tenbin-model"]]
            site.ups[down[0]].clear()
        for name in down:
            site.ups[name].close()
        try:
            yield failure
        finally:
            for name in down:
                site.ups[name].start()
        return
    if failure.code == "upstream_reset":
        site.disconnect(case.upstream)
    first = First(script) if case.way == "routed" else script
    for name in names:
        site.ups[name].script = first
    yield failure


def shows(failure: Failure, case: Case, answer: Reply) -> None:
    """The client is shown this failure, in its dialect."""
    if failure.is_late:
        assert answer.status == 200
        last = frames(answer.body)[-1]
        assert b"response.completed" not in answer.body
        assert len(answer.body) > 200_000
        assert "error" in (last if case.endpoint != "responses" else last["type"])
        assert b"[DONE]" not in answer.body
        assert b'"message_stop"' not in answer.body
        return
    assert answer.status == failure.shown_status(case), answer.body
    assert answer.headers["content-type"] == "application/json"
    if failure.is_own or case.is_translated:
        assert answer.error["type" if case.endpoint == "messages" else "code"] == failure.shown(case.endpoint)
        assert (answer.json.get("type") == "error") == (case.endpoint == "messages")
    if "Retry-After" in failure.name:
        assert answer.headers["retry-after"] == "7"


@pytest.mark.parametrize("case", of_way("pinned"), ids=str)
def test_a_pinned_model_shows_it_as_it_is(site: Site, case: Case) -> None:
    members = site.members(case)
    name = CANDIDATES[case.upstream][1]
    with failing(site, case, members) as failure:
        answer = site.post(case, members)
        assert site.ups.called() == ([] if failure.is_down else [name])
        shows(failure, case, answer)
        assert answer.headers.get("x-should-retry") is None
        if case.is_translated or failure.is_own or failure.is_late:
            return
        direct = site.direct(case, members, name)
        if not case.is_stream or direct.status >= 400:
            assert direct.status in (answer.status, 200)
            assert direct.body == answer.body
        else:
            assert answer.body in direct.body
        assert answer.headers.get("retry-after") == direct.headers.get("retry-after")


@pytest.mark.parametrize("case", of_way("routed"), ids=str)
def test_the_next_candidate_takes_over_where_that_is_right(site: Site, case: Case) -> None:
    members = site.members(case)
    with failing(site, case, members) as failure:
        answer = site.post(case, members)
    if failure.moves_on:
        assert answer.status == 200, answer.body
        left, answered = answer.headers["x-tenbin-fallbacks"], answer.headers["x-tenbin-model"]
        assert {left, answered} == set(CANDIDATES[case.upstream])
        assert sorted(site.ups.called()) == sorted([answered] if failure.is_down else [left, answered])
        if case.is_stream:
            last = frames(answer.body)[-1]
            assert (last if case.endpoint == "chat" else last["type"]) == NORMAL_END[case.endpoint]
        return
    shows(failure, case, answer)
    assert len(site.ups.called()) == 1
    assert "x-tenbin-fallbacks" not in answer.headers
    assert "x-should-retry" not in answer.headers


@pytest.mark.parametrize("case", of_way("exhausted"), ids=str)
def test_the_error_of_all_is_told_once(site: Site, case: Case) -> None:
    members = site.members(case)
    with failing(site, case, members) as failure:
        answer = site.post(case, members)
    shows(failure, case, answer)
    if not failure.moves_on:
        assert len(site.ups.called()) == 1
        return
    assert answer.headers["x-should-retry"] == "false"
    assert sorted(answer.headers["x-tenbin-fallbacks"].split(", ")) == sorted(CANDIDATES[case.upstream])
    assert sorted(site.ups.called()) == ([] if failure.is_down else sorted(CANDIDATES[case.upstream]))


@pytest.mark.parametrize("case", REFUSAL_CASES, ids=str)
def test_a_content_filter_is_an_answer(site: Site, case: Case) -> None:
    for name in CANDIDATES[case.upstream]:
        site.ups[name].script = Answer.content_filter()
    answer = site.post(case, site.members(case))
    assert answer.status == 200
    reason = b'"stop_reason":"refusal"' if case.endpoint == "messages" else b'"finish_reason":"content_filter"'
    assert reason in answer.body
    assert len(site.ups.called()) == 1
    assert "x-tenbin-fallbacks" not in answer.headers


@pytest.mark.parametrize(("endpoint", "upstream"), OWN)
def test_a_kept_connection_that_turns_out_closed_is_replaced(site: Site, endpoint: Endpoint, upstream: Dialect) -> None:
    case = Case("kept", endpoint, upstream, "pinned", False)
    assert site.post(case, site.members(case)).status == 200
    site.ups[CANDIDATES[upstream][1]].script = [Answer.close()]
    answer = site.post(case, site.members(case))
    assert answer.status == 200
    assert "x-tenbin-fallbacks" not in answer.headers
