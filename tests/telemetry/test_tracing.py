"""Traces with and without OpenTelemetry; the collector is a real HTTP server on loopback."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tenbin.errors import MissingExtraError
from tenbin.telemetry import names
from tenbin.telemetry.otel import FAREWELL_S
from tenbin.telemetry.traceparent import read_traceparent
from tenbin.telemetry.tracing import open_traces
from tenbin.types import Usage

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_without_a_configured_endpoint_only_the_header_goes_on() -> None:
    for environ in ({}, {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}):
        traces = open_traces(environ)
        span = traces.begin("chat auto", f"00-{TRACE}-{SPAN}-01")
        assert (read_traceparent(span.traceparent) or ("",))[0] == TRACE
        span.end({names.PROFILE: "auto"}, seconds=0.1)
        traces.close()


def test_without_a_configured_endpoint_nothing_of_it_is_imported() -> None:
    code = (
        "import sys; from tenbin.telemetry.tracing import open_traces; open_traces({}).begin('a', None)\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_configured_endpoint_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.metric_exporter", None)
    with pytest.raises(MissingExtraError, match=r"tenbin\[otel\]"):
        open_traces({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})


def test_every_name_that_is_sent_is_in_the_docs_and_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "telemetry.md").read_text(encoding="utf-8")
    told = re.findall(r"`((?:gen_ai|tenbin|http|error)\.[\w.]+)`", page.partition("\n## Traces\n")[2])
    assert sorted(told) == sorted(value for name, value in vars(names).items() if name.isupper())


class Collector(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append((self.path, body))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        """Stay silent."""


@pytest.fixture
def collector() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Collector)
    server.received = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.extra
@pytest.mark.skipif(importlib.util.find_spec("opentelemetry") is None, reason="needs the extra otel")
def test_a_span_and_the_metrics_reach_the_collector(collector: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    traces = open_traces({"OTEL_EXPORTER_OTLP_ENDPOINT": "read by the exporter from the environment itself"})
    span = traces.begin("chat auto", f"00-{TRACE}-{SPAN}-01", "vendor=1")
    assert (read_traceparent(span.traceparent) or ("",))[0] == TRACE
    span.end(
        {names.PROFILE: "auto", names.RESPONSE_MODEL: "small", names.COST: 0.25, names.DECISION_MU: None},
        seconds=0.5,
        first_token_s=0.1,
        usage=Usage(10, 5),
        error="rate_limited",
    )
    traces.begin("chat auto", "garbage", "vendor=1").end({}, seconds=0.1)
    traces.close()
    received: list[tuple[str, bytes]] = collector.received  # type: ignore[attr-defined]
    spans = b"".join(body for path, body in received if path == "/v1/traces")
    metrics = b"".join(body for path, body in received if path == "/v1/metrics")
    assert bytes.fromhex(TRACE) in spans
    assert bytes.fromhex(SPAN) in spans
    for said in (names.PROFILE, names.COST, names.INPUT_TOKENS, names.ERROR_TYPE, "rate_limited"):
        assert said.encode() in spans
    assert names.DECISION_MU.encode() not in spans
    for said in (names.TOKEN_USAGE, names.OPERATION_DURATION, names.TIME_TO_FIRST_CHUNK):
        assert said.encode() in metrics


@pytest.mark.extra
@pytest.mark.skipif(importlib.util.find_spec("opentelemetry") is None, reason="needs the extra otel")
@pytest.mark.parametrize("signal", ["traces", "metrics"])
def test_what_no_endpoint_is_named_for_is_not_sent(
    signal: str, collector: HTTPServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Who named one for traces had an error in the log every minute: metrics went to port 4318 of this machine."""
    path = f"/v1/{signal}"
    monkeypatch.setenv(
        f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", f"http://127.0.0.1:{collector.server_port}{path}"
    )
    traces = open_traces(os.environ)
    traces.begin("chat auto", None).end({}, seconds=0.1)
    traces.close()
    assert {path for path, _ in collector.received} == {path}  # type: ignore[attr-defined]
    assert caplog.records == []


class Hanging(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.ended.wait(60.0)  # type: ignore[attr-defined]

    def log_message(self, *arguments: Any) -> None:
        """Stay silent."""


@pytest.mark.extra
@pytest.mark.skipif(importlib.util.find_spec("opentelemetry") is None, reason="needs the extra otel")
@pytest.mark.parametrize("hangs", [True, False], ids=["hangs", "is away"])
def test_a_collector_that_does_not_answer_holds_up_no_end(hangs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle gateway took half a minute to stop, longer than Kubernetes waits."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Hanging) as server:
        server.ended = threading.Event()  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_port if hangs else 9
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
        traces = open_traces(os.environ)
        traces.begin("chat auto", None).end({}, seconds=0.1)
        began = time.monotonic()
        traces.close()
        took_s = time.monotonic() - began
        server.ended.set()  # type: ignore[attr-defined]
        server.shutdown()
    assert took_s < FAREWELL_S + 2.0
