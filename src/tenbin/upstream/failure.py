"""What can go wrong with an upstream call, and what that means: whether another candidate may take over, and whose
fault it was.

Providers word the same refusal differently; the codes and texts below are those of OpenAI, Anthropic, Google, Mistral,
xAI, Groq, OpenRouter, vLLM, SGLang, TGI and llama.cpp. Unknown words of a 4xx mean: the request is at fault.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from tenbin.errors import NetworkError
from tenbin.upstream.destination import Dialect
from tenbin.upstream.retry_after import retry_after

FailureKind = Literal[
    "connect",  # refused, no such host, TLS
    "timeout",
    "reset",  # the connection ended before an answer
    "rate_limited",
    "overloaded",
    "server_error",
    "context",  # the conversation is too long for this model
    "capability",  # this model cannot do what is asked
    "malformed",  # not HTTP, not JSON, not the content asked for
    "refused",  # the request is at fault, or a content filter spoke: given back
    "unauthorised",  # our key or account
    "not_found",
    "cut",  # the answer ended before its end
]

_STAYS: frozenset[FailureKind] = frozenset({"refused"})
_UNCOUNTED: frozenset[FailureKind] = frozenset({"refused", "context", "capability", "not_found"})

_BY_STATUS: Mapping[int, FailureKind] = {
    401: "unauthorised",
    402: "unauthorised",
    403: "unauthorised",
    404: "not_found",
    405: "not_found",
    408: "timeout",
    409: "overloaded",
    410: "not_found",
    413: "context",
    415: "capability",
    425: "overloaded",
    429: "rate_limited",
    498: "overloaded",  # Groq: flex capacity exceeded
    501: "capability",
    503: "overloaded",
    504: "timeout",
    524: "timeout",
    529: "overloaded",
}
_WORDED = frozenset({400, 403, 404, 422, 429, 500})
"""Statuses that say little: the words of the body decide first."""

_BY_CODE: Mapping[str, FailureKind] = {
    "rate_limit_exceeded": "rate_limited",
    "rate_limit_error": "rate_limited",
    "insufficient_quota": "rate_limited",
    "overloaded_error": "overloaded",
    "context_length_exceeded": "context",
    "exceed_context_size_error": "context",
    "string_above_max_length": "context",
    "request_too_large": "context",
    "content_filter": "refused",
    "content_policy_violation": "refused",
    "image_content_policy_violation": "refused",
    "misalignment_policy_violation": "refused",
    "bio_policy": "refused",
    "moderation_blocked": "refused",
    "invalid_prompt": "refused",
    "data_inspection_failed": "refused",
    "invalid_api_key": "unauthorised",
    "authentication_error": "unauthorised",
    "billing_error": "unauthorised",
    "billing_hard_limit_reached": "unauthorised",
    "model_not_found": "not_found",
    "model_decommissioned": "not_found",
    "unknown_model": "not_found",
    "unsupported_parameter": "capability",
    "unsupported_value": "capability",
    "unsupported_model": "capability",
    "unknown_parameter": "capability",
    "invalid_function_call": "capability",  # Mistral: ids of tool calls that others gave
    "tool_use_failed": "capability",  # Groq: what the model wrote is no call of a tool
    "json_validate_failed": "capability",  # Groq: nor is it JSON
}
_FILTERS = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "image_content_policy_violation",
        "misalignment_policy_violation",
        "bio_policy",
        "moderation_blocked",
        "data_inspection_failed",
    }
)
_FILTERED = re.compile(
    r"content[ _](?:filter|management policy|policy)|usage (?:polic|guideline)|safety (?:system|polic)|flagged"
    r"|content exists risk",
    re.IGNORECASE,
)
_BEYOND_LIMITS = re.compile(r"request too large|required for long context requests", re.IGNORECASE)
"""A limit that this request exceeds alone: no wait helps it, and nobody else need wait."""
_BY_WORDS: tuple[tuple[FailureKind, re.Pattern[str]], ...] = (
    (
        "context",
        re.compile(
            r"context[ _](?:length|window|size|limit)|maximum (?:prompt|model|input) length|prompt length"
            r"|(?:prompt|input|request|conversation|messages?) (?:is|are) too (?:long|large)"
            r"|too many (?:input |prompt )?tokens|input token count|`?inputs`? (?:tokens \+|must have less than)"
            r"|input tokens exceed|prompt exceeds|token limit|range of input length|reduce the length of the"
            r"|string too long",
            re.IGNORECASE,
        ),
    ),
    ("refused", _FILTERED),
    (
        "unauthorised",
        re.compile(
            r"api key (?:not valid|not found|expired)|invalid api key|credit balance is too low|api usage limits"
            r"|billing hard limit|account is in good standing",
            re.IGNORECASE,
        ),
    ),
    (
        "capability",
        re.compile(
            r"not supported|(?:does not|doesn't|do not|don't|cannot|only) support|unsupported|that support\b"
            r"|(?:unrecognized|incompatible) request argument|extra inputs are not permitted"
            r"|(?:is allowed|deprecated) for this model"
            r"|unknown name\b.{0,200}cannot find field|unknown variant|did not match any variant"
            r"|does not match any of the expected tags|cannot both be specified for this model"
            r"|not (?:a multimodal|available for this) model|not yet available|enabled only for api versions"
            r"|does not work with the specified model|is unavailable now"
            r"|maximum allowed number of output tokens|at most \d+ (?:completion|output) tokens|at most \d+ image"
            r"|range of max_(?:completion_|output_)?tokens|supported range|conversation roles must alternate"
            r"|tool choice requires|tool call id was|missing a thought_signature"
            r"|missing `?reasoning_content|reasoning_content`? in the thinking mode must",
            re.IGNORECASE,
        ),
    ),
    (
        "not_found",
        re.compile(
            r"model\b.{0,200}\b(?:does not exist|not (?:found|exist)\b|decommissioned)|(?:invalid|unknown) model"
            r"|not a valid model",
            re.IGNORECASE,
        ),
    ),
)
BROKEN_OFF = frozenset({"abort", "error", "insufficient_system_resource", "network_error"})
"""Finish reasons of answers that their server broke off: OpenRouter's, vLLM's and SGLang's, DeepSeek's, Z.AI's."""
MAX_WORDS = 200
"""What is repeated of an upstream's own words."""
_STATUS_OF_NAME: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "api_error": 500,
    "server_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
    "model_not_found": 404,
    # The codes of `ResponseError` of OpenAI's client, all that a failed response tells:
    "context_length_exceeded": 400,
    "invalid_prompt": 400,
    "bio_policy": 400,
    "misalignment_policy_violation": 400,
    "image_content_policy_violation": 400,
    "invalid_image": 400,
    "invalid_image_format": 400,
    "invalid_base64_image": 400,
    "invalid_image_url": 400,
    "invalid_image_mode": 400,
    "image_too_large": 400,
    "image_too_small": 400,
    "image_parse_error": 400,
    "image_file_too_large": 400,
    "image_file_not_found": 400,
    "empty_image_file": 400,
    "failed_to_download_image": 400,
    "unsupported_image_media_type": 400,
}


