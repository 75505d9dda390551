"""Requests to /v1/messages, /v1/responses and /v1/embeddings reach an upstream that speaks them untouched."""

from __future__ import annotations

import msgspec
import pytest

from tests.gateway.conformance.cases import Case
from tests.gateway.conformance.other_fields import (
    EMBEDDINGS,
    EMBEDDINGS_CASES,
    MESSAGES,
    MESSAGES_CASES,
    PINNED_MESSAGES,
    RESPONSES,
    RESPONSES_CASES,
)
from tests.gateway.conformance.served import VECTORS, Site, at_provider, members_of
from tests.gateway.running import EASY, HARD

SENT = {
    "messages": {field.name: field.members for field in (*MESSAGES, *PINNED_MESSAGES)},
    "responses": {field.name: field.members for field in RESPONSES},
    "embeddings": {field.name: field.members for field in EMBEDDINGS},
}
BETA = {"anthropic-beta": "context-1m-2025-08-07,interleaved-thinking-2025-05-14", "anthropic-version": "2023-06-01"}


@pytest.mark.parametrize("case", [*MESSAGES_CASES, *RESPONSES_CASES], ids=str)
def test_every_member_arrives_as_written(site: Site, case: Case) -> None:
    sent = site.members(case, SENT[case.endpoint][case.name])
    answer = site.post(case, sent, **BETA)
    assert answer.status == 200, answer.body
    got = members_of(site.received().body)
    sent["model"] = msgspec.json.encode(at_provider(answer.headers["x-tenbin-model"]))
    assert got == sent
    assert list(got) == list(sent)
    headers = {name: value for name, value in site.received().headers.items() if name.startswith("anthropic-")}
    assert headers == (BETA if case.upstream == "anthropic" else {})


@pytest.mark.parametrize("case", EMBEDDINGS_CASES, ids=str)
def test_embeddings_pass_through(site: Site, case: Case) -> None:
    sent = {"model": b'"%s"' % VECTORS.encode(), "input": b'"x"', **SENT["embeddings"][case.name]}
    answer = site.post(case, sent)
    assert answer.status == 200, answer.body
    (request,) = site.vectors.requests
    got = members_of(request.body)
    assert got == sent | {"model": msgspec.json.encode(at_provider(VECTORS))}
    assert len(answer.json["data"]) == (2 if case.name in ("input as texts", "input as tokens") else 1)


def test_embeddings_are_not_routed(site: Site) -> None:
    refused = site.gateway.post("/v1/embeddings", {"model": "tenbin/auto", "input": "x"})
    assert (refused.status, refused.error["code"]) == (400, "not_routed")


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_response_goes_on_where_it_began(site: Site, is_stream: bool) -> None:
    decisions: list[str] = []

    def ask(text: str, **more: object) -> tuple[str, str]:
        body = {"model": "tenbin/auto", "input": f"{text} {next(site.numbers)}", "stream": is_stream, **more}
        answer = site.gateway.post("/v1/responses", body)
        assert answer.status == 200, answer.body
        decisions.append(answer.headers["x-tenbin-decision-id"])
        found = answer.body.split(b'"id":"resp_')[1].partition(b'"')[0].decode()
        return answer.headers["x-tenbin-model"], f"resp_{found}"

    other, _ = ask(HARD)
    began, response_id = ask(EASY)  # after the other: each fake upstream counts its responses for itself
    assert (began, other) == ("cheap", "good")
    went_on, second_id = ask(HARD, previous_response_id=response_id)
    assert (went_on, ask(HARD, previous_response_id=second_id)[0]) == (began, began)
    # It stays the profile's request: its SLA, its spending, what it keeps.
    kept = site.gateway.get(f"/v1/decisions/{decisions[-1]}").json
    assert (kept["profile"], kept["code"], kept["plan"]) == ("auto", "previous_response", [began])
    assert {call.profile for call in site.gateway.calls() if call.decision_id in decisions} == {"auto"}
    sent = members_of(site.ups[began].requests[1].body)
    assert sent["previous_response_id"] == msgspec.json.encode(response_id)
