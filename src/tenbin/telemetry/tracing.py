"""Traces of requests: the W3C header alone, or spans as well where OpenTelemetry is configured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenbin.telemetry.traceparent import child_traceparent
from tenbin.types import Usage

ENDPOINT_VARIABLES = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
)


class Span:
    """One request in a trace; `traceparent` is what upstreams are sent."""

    __slots__ = ("traceparent",)

    def __init__(self, traceparent: str) -> None:
        self.traceparent = traceparent

    def end(
        self,
        attributes: Mapping[str, Any],
        *,
        seconds: float,
        first_token_s: float | None = None,
        usage: Usage | None = None,
        error: str | None = None,
    ) -> None:
        """The request is over: `attributes` by the names in `telemetry.names` (None is left out), never a prompt.

        `error` is a FailureKind or a code of ours; None means that it went well.
        """


class Traces:
    """Continues the client's trace and records nothing; `records` where the end of a span is worth its words."""

    records = False

    def begin(self, name: str, traceparent: str | None, tracestate: str | None = None) -> Span:  # noqa: ARG002
        """A request begins: `name` is the operation and profile, the headers are the client's, valid or not."""
        return Span(child_traceparent(traceparent))

    def close(self) -> None:
        """Send what waits. Blocks; call it off the event loop."""


def open_traces(environ: Mapping[str, str]) -> Traces:
    """Spans over OTLP where a variable of OpenTelemetry names an endpoint, else the header alone.

    Raises MissingExtraError where an endpoint is named and the extra `otel` is not installed, ConfigError where
    OpenTelemetry refuses what its variables say.
    """
    is_off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if is_off or not any(environ.get(variable, "").strip() for variable in ENDPOINT_VARIABLES):
        return Traces()
    from tenbin.telemetry.otel import open_otel  # noqa: PLC0415 (an extra, and slow to import)

    return open_otel(environ)
