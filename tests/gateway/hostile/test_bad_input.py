"""What makes no sense is refused before anything is sent: the right status, code and param, a sentence that helps."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.hostile.guarded import (
    CHAT,
    COUNT,
    DECISION,
    EMBEDDINGS,
    FEEDBACK,
    MAX_BODY_MB,
    MESSAGES,
    POSTS,
    RESPONSES,
    Guarded,
    refused,
    said,
)
from tests.gateway.running import PRICES

BAD_JSON = [
    b"",
    b" ",
    b"{",
    b"nonsense",
    b"[]",
    b"null",
    b'"text"',
    b'{"model": }',
    b'{"model": "tenbin/auto",}',
    b"{'model': 'tenbin/auto'}",
    b'{"model": NaN}',
    b"\xff\xfe{\x00}\x00",
    b'{"model": "\xff"}',
    b'{"model": "a"} {"model": "b"}',
    b"[" * 2_000,
    b'{"a":' * 2_000,
]
BAD_MEMBERS: list[tuple[dict[str, Any], int, str, str | None]] = [
    ({"model": None}, 400, "missing_model", "model"),
    ({"model": ""}, 400, "missing_model", "model"),
    ({"model": 5}, 400, "invalid_type", "model"),
    ({"model": ["tenbin/auto"]}, 400, "invalid_type", "model"),
    ({"model": "gpt-17"}, 404, "model_not_found", "model"),
    ({"model": "tenbin/atuo"}, 404, "model_not_found", "model"),
    ({"model": "tenbin/"}, 404, "model_not_found", "model"),
    ({"model": "TENBIN/AUTO"}, 404, "model_not_found", "model"),
    ({"model": "x" * 10_000}, 404, "model_not_found", "model"),
    ({"messages": None}, 400, "empty_messages", "messages"),
    ({"messages": []}, 400, "empty_messages", "messages"),
    ({"messages": "hello"}, 400, "invalid_type", "messages"),
    ({"messages": {"role": "user"}}, 400, "invalid_type", "messages"),
    ({"messages": ["hello"]}, 400, "invalid_message", "messages[0]"),
    ({"messages": [{"content": "hello"}]}, 400, "invalid_message", "messages[0]"),
    ({"messages": [{"role": 5, "content": "hello"}]}, 400, "invalid_message", "messages[0]"),
    ({"messages": [{"role": "user", "content": 5}]}, 400, "invalid_type", "messages[0].content"),
    ({"messages": [{"role": "user", "content": {"text": "a"}}]}, 400, "invalid_type", "messages[0].content"),
    ({"messages": [{"role": "user", "content": ["hello"]}]}, 400, "invalid_type", "messages[0].content[0]"),
    ({"stream": "yes"}, 400, "invalid_type", "stream"),
    ({"stream": 1}, 400, "invalid_type", "stream"),
    ({"max_tokens": -5}, 400, "invalid_value", "max_tokens"),
    ({"max_tokens": "many"}, 400, "invalid_type", "max_tokens"),
    ({"max_tokens": 1.5}, 400, "invalid_type", "max_tokens"),
    ({"max_tokens": True}, 400, "invalid_value", "max_tokens"),
    ({"tools": "hammer"}, 400, "invalid_type", "tools"),
    ({"tenbin": 5}, 400, "invalid_dial", "tenbin"),
    ({"tenbin": {"mue": 0.5}}, 400, "invalid_dial", "tenbin.mue"),
    ({"tenbin": {"mu": 1.5}}, 400, "invalid_dial", "tenbin.mu"),
    ({"tenbin": {"mu": -0.1}}, 400, "invalid_dial", "tenbin.mu"),
    ({"tenbin": {"mu": "0.5"}}, 400, "invalid_dial", "tenbin.mu"),
    ({"tenbin": {"mu": True}}, 400, "invalid_dial", "tenbin.mu"),
    ({"tenbin": {"min_quality": 0}}, 400, "invalid_dial", "tenbin.min_quality"),
    ({"tenbin": {"max_cost_usd": 0}}, 400, "invalid_dial", "tenbin.max_cost_usd"),
    ({"tenbin": {"allow": []}}, 400, "invalid_dial", "tenbin.allow"),
    ({"tenbin": {"allow": ["nobody"]}}, 400, "invalid_dial", "tenbin.allow"),
    ({"tenbin": {"deny": ["cheap", "good", "claude"]}}, 400, "invalid_dial", "tenbin.deny"),
    ({"tenbin": {"mu": 0.5, "min_quality": 0.9}}, 400, "invalid_dial", "tenbin.min_quality"),
    ({"tenbin": {"mu": 0.1}}, 400, "loosens_profile", "tenbin.mu"),
    ({"model": "tenbin/sure", "tenbin": {"min_quality": 0.5}}, 400, "loosens_profile", "tenbin.min_quality"),
    ({"model": "tenbin/sure", "tenbin": {"mu": 1}}, 400, "loosens_profile", "tenbin.mu"),
    ({"model": "tenbin/narrow", "tenbin": {"allow": ["good"]}}, 400, "loosens_profile", "tenbin.allow"),
    ({"model": "tenbin/bounded", "tenbin": {"max_cost_usd": 1e9}}, 400, "loosens_profile", "tenbin.max_cost_usd"),
]
CHAT_MEMBERS: list[tuple[dict[str, Any], int, str, str | None]] = [
    ({"max_tokens": 0}, 400, "invalid_value", "max_tokens"),
    ({"max_completion_tokens": 0}, 400, "invalid_value", "max_completion_tokens"),
    ({"stream_options": 5}, 400, "invalid_type", "stream_options"),
    ({"response_format": "json"}, 400, "invalid_type", "response_format"),
    ({"reasoning_effort": 5}, 400, "invalid_type", "reasoning_effort"),
    ({"user": 5}, 400, "invalid_type", "user"),
    ({"functions": {}}, 400, "invalid_type", "functions"),
    ({"model": "good", "tenbin": {"mu": 1.5}}, 400, "invalid_dial", "tenbin.mu"),
    ({"model": "good", "tenbin": {"deny": ["nobody"]}}, 400, "invalid_dial", "tenbin.deny"),
    ({"model": "good", "tenbin": {"deny": ["good"]}}, 400, "no_candidate", "tenbin.deny"),
    ({"model": "good", "tenbin": {"allow": ["cheap"]}}, 400, "no_candidate", "tenbin.allow"),
    ({"model": "good", "tenbin": {"max_cost_usd": 1e-9}}, 400, "no_candidate", "tenbin.max_cost_usd"),
    ({"model": "claude", "n": 2}, 400, "unsupported_parameter", "n"),
    ({"model": "claude", "tools": [5]}, 400, "invalid_type", "tools[0]"),
]
ANTHROPIC_MEMBERS: list[dict[str, Any]] = [
    {"system": 5},
    {"system": ["a"]},
    {"metadata": "a"},
    {"thinking": True},
    {"output_config": []},
]


def nothing_sent(site: Guarded) -> None:
    assert site.ups.called() == []


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("body", BAD_JSON, ids=range(len(BAD_JSON)))
def test_no_json(site: Guarded, path: str, body: bytes) -> None:
    reply = site.post(path, body)
    error = refused(path, reply)
    assert reply.status == 400
    if not path.startswith(MESSAGES):
        assert (error["code"], error["type"]) == ("invalid_json", "invalid_request_error")
    nothing_sent(site)


@pytest.mark.parametrize(("members", "status", "code", "param"), [*BAD_MEMBERS, *CHAT_MEMBERS], ids=str)
def test_bad_members_of_chat(site: Guarded, members: dict[str, Any], status: int, code: str, param: str | None) -> None:
    reply = site.post(CHAT, said(**members))
    error = refused(CHAT, reply)
    assert (reply.status, error["code"], error["param"]) == (status, code, param)
    assert len(error["message"]) < 1000
    nothing_sent(site)


@pytest.mark.parametrize("members", [*(bad for bad, *_ in BAD_MEMBERS), *ANTHROPIC_MEMBERS], ids=str)
def test_bad_members_of_messages(site: Guarded, members: dict[str, Any]) -> None:
    reply = site.post(MESSAGES, said(**members))
    error = refused(MESSAGES, reply)
    expected = "not_found_error" if reply.status == 404 else "invalid_request_error"
    assert (reply.status in (400, 404), error["type"]) == (True, expected)
    nothing_sent(site)


@pytest.mark.parametrize(
    ("path", "body", "code", "param"),
    [
        (RESPONSES, {"model": "tenbin/auto", "input": 5}, "invalid_type", "input"),
        (RESPONSES, {"model": "tenbin/auto", "input": [5]}, "invalid_type", "input[0]"),
        (
            RESPONSES,
            {"model": "tenbin/auto", "input": [{"role": "user", "content": 5}]},
            "invalid_type",
            "input[0].content",
        ),
        (
            RESPONSES,
            {"model": "good", "input": [{"role": "user", "content": ["a"]}]},
            "invalid_type",
            "input[0].content[0]",
        ),
        (RESPONSES, {"model": "tenbin/auto", "input": "a", "instructions": 5}, "invalid_type", "instructions"),
        (RESPONSES, {"model": "good", "input": "a", "previous_response_id": 5}, "invalid_type", "previous_response_id"),
        (RESPONSES, {"model": "good", "input": "a", "background": True}, "unsupported_parameter", "background"),
        (RESPONSES, {"model": "cheap", "input": "a"}, "unsupported_endpoint", "model"),
        (EMBEDDINGS, {"model": "good"}, "missing_input", "input"),
        (EMBEDDINGS, {"model": "good", "input": "a"}, "unsupported_endpoint", "model"),
        (EMBEDDINGS, {"model": "tenbin/auto", "input": "a"}, "not_routed", "model"),
        (EMBEDDINGS, {"model": "good", "input": "a", "tenbin": {"mu": 2}}, "invalid_dial", "tenbin.mu"),
        (DECISION, {"model": "good", "messages": [{"role": "user", "content": "a"}]}, "not_routed", "model"),
        (DECISION, {"model": "tenbin/auto", "messages": []}, "empty_messages", "messages"),
        (FEEDBACK, {"quality": 1}, "invalid_type", "decision_id"),
        (FEEDBACK, {"decision_id": "dec-1"}, "invalid_value", "quality"),
        (FEEDBACK, {"decision_id": "dec-1", "quality": 2}, "invalid_value", "quality"),
        (FEEDBACK, {"decision_id": "dec-1", "quality": True}, "invalid_value", "quality"),
        (FEEDBACK, {"decision_id": "dec-1", "quality": 1, "score": 1}, "unknown_field", "score"),
        (FEEDBACK, {"decision_id": "dec-1", "quality": 1, "source": 5}, "invalid_type", "source"),
    ],
    ids=str,
)
def test_bad_members_elsewhere(site: Guarded, path: str, body: Any, code: str, param: str) -> None:
    reply = site.post(path, body)
    error = refused(path, reply)
    assert (reply.status, error["code"], error["param"]) == (400, code, param)
    nothing_sent(site)


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("x_tenbin_mu", "1.5", "invalid_dial"),
        ("x_tenbin_mu", "half", "invalid_dial"),
        ("x_tenbin_mu", "nan", "invalid_dial"),
        ("x_tenbin_mu", "0.1", "loosens_profile"),
        ("x_tenbin_min_quality", "inf", "invalid_dial"),
        ("x_tenbin_max_cost_usd", "-1", "invalid_dial"),
        ("x_tenbin_allow", "nobody", "invalid_dial"),
        ("x_tenbin_deny", "cheap,good,claude", "invalid_dial"),
    ],
)
def test_dials_in_headers(site: Guarded, header: str, value: str, code: str) -> None:
    # A model that was named itself has no profile to loosen, and its own mu is nobody's.
    for model in ("tenbin/auto", *(["good"] if code == "invalid_dial" and "," not in value else [])):
        error = refused(CHAT, site.post(CHAT, said(model=model), **{header: value}))
        assert (error["code"], error["param"]) == (code, header.replace("_", "-"))
    nothing_sent(site)


def test_dials_that_leave_the_named_model_refuse_nothing(site: Guarded) -> None:
    dials = {"mu": 0.5, "max_cost_usd": 0.1, "allow": ["good", "cheap"], "deny": ["claude"], "group": "any"}
    assert site.post(CHAT, said(model="good", tenbin=dials)).status == 200


@pytest.mark.parametrize("path", POSTS)
def test_a_body_over_the_limit(site: Guarded, path: str) -> None:
    reply = site.post(path, b'{"model": "' + b"x" * (MAX_BODY_MB << 20) + b'"}')
    message = refused(path, reply)["message"]
    assert reply.status == 413
    assert ("max_body_mb" in message) == (path != FEEDBACK)  # whose bound is its own
    nothing_sent(site)


def test_a_compressed_body(site: Guarded) -> None:
    assert site.post(CHAT, said(model="good"), content_encoding="Identity").status == 200
    site.ups["good"].clear()
    reply = site.post(CHAT, said(), content_encoding="gzip")
    assert (reply.status, refused(CHAT, reply)["code"]) == (415, "unsupported_encoding")
    nothing_sent(site)


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/images/generations", "/v1/messages/batches", "/", "/v2"])
def test_an_endpoint_that_is_not_served(site: Guarded, path: str) -> None:
    reply = site.post(path, said())
    assert reply.status == 404
    assert "/v1/chat/completions" in refused(path, reply)["message"]
    nothing_sent(site)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", POSTS)
def test_the_wrong_method(site: Guarded, path: str, method: str) -> None:
    reply = site.gateway.request(method, path, **site.bearer())
    refused(path, reply)
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    nothing_sent(site)


@pytest.mark.parametrize("path", [*POSTS, "/v1/models", "/v1/decisions/dec-1", "/v1/models/good"])
@pytest.mark.parametrize("sent", [{}, {"authorization": "Bearer tb-wrong"}, {"x_api_key": "tb-wrong"}], ids=str)
def test_no_key_or_a_wrong_one(site: Guarded, path: str, sent: dict[str, str]) -> None:
    reply = site.gateway.request("POST" if path in POSTS else "GET", path, said(), **sent)
    refused(path, reply)
    assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer")
    assert b"tb-wrong" not in reply.body
    nothing_sent(site)


def test_the_same_without_what_is_wrong_is_served(site: Guarded) -> None:
    assert site.post(CHAT, said()).status == 200
    assert site.post(MESSAGES, said()).status == 200
    assert site.post(COUNT, said()).status == 200
    assert site.post(RESPONSES, {"model": "good", "input": "a"}).status == 200
    assert site.post(CHAT, said(tenbin={"mu": 0.5})).status == 200
    assert len(site.ups.called()) == 4
    assert set(PRICES) <= set(site.ups.dialects)