class UpstreamFailure(NetworkError):  # noqa: N818 - what the failure is, is its `kind`
    """A call that brought no usable answer.

    `status`, `headers` (names in lower case, or any case where the mapping does not care) and `body` are the
    upstream's, as far as there were any; the body is at most as long as the reader of it allowed. Where it `is_ours`,
    this process or machine had no room for the call, and the upstream was never asked.
    """

    def __init__(
        self,
        kind: FailureKind,
        what: str,
        *,
        where: str | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        retry_after_s: float | None = None,
        is_ours: bool = False,
    ) -> None:
        self.kind = kind
        self.is_ours = is_ours
        self.status = status
        self.headers: Mapping[str, str] = {} if headers is None else headers
        self.body = body
        self.retry_after_s = retry_after_s
        super().__init__(what, where=where)

    @property
    def moves_on(self) -> bool:
        """Whether the next candidate may take over; otherwise the refusal is given back as it is."""
        return self.kind not in _STAYS

    @property
    def is_content_filter(self) -> bool:
        """Whether a filter of the provider refused what was asked: that is its answer, and it will not change."""
        return self.kind == "refused" and _is_filtered(read_error(self.body))

    @property
    def words(self) -> str:
        """The upstream's own words, "" where it has none; they are anybody's text."""
        return _words(read_error(self.body))

    @property
    def told(self) -> str:
        """What went wrong with the upstream's own words behind it, for people."""
        words = " ".join(self.words.split())
        return f"{self.what} ({words[:MAX_WORDS]})" if words else self.what

    @property
    def counts(self) -> bool:
        """Whether this speaks against the upstream's health (for the breaker), not against the request."""
        return self.kind not in _UNCOUNTED and not self.is_ours


