"""Spans and GenAI metrics through OpenTelemetry (the extra `otel`); imported only where an endpoint is configured.

Providers of our own, never the global ones. Endpoints, headers, sampling and batching follow OpenTelemetry's own
variables. Metrics carry provider and model only, so that their number stays bounded.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tenbin import __version__
from tenbin.errors import ConfigError, MissingExtraError
from tenbin.telemetry import names
from tenbin.telemetry.traceparent import read_traceparent
from tenbin.telemetry.tracing import Span, Traces
from tenbin.types import Usage

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.trace import Span as OpenSpan

METRIC_ATTRIBUTES = (names.OPERATION_NAME, names.PROVIDER_NAME, names.RESPONSE_MODEL, names.PROFILE)
TOKEN_BOUNDS = tuple(float(4**power) for power in range(14))
SECOND_BOUNDS = tuple(0.01 * 2**power for power in range(14))
"""What the conventions ask of the histograms: OpenTelemetry's own bounds are made for milliseconds, and have all that
takes less than five seconds in one bucket."""
MAX_TRACESTATE_CHARACTERS = 512
FAREWELL_S = 5.0
"""What waits may take to be sent at the end: with OpenTelemetry's own patience it is half a minute and more."""


def open_otel(environ: Mapping[str, str]) -> OtelTraces:
    """Traces and metrics sent by OTLP over HTTP, each where an endpoint is named for it: many places take spans only.

    MissingExtraError without the extra, ConfigError where OpenTelemetry refuses what the environment says.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise MissingExtraError(
            "the environment configures OpenTelemetry, which is not installed",
            fix="install it with 'pip install \"tenbin[otel]\"', or set OTEL_SDK_DISABLED=true",
        ) from error
    try:
        processor = BatchSpanProcessor(OTLPSpanExporter()) if _is_sent(environ, "TRACES_") else None
        reader = PeriodicExportingMetricReader(OTLPMetricExporter()) if _is_sent(environ, "METRICS_") else None
        return OtelTraces(processor, reader)
    except (ValueError, RuntimeError) as error:
        raise ConfigError(
            f"OpenTelemetry refuses a variable: {str(error).rstrip('.')}",
            where="the environment",
            fix="correct the variable that begins with OTEL_, or set OTEL_SDK_DISABLED=true",
        ) from error


def _is_sent(environ: Mapping[str, str], signal: str) -> bool:
    """Whether a signal is not switched off and has an endpoint: its exporter would take one on this machine else."""
    if environ.get(f"OTEL_{signal}EXPORTER", "").strip().lower() == "none":
        return False
    return any(environ.get(f"OTEL_EXPORTER_OTLP_{of}ENDPOINT", "").strip() for of in ("", signal))


def _resource() -> Resource:
    """Who sends: all workers by one name, each with an id, for it counts alone; what the environment says wins."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    own = {"service.name": "tenbin", "service.version": __version__, "service.instance.id": str(uuid.uuid4())}
    return Resource.create(own).merge(OTELResourceDetector().detect())


class OtelTraces(Traces):
    """Records a span per request in the client's trace, and the GenAI metrics."""

    records = True

    def __init__(self, processor: SpanProcessor | None, reader: MetricReader | None) -> None:
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.trace import TracerProvider

        resource = _resource()
        self._spans: TracerProvider = TracerProvider(resource=resource, shutdown_on_exit=False)
        if processor is not None:
            self._spans.add_span_processor(processor)
        readers = [] if reader is None else [reader]
        self._meters: MeterProvider = MeterProvider(readers, resource, shutdown_on_exit=False)
        self._tracer = self._spans.get_tracer("tenbin", __version__)
        meter = self._meters.get_meter("tenbin", __version__)
        self.tokens = meter.create_histogram(
            names.TOKEN_USAGE, "{token}", "Tokens of one answer.", explicit_bucket_boundaries_advisory=TOKEN_BOUNDS
        )
        self.duration, self.first_token = (
            meter.create_histogram(name, "s", text, explicit_bucket_boundaries_advisory=SECOND_BOUNDS)
            for name, text in (
                (names.OPERATION_DURATION, "Seconds of one request."),
                (names.TIME_TO_FIRST_CHUNK, "Seconds to the first content."),
            )
        )

    def begin(self, name: str, traceparent: str | None, tracestate: str | None = None) -> Span:
        from opentelemetry.trace import SpanKind

        span = self._tracer.start_span(name, _parent(traceparent, tracestate), SpanKind.SERVER)
        return OtelSpan(self, span)

    def close(self) -> None:
        """As `Traces.close`; a collector that is away or hangs holds up the end of the process for `FAREWELL_S`."""
        sending = [threading.Thread(target=one.shutdown, daemon=True) for one in (self._spans, self._meters)]
        until = time.monotonic() + FAREWELL_S
        for thread in sending:
            thread.start()
        for thread in sending:
            thread.join(max(until - time.monotonic(), 0.0))


class OtelSpan(Span):
    """One request as a span."""

    __slots__ = ("_span", "_traces")

    def __init__(self, traces: OtelTraces, span: OpenSpan) -> None:
        context = span.get_span_context()
        super().__init__(f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags) & 1:02x}")
        self._traces = traces
        self._span = span

    def end(
        self,
        attributes: Mapping[str, Any],
        *,
        seconds: float,
        first_token_s: float | None = None,
        usage: Usage | None = None,
        error: str | None = None,
    ) -> None:
        from opentelemetry.trace import Status, StatusCode

        known = {name: value for name, value in attributes.items() if value is not None}
        if error is not None:
            known[names.ERROR_TYPE] = error
            self._span.set_status(Status(StatusCode.ERROR, error))
        if usage is not None:
            known[names.INPUT_TOKENS], known[names.OUTPUT_TOKENS] = usage.input_tokens, usage.output_tokens
            known[names.CACHED_TOKENS], known[names.CACHE_WRITE_TOKENS] = usage.cached_tokens, usage.cache_write_tokens
        self._span.set_attributes(known)
        self._span.end()
        self._measure(known, seconds, first_token_s, usage)

    def _measure(
        self, known: Mapping[str, Any], seconds: float, first_token_s: float | None, usage: Usage | None
    ) -> None:
        labels = {name: known[name] for name in (*METRIC_ATTRIBUTES, names.ERROR_TYPE) if name in known}
        self._traces.duration.record(max(seconds, 0.0), labels)
        if first_token_s is not None:
            self._traces.first_token.record(max(first_token_s, 0.0), labels)
        if usage is not None:
            self._traces.tokens.record(usage.input_tokens, {**labels, names.TOKEN_TYPE: "input"})
            self._traces.tokens.record(usage.output_tokens, {**labels, names.TOKEN_TYPE: "output"})


def _parent(traceparent: str | None, tracestate: str | None) -> Context:
    """The client's span as the parent; an empty context where its header is missing or invalid."""
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context
    from opentelemetry.trace.span import TraceState

    found = read_traceparent(traceparent)
    if found is None:
        return Context()
    trace_id, span_id, flags = found
    state = tracestate if tracestate is not None and len(tracestate) <= MAX_TRACESTATE_CHARACTERS else ""
    context = SpanContext(
        int(trace_id, 16), int(span_id, 16), True, TraceFlags(flags & 1), TraceState.from_header([state])
    )
    return set_span_in_context(NonRecordingSpan(context), Context())
