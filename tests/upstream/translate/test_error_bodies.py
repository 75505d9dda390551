"""Error bodies and statuses in both dialects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tenbin.upstream.translate import error_body, translate_error, translate_status


def error(body: bytes) -> Any:
    return json.loads(body)["error"]


def anthropic(kind: str, message: str) -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}).encode()


def openai(message: str, **fields: Any) -> bytes:
    return json.dumps({"error": {"message": message, "type": "x", "param": None, "code": None, **fields}}).encode()


def test_both_shapes() -> None:
    body = json.loads(error_body("openai", 400, "bad_dial", "mu is 2", param="tenbin.mu"))
    assert body == {
        "error": {"message": "mu is 2", "type": "invalid_request_error", "param": "tenbin.mu", "code": "bad_dial"}
    }
    body = json.loads(error_body("anthropic", 400, "bad_dial", "mu is 2"))
    assert body == {"type": "error", "error": {"type": "invalid_request_error", "message": "mu is 2"}}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (418, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (529, "overloaded_error"),
    ],
)
def test_anthropic_clients_get_the_type_of_the_status(status: int, kind: str) -> None:
    translated = error(translate_error("openai", "anthropic", status, openai("no")))
    assert translated == {"type": kind, "message": "no"}


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "invalid_api_key"), (404, "model_not_found"), (429, "rate_limit_exceeded"), (529, "overloaded")],
)
def test_openai_clients_get_the_code_of_the_status(status: int, code: str) -> None:
    translated = error(translate_error("anthropic", "openai", status, anthropic("any_error", "no")))
    assert (translated["code"], translated["message"]) == (code, "no")


def test_the_overloaded_status_is_each_dialects_own() -> None:
    assert translate_status("anthropic", "openai", 529) == 503
    assert translate_status("openai", "anthropic", 503) == 529
    assert translate_status("openai", "openai", 503) == 503
    assert translate_status("anthropic", "openai", 413) == 413


def test_a_conversation_that_is_too_long_is_recognised_by_either_client() -> None:
    too_long = anthropic("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum")
    translated = error(translate_error("anthropic", "openai", 400, too_long))
    assert translated["code"] == "context_length_exceeded"
    assert "maximum context length" in translated["message"]
    assert "210000 tokens" in translated["message"]
    too_long = openai("This model's maximum context length is 8 tokens", code="context_length_exceeded")
    assert error(translate_error("openai", "anthropic", 400, too_long))["message"].startswith("prompt is too long: ")


@pytest.mark.parametrize("body", [b"<html>500</html>", b"", b"[1]", b'{"error": 3}', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_error_becomes_one_without_its_text(body: bytes) -> None:
    for source, target in (("openai", "anthropic"), ("anthropic", "openai")):
        assert error(translate_error(source, target, 500, body))["message"] == "the upstream answered with status 500"


def test_the_words_are_found_wherever_a_server_puts_them() -> None:
    for body in (
        {"object": "error", "message": "no such thing", "code": 400},
        {"message": {"detail": [{"msg": "no such thing"}]}},
        [{"error": {"message": "no such thing"}}],
    ):
        told = json.loads(translate_error("openai", "anthropic", 422, json.dumps(body).encode()))
        assert told["error"] == {"type": "invalid_request_error", "message": "no such thing"}


def test_the_same_dialect_gets_the_bytes_as_they_came() -> None:
    assert translate_error("openai", "openai", 500, b"<html>") == b"<html>"
    assert error(translate_error("openai", "anthropic", 404, b'{"error": "gone"}'))["message"] == "gone"
