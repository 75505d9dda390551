"""Error bodies as each provider words them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tenbin.testing.fake.messages import event

OPENAI: Mapping[int, tuple[str, str | None]] = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    408: ("timeout", None),
    429: ("requests", "rate_limit_exceeded"),
}
ANTHROPIC: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
MESSAGES: Mapping[str, str] = {
    "context_length_exceeded": "This model's maximum context length is 8192 tokens. However, your messages resulted in "
    "9000 tokens. Please reduce the length of the messages.",
}
ANTHROPIC_CONTEXT = "prompt is too long: 9000 tokens > 8192 maximum"


def error_body(is_anthropic: bool, status: int, code: str | None, message: str | None) -> bytes:
    """The body of an error answer."""
    return msgspec.json.encode(_error(is_anthropic, status, code, message))


def error_frame(is_anthropic: bool, code: str | None, message: str | None) -> bytes:
    """The error event that a provider puts into a stream that has begun."""
    if is_anthropic:
        return event("error", error=_error(True, 529, code, message)["error"])
    return b"data: " + error_body(False, 500, code, message) + b"\n\n"


def _error(is_anthropic: bool, status: int, code: str | None, message: str | None) -> dict[str, Any]:
    said = message or MESSAGES.get(code or "") or f"The fake upstream answers {status}."
    if is_anthropic:
        if code == "context_length_exceeded" and message is None:
            said = ANTHROPIC_CONTEXT
        known = ANTHROPIC.get(status, "api_error")
        kind = known if code in (None, "context_length_exceeded") else code
        return {"type": "error", "error": {"type": kind, "message": said}, "request_id": "req_fake"}
    kind, usual = OPENAI.get(status, ("server_error", None))
    param = "messages" if code == "context_length_exceeded" else None
    return {"error": {"message": said, "type": kind, "param": param, "code": code or usual}}
