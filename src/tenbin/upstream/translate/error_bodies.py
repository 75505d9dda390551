"""Error bodies and their statuses in both dialects.

Sources: Anthropic's page on errors, OpenAI's page on error codes, and what their clients make of a body.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tenbin.upstream.failure import read_error

_ANTHROPIC_TYPES: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    500: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_ANTHROPIC_STATUSES: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_OPENAI_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
}
_OPENAI_CODES: Mapping[int, str] = {
    401: "invalid_api_key",
    402: "insufficient_quota",
    403: "permission_denied",
    404: "model_not_found",
    408: "timeout",
    413: "request_too_large",
    429: "rate_limit_exceeded",
    500: "server_error",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
THREAD_CODE = "thread_not_found"
"""By which Anthropic's clients know that they must send a whole conversation again."""
CONTEXT_CODE = "context_length_exceeded"
CONTEXT_WORDS = "prompt is too long"
"""What Anthropic's clients look for in a message before they shorten a conversation."""
OPENAI_CONTEXT_WORDS = "This model's maximum context length is exceeded"
"""What some clients of OpenAI's dialect look for, which read the message instead of the code (LiteLLM does)."""


def anthropic_type(status: int) -> str:
    """Anthropic's error type for a status."""
    return _ANTHROPIC_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")


def openai_type(status: int) -> str:
    """OpenAI's error type for a status."""
    return _OPENAI_TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")


def translate_status(source: str, target: str, status: int) -> int:
    """The status that says in `target` what `status` says in `source`: 529 is Anthropic's 503."""
    if source == "anthropic" and target == "openai" and status == 529:
        return 503
    if source == "openai" and target == "anthropic" and status == 503:
        return 529
    return status


def error_body(dialect: str, status: int, code: str | None, message: str, *, param: str | None = None) -> bytes:
    """An error as a client of the dialect expects it, JSON; its type goes by the status."""
    if dialect == "anthropic":
        if code == CONTEXT_CODE and CONTEXT_WORDS not in message:
            message = f"{CONTEXT_WORDS}: {message}"
        error: dict[str, Any] = {"type": anthropic_type(status), "message": message}
        if code == THREAD_CODE:
            error["details"] = {"error_code": code}
        return msgspec.json.encode({"type": "error", "error": error})
    if code == CONTEXT_CODE and "maximum context length" not in message:
        message = f"{OPENAI_CONTEXT_WORDS}: {message}"
    error = {"message": message, "type": openai_type(status), "param": param, "code": code}
    return msgspec.json.encode({"error": error})


def translate_error(source: str, target: str, status: int, body: bytes) -> bytes:
    """The error body of an upstream of dialect `source` for a client of dialect `target`.

    `status` is the upstream's; send it through `translate_status`. A body that is no JSON error (HTML of a proxy)
    becomes one that says so, without its text.
    """
    if source == target:
        return body
    return error_from(target, status, read_error(body))


def error_from(target: str, status: int, error: Any) -> bytes:
    """The body in the dialect `target` of what stands under "error" in the other's body, or in its stream."""
    if isinstance(error, str):
        error = {"message": error}
    if not isinstance(error, dict):
        return error_body(target, status, _OPENAI_CODES.get(status), f"the upstream answered with status {status}")
    text = error.get("message")
    message = text if isinstance(text, str) and text else f"the upstream answered with status {status}"
    if target == "anthropic":
        code = error.get("code")
        return error_body(target, status, code if isinstance(code, str) else None, message)
    is_context = CONTEXT_WORDS in message or "exceed context limit" in message
    code = CONTEXT_CODE if is_context else _OPENAI_CODES.get(status)
    return error_body(target, status, code, message)


def status_of_error(error: Any) -> int:
    """The status that an error inside a stream would have had as an answer; 500 where it does not say."""
    if not isinstance(error, dict):
        return 500
    for key in ("status", "code", "http_status"):
        value = error.get(key)
        if isinstance(value, int) and 400 <= value <= 599:
            return value
    kind = error.get("type")
    known = _ANTHROPIC_STATUSES.get(kind) if isinstance(kind, str) else None
    if known is not None:
        return known
    by_code = {code: status for status, code in _OPENAI_CODES.items()}
    code = error.get("code")
    if code == CONTEXT_CODE:
        return 400
    return by_code.get(code, 500) if isinstance(code, str) else 500
