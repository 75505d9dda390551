"""Which headers cross the gateway, each way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.gateway.conformance.cases import OWN, TRANSLATED, Case, Section, crossed

CROSS: Mapping[str, str] = {
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "tracestate": "vendor=1",
    "baggage": "tenant=7",
    "x-request-id": "build-17/step:3",
    "idempotency-key": "once-17",
}
TO_ANTHROPIC: Mapping[str, str] = {"anthropic-beta": "x-2026", "anthropic-version": "2023-06-01"}
STAY: Mapping[str, str] = {
    "cookie": "session=planted",
    "forwarded": "for=10.0.0.7",
    "keep-alive": "timeout=5",
    "openai-organization": "org-planted",
    "openai-project": "proj-planted",
    "origin": "https://planted.test",
    "proxy-authorization": "Basic planted",
    "proxy-connection": "keep-alive",
    "referer": "https://planted.test/",
    "te": "trailers",
    "trailer": "x-sum",
    "x-forwarded-for": "10.0.0.7",
    "x-forwarded-host": "planted.test",
    "x-real-ip": "10.0.0.7",
    "x-stainless-retry-count": "1",
    "x-tenbin-max-cost-usd": "100",
}
KEYS = ("authorization", "x-api-key")
"""Either holds the client's key of the gateway."""
BACK: Mapping[str, str] = {
    "x-request-id": "req_upstream",
    "retry-after": "7",
    "x-ratelimit-remaining-requests": "9",
    "anthropic-ratelimit-requests-remaining": "9",
    "openai-processing-ms": "12",
}
STAY_BACK: Mapping[str, str] = {
    "set-cookie": "session=planted",
    "server": "planted",
    "keep-alive": "timeout=5",
    "proxy-authenticate": "Basic",
    "trailer": "x-sum",
    "upgrade": "h2c",
    "openai-organization": "org-planted",
    "strict-transport-security": "max-age=1",
    "access-control-allow-origin": "*",
    "x-tenbin-model": "planted",
    "location": "https://planted.test",
    "www-authenticate": "Bearer planted",
}
HEADER_CASES: list[Case] = crossed(["headers"], (*OWN, *TRANSLATED), ("pinned", "routed"))


def headers() -> Section:
    """The part of the table."""

    def named(names: Iterable[str]) -> str:
        return ", ".join(f"`{name}`" for name in names)

    only = "to a candidate of Anthropic's dialect only"
    return Section(
        "Headers",
        "What is not listed as passing stays here; `traceparent` goes on as a child, same trace and a span of its own.",
        ("direction", "headers", "promised"),
        [
            ("to the upstream", named(CROSS), "pass"),
            ("to the upstream", named(TO_ANTHROPIC), only),
            ("to the upstream", named((*KEYS, *STAY)), "stay here"),
            ("to the client", named(BACK), "pass, from answers and errors"),
            ("to the client", named(STAY_BACK), "stay here"),
        ],
        HEADER_CASES,
    )
