"""Which headers pass through, both ways: what is not listed stays here."""

from __future__ import annotations

from collections.abc import Mapping

from tenbin.telemetry.traceparent import read_traceparent

TO_UPSTREAM = frozenset({"traceparent", "tracestate", "baggage", "idempotency-key", "openai-beta"})
"""Never the client's own credentials, cookies, addresses or hop-by-hop headers."""
ANTHROPIC = "anthropic-"
TO_CLIENT = frozenset(
    {
        "cache-control",
        "openai-processing-ms",
        "openai-version",
        "request-id",
        "retry-after",
        "retry-after-ms",
        "traceparent",
        "traceresponse",
        "tracestate",
        "x-request-id",
    }
)
TO_CLIENT_PREFIXES = ("x-ratelimit-", "anthropic-ratelimit-")
MAX_VALUE = 4096
MESSAGES = "/messages"
BETA = "beta=true"


def to_upstream(headers: Mapping[str, str], dialect: str, request_id: str, traceparent: str) -> dict[str, str]:
    """The headers of the call: those of the client that are listed, its `anthropic-*` ones only to who knows them."""
    passed = {
        name: value
        for name, value in headers.items()
        if name in TO_UPSTREAM or (dialect == "anthropic" and name.startswith(ANTHROPIC))
    }
    if read_traceparent(headers.get("traceparent")) is None:
        passed.pop("tracestate", None)  # it belongs to a trace that is not continued
    passed["x-request-id"] = request_id
    passed["traceparent"] = traceparent
    return passed


def with_beta(path: str, query: bytes) -> str:
    """The path of a call with Anthropic's mark of a feature in beta, where the client's own had it: no other query."""
    return f"{path}?{BETA}" if path == MESSAGES and BETA.encode() in query.split(b"&") else path


def to_client(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers of an upstream's answer that the client sees; their names come in lower case."""
    return [
        (name.encode("latin-1"), value.encode("latin-1", "replace")[:MAX_VALUE])
        for name, value in headers.items()
        if name in TO_CLIENT or name.startswith(TO_CLIENT_PREFIXES)
    ]
