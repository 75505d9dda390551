"""One key never sees, moves or pays with what is another's, and a limited one reaches nothing beyond its limits."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tenbin.store.keys import create_key, revoke_key
from tenbin.store.ledger import Ledger
from tenbin.store.records import Intent, Settled
from tenbin.testing import Answer
from tests.gateway.chaos.client import hear, send
from tests.gateway.hostile.guarded import (
    CHAT,
    DECISION,
    EMBEDDINGS,
    FEEDBACK,
    MESSAGES,
    RESPONSES,
    Guarded,
    refused,
    said,
)
from tests.gateway.running import HARD, eventually

REVOKED_WITHIN_S = 1.0
TICK_S = 0.01


def decision_of(site: Guarded, key: str = "main") -> str:
    return site.post(CHAT, said(), key).headers["x-tenbin-decision-id"]


def test_a_decision_is_read_by_its_own_key_only(site: Guarded) -> None:
    decision_id = decision_of(site)
    assert site.get(f"/v1/decisions/{decision_id}").json["decision_id"] == decision_id
    theirs = site.get(f"/v1/decisions/{decision_id}", "other")
    nobodys = site.get("/v1/decisions/dec-0123456789", "other")
    assert (theirs.status, theirs.body) == (nobodys.status, nobodys.body)
    assert theirs.status == 404
    assert site.gateway.get(f"/v1/decisions/{decision_id}").status == 401


@pytest.mark.parametrize("asked", ["%25", "dec-%25", "%27%20OR%201=1--", "*", "..", "%00", "a" * 5000])
def test_no_decision_is_found_by_a_pattern(site: Guarded, asked: str) -> None:
    decision_of(site)
    assert site.get(f"/v1/decisions/{asked}").status == 404


def test_feedback_is_taken_from_the_same_key_only(site: Guarded) -> None:
    decision_id = decision_of(site)
    verdict = {"decision_id": decision_id, "quality": 0.0}
    assert site.post(FEEDBACK, verdict, "other").status == 404
    assert site.post(FEEDBACK, verdict, "limited").status == 404
    assert site.gateway.do(site.gateway.gateway.services.ledger.flush())
    assert list(site.gateway.gateway.services.reader.feedback(decision_id)) == []
    assert site.post(FEEDBACK, {**verdict, "quality": 0.7}).status == 200


def test_another_keys_response_does_not_go_on(site: Guarded) -> None:
    first = site.post(RESPONSES, {"model": "good", "input": "my secret is plum"})
    response_id = first.json["id"]
    site.ups["good"].clear()
    for model in ("good", "tenbin/auto"):
        follow = {"model": model, "input": "what is my secret?", "previous_response_id": response_id}
        reply = site.post(RESPONSES, follow, "other")
        error = refused(RESPONSES, reply)
        assert (reply.status, error["code"], error["param"]) == (
            400,
            "previous_response_not_found",
            "previous_response_id",
        )
    assert site.ups.called() == []
    follow = {"model": "tenbin/auto", "input": "what is my secret?", "previous_response_id": response_id}
    assert site.post(RESPONSES, follow).status == 200
    assert site.ups.called() == ["good"]


def test_another_keys_response_does_not_go_on_after_a_restart(site: Guarded) -> None:
    response_id = site.post(RESPONSES, {"model": "good", "input": "a"}).json["id"]
    services = site.gateway.gateway.services
    assert site.gateway.do(services.ledger.flush())
    services.responses.__init__(10)  # type: ignore[misc]  # as if by another worker
    site.ups["good"].clear()
    follow = {"model": "good", "input": "b", "previous_response_id": response_id}
    assert site.post(RESPONSES, follow, "other").status == 400
    assert site.ups.called() == []
    assert site.post(RESPONSES, follow).status == 200


def test_a_response_of_another_worker_goes_on_before_its_row_is_in_the_ledger(site: Guarded) -> None:
    gateway, other = site.gateway, Ledger(site.gateway.store, "worker-1")

    async def given() -> None:
        other.start()
        key_id = gateway.gateway.services.ring.find(site.keys["main"]).key_id  # type: ignore[union-attr]
        intent = Intent("req-other", 0, time.time(), "worker-1", key_id, None, "responses", "good", "good")
        await other.record(intent, Settled("req-other", 0, time.time(), "ok", response_id="resp_of_another_worker"))

    gateway.do(given())
    follow = {"model": "tenbin/auto", "input": "b", "previous_response_id": "resp_of_another_worker"}
    assert site.post(RESPONSES, follow).status == 200
    assert site.ups.called() == ["good"]
    gateway.do(other.close())


@pytest.mark.parametrize("ending", ["hang", "cut"])
def test_a_response_that_ended_half_way_is_its_providers_to_go_on_with(site: Guarded, ending: Any) -> None:
    """It was refused here, as one that nobody gave: the row of a stream that was left did not name its response."""
    events = [
        {"type": "response.created", "response": {"id": "resp_left", "status": "in_progress"}},
        {"type": "response.output_text.delta", "delta": "Once upon"},
    ]
    begun = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    stream = {"content-type": "text/event-stream"}
    site.ups["good"].script = Answer(chunks=(begun,), headers=stream, cut_at=len(begun), ending=ending)
    asked = json.dumps({"model": "good", "input": "a", "stream": True}).encode()
    with send(site.gateway.port, asked, path=RESPONSES, key=site.keys["main"]) as client:
        assert b"Once" in hear(client, b"Once" if ending == "hang" else b"0\r\n\r\n")
    services = site.gateway.gateway.services
    eventually(lambda: services.in_flight == 0, "the request to end")
    site.ups["good"].clear()
    site.ups["good"].script = None
    follow = {"model": "tenbin/auto", "input": "b", "previous_response_id": "resp_left"}
    for _ in range(2):
        assert site.post(RESPONSES, follow, "other").status == 400
        assert site.post(RESPONSES, follow).status == 200
        assert site.gateway.do(services.ledger.flush())
        services.responses.__init__(10)  # type: ignore[misc]  # as if by another worker
    assert site.ups.called() == ["good", "good"]


@pytest.mark.parametrize("model", ["good", "tenbin/auto"])
def test_a_response_that_nobody_here_gave_does_not_go_on(site: Guarded, model: str) -> None:
    reply = site.post(RESPONSES, {"model": model, "input": "b", "previous_response_id": "resp_from_elsewhere"})
    assert (reply.status, refused(RESPONSES, reply)["code"]) == (400, "previous_response_not_found")
    assert site.ups.called() == []


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"conversation": "conv_1"}, "conversation"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        ({"input": [{"role": "user", "content": "and that?"}, {"id": "msg_1"}]}, "input[1]"),
        ({"input": [{"type": None, "id": "msg_1"}]}, "input[0]"),
    ],
)
def test_what_the_provider_keeps_for_all_keys_is_for_none(site: Guarded, members: dict[str, Any], param: str) -> None:
    for model in ("good", "tenbin/auto"):
        reply = site.post(RESPONSES, {"model": model, "input": "what is my secret?", **members}, "other")
        error = refused(RESPONSES, reply)
        assert (reply.status, error["code"], error["param"]) == (400, "unsupported_parameter", param)
    assert site.ups.called() == []


def test_what_binds_nothing_of_a_provider_passes(site: Guarded) -> None:
    items = [{"role": "user", "content": "a"}, {"type": "reasoning", "id": "rs_1", "summary": []}]
    body = {"model": "good", "input": items, "conversation": None, "background": False}
    assert site.post(RESPONSES, body).status == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (CHAT, said(model="good"), 404),
        (CHAT, said(model="claude"), 404),
        (MESSAGES, said(model="good"), 404),
        (RESPONSES, {"model": "good", "input": "a"}, 404),
        (EMBEDDINGS, {"model": "good", "input": "a"}, 404),
        (CHAT, said(model="tenbin/sure"), 403),
        (MESSAGES, said(model="tenbin/sure"), 403),
        (DECISION, said(model="tenbin/sure"), 403),
        (CHAT, said(model="tenbin/narrow", tenbin={"allow": ["good"]}), 400),
        (CHAT, said(model="tenbin/narrow", tenbin={"deny": ["cheap"]}), 400),
        (RESPONSES, {"model": "tenbin/narrow", "input": "a"}, 400),
    ],
    ids=str,
)
def test_a_limited_key_reaches_nothing_else(site: Guarded, path: str, body: object, status: int) -> None:
    reply = site.post(path, body, "limited")
    assert reply.status == status
    refused(path, reply)
    assert site.ups.called() == []


def test_a_limited_key_is_served_within_its_limits(site: Guarded) -> None:
    for model in ("tenbin/auto", "tenbin/narrow", "cheap"):
        assert site.post(CHAT, said(HARD, model=model), "limited").headers["x-tenbin-model"] == "cheap"
    listed = {model["id"] for model in site.get("/v1/models", "limited").json["data"]}
    assert listed == {"tenbin/auto", "tenbin/narrow", "cheap"}
    assert site.get("/v1/models/good", "limited").status == 404
    assert site.get("/v1/models/tenbin/sure", "limited").status == 404


def test_a_limited_key_does_not_fall_over_to_what_it_may_not_use(site: Guarded) -> None:
    site.ups["cheap"].close()
    try:
        reply = site.post(CHAT, said(), "limited")
    finally:
        site.ups["cheap"].start()
    assert reply.status == 502
    assert site.ups.called() == []


def test_no_refusal_lists_what_a_limited_key_may_not_use(site: Guarded) -> None:
    for body in (said(model="goood"), said(model="tenbin/sur"), said(model="good"), said(tenbin={"allow": ["goood"]})):
        message = refused(CHAT, site.post(CHAT, body, "limited"))["message"]
        assert "claude" not in message
        assert '"good"' not in message or body["model"] == "good"
    message = refused(MESSAGES, site.post(MESSAGES, said(top_k=5), "limited"))["message"]
    assert "cheap top_k has no counterpart" in message
    assert "good" not in message
    assert "claude" not in message


def test_conversations_are_never_shared(site: Guarded) -> None:
    planner = site.gateway.gateway.services.planner
    planner.sessions.__init__()  # type: ignore[misc]
    for key in ("main", "other", "main"):
        assert site.post(CHAT, said("the same words"), key).status == 200
    assert len(planner.sessions) == 2


def test_a_revoked_key_is_refused_within_a_second(site: Guarded) -> None:
    secret, record = create_key(site.gateway.store, "short-lived")
    shown = {"authorization": f"Bearer {secret}"}
    eventually(lambda: site.gateway.get("/v1/models", **shown).status == 200, "the new key counts")
    revoke_key(site.gateway.store, record.key_id)
    for _ in range(round(REVOKED_WITHIN_S / TICK_S)):  # counted, so that a machine that stands still is not late
        if site.gateway.get("/v1/models", **shown).status == 401:
            break
        time.sleep(TICK_S)
    assert site.gateway.post(CHAT, said(), **shown).status == 401


def test_another_keys_thread_does_not_go_on(site: Guarded) -> None:
    said_first = {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "my secret is plum"}]}
    message_id = site.post(MESSAGES, {**said_first, "thread": {"type": "create"}}).json["id"]
    unthreaded = site.post(MESSAGES, said_first).json["id"]
    site.ups["claude"].clear()
    follow = {"max_tokens": 9, "messages": [{"role": "user", "content": "what is my secret?"}]}
    goes_on = {**follow, "thread": {"type": "continue", "previous_message_id": message_id}}
    for model, key in [("claude", "other"), ("tenbin/auto", "other"), ("good", "main")]:
        reply = site.post(MESSAGES, {**goes_on, "model": model}, key)
        assert (reply.status, reply.error["type"]) == (404, "not_found_error")
        assert reply.error["details"] == {"error_code": "thread_not_found"}
    for name in (unthreaded, "msg_from_elsewhere", 5, None):
        stray = {**follow, "model": "claude", "thread": {"type": "continue", "previous_message_id": name}}
        assert site.post(MESSAGES, stray).status == 404
    assert site.ups.called() == []
    for model, messages in (("claude", follow["messages"]), ("tenbin/auto", follow["messages"]), ("claude", [])):
        assert site.post(MESSAGES, {**goes_on, "model": model, "messages": messages}).status == 200
    assert site.ups.called() == ["claude"] * 3
    assert site.ups["claude"].requests[-1].json["thread"] == goes_on["thread"]
