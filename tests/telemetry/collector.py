"""A collector of OpenTelemetry on loopback: it keeps what is sent to it by OTLP over HTTP, and reads it."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Any, Self


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append((self.path, body))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        """Stay silent."""


class Collector:
    """A server that takes everything; `received` are paths and bodies as they came."""

    def __init__(self) -> None:
        self._server = HTTPServer(("127.0.0.1", 0), _Handler)
        self.received: list[tuple[str, bytes]] = []
        self._server.received = self.received  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def bodies(self, path: str) -> list[bytes]:
        """What was sent to a path."""
        return [body for to, body in self.received if to == path]

    def spans(self) -> list[Any]:
        """The spans that came, as the protocol has them."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
            ExportTraceServiceRequest,
        )

        sent = [ExportTraceServiceRequest.FromString(body) for body in self.bodies("/v1/traces")]
        return [
            span for one in sent for group in one.resource_spans for scope in group.scope_spans for span in scope.spans
        ]

    def resources(self) -> list[dict[str, Any]]:
        """Who sent metrics."""
        return [attributes(group.resource.attributes) for group in self._groups()]

    def histograms(self) -> dict[str, list[Any]]:
        """The points of every histogram that came, by its name."""
        found: dict[str, list[Any]] = {}
        for group in self._groups():
            for scope in group.scope_metrics:
                for metric in scope.metrics:
                    found.setdefault(metric.name, []).extend(metric.histogram.data_points)
        return found

    def _groups(self) -> list[Any]:
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
            ExportMetricsServiceRequest,
        )

        sent = [ExportMetricsServiceRequest.FromString(body) for body in self.bodies("/v1/metrics")]
        return [group for one in sent for group in one.resource_metrics]


def attributes(of: Any) -> dict[str, Any]:
    """Attributes of the protocol as a dictionary."""
    return {pair.key: getattr(pair.value, str(pair.value.WhichOneof("value"))) for pair in of}