def failure_of(status: int, headers: Mapping[str, str], body: bytes, dialect: Dialect) -> UpstreamFailure | None:
    """What an answer's status and body say went wrong; None for a status below 300.

    Pure but for a Retry-After date of an answer without a Date, which is held against the clock.
    """
    if status < 300:
        return None
    return UpstreamFailure(
        _kind(status, body, dialect),
        f"the upstream answered with status {status}",
        status=status,
        headers=headers,
        body=body,
        retry_after_s=retry_after(headers, body),
    )


def failure_inside(data: bytes, dialect: Dialect) -> UpstreamFailure:
    """What an error event of a stream, or an error in a body of status 200, says; `status` is what it stands for."""
    error = read_error(data)
    names = [error.get("code"), error.get("type")]
    number = next((name for name in names if isinstance(name, int) and 400 <= name < 600), None)
    spelled = next((_STATUS_OF_NAME[name] for name in names if isinstance(name, str) and name in _STATUS_OF_NAME), 500)
    status = number or spelled
    kind = _kind(status, data, dialect)
    return UpstreamFailure(kind, "the upstream sent an error inside its answer", status=status, body=data)


def broken_off(finish_reason: object, error: bytes) -> bytes | None:
    """What stands for an error where a choice ended so, with this error in it (null: none); None for a whole answer."""
    if not isinstance(finish_reason, str) or finish_reason not in BROKEN_OFF:
        return None
    said = msgspec.json.encode({"message": f"the answer broke off ({finish_reason})"}) if error == b"null" else error
    return b'{"error":' + said + b"}"


def _kind(status: int, body: bytes, dialect: Dialect) -> FailureKind:
    if status < 400:
        return "malformed"
    if status in _WORDED:
        spoken = _spoken(read_error(body), status, dialect)
        if spoken is not None:
            return spoken
    found = _BY_STATUS.get(status)
    if found is not None:
        return found
    return "server_error" if status >= 500 else "refused"


def _spoken(error: Mapping[str, Any], status: int, dialect: Dialect) -> FailureKind | None:
    """What the code or the words of an error say, as far as they may overrule its status."""
    codes = (error.get("type"),) if dialect == "anthropic" else (error.get("code"), error.get("type"))
    named = next((_BY_CODE[code] for code in codes if isinstance(code, str) and code in _BY_CODE), None)
    words = _words(error)
    if status == 429:
        return "context" if _BEYOND_LIMITS.search(words) else None
    kind = named or next((kind for kind, pattern in _BY_WORDS if pattern.search(words)), None)
    if status == 500:
        return kind if kind == "context" else None
    if status == 403:
        return kind if kind == "refused" else None
    return kind


def _is_filtered(error: Mapping[str, Any]) -> bool:
    names = [name for name in (error.get("code"), error.get("type")) if isinstance(name, str)]
    return not _FILTERS.isdisjoint(names) or bool(_FILTERED.search(_words(error)))


def _words(error: Mapping[str, Any]) -> str:
    return " ".join(text for text in (error.get("message"), error.get("raw")) if isinstance(text, str))[:4000]


def read_error(body: bytes) -> Mapping[str, Any]:
    """The members `message` (a text or None), `type`, `code`, `raw` of an error, whatever shape it is wrapped in.

    Empty for what is no JSON.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return {}
    if isinstance(value, list) and value:
        value = value[0]  # Google wraps the whole in a list
    if not isinstance(value, dict):
        return {}
    inner = value.get("error", value)
    if isinstance(inner, str):
        return {"message": inner}
    if not isinstance(inner, dict):
        return {}
    metadata = inner.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None  # OpenRouter: the words of the provider behind it
    nested = inner.get("innererror")  # Azure: content filter
    code = "content_filter" if isinstance(nested, dict) and "content_filter_result" in nested else inner.get("code")
    message = _message(inner.get("message", inner.get("detail")))
    return {"message": message, "type": inner.get("type"), "code": code, "raw": raw}


def _message(said: Any) -> str | None:
    """A message, or the faults that a validating server (FastAPI; Mistral wraps them once more) lists in its place."""
    if isinstance(said, dict):
        said = said.get("detail")
    if isinstance(said, list):
        said = "; ".join([_fault(one) for one in said if isinstance(one, dict)])
    return said if isinstance(said, str) and said else None


def _fault(fault: Mapping[str, Any]) -> str:
    place = fault.get("loc")
    where = ".".join(map(str, place)) if isinstance(place, list) else ""
    return f"{where}: {fault.get('msg')}" if where else str(fault.get("msg"))
