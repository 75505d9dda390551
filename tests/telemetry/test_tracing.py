"""Traces with and without OpenTelemetry; the collector is a real HTTP server on loopback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tenbin.errors import ConfigError, MissingExtraError
from tenbin.telemetry import names
from tenbin.telemetry.otel import FAREWELL_S
from tenbin.telemetry.traceparent import read_traceparent
from tenbin.telemetry.tracing import open_traces
from tenbin.types import Usage
from tests.telemetry.collector import Collector

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


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as started:
        yield started


@pytest.mark.extra
def test_a_span_and_the_metrics_reach_the_collector(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in collector.environ.items():
        monkeypatch.setenv(name, value)
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
    spans, metrics = (b"".join(collector.bodies(f"/v1/{signal}")) for signal in ("traces", "metrics"))
    assert bytes.fromhex(TRACE) in spans
    assert bytes.fromhex(SPAN) in spans
    for said in (names.PROFILE, names.COST, names.INPUT_TOKENS, names.ERROR_TYPE, "rate_limited"):
        assert said.encode() in spans
    assert names.DECISION_MU.encode() not in spans
    for said in (names.TOKEN_USAGE, names.OPERATION_DURATION, names.TIME_TO_FIRST_CHUNK):
        assert said.encode() in metrics


@pytest.mark.extra
@pytest.mark.parametrize("signal", ["traces", "metrics"])
def test_what_no_endpoint_is_named_for_is_not_sent(
    signal: str, collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Who named one for traces had an error in the log every minute: metrics went to port 4318 of this machine."""
    path = f"/v1/{signal}"
    monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", f"{collector.url}{path}")
    traces = open_traces(os.environ)
    traces.begin("chat auto", None).end({}, seconds=0.1)
    traces.close()
    assert {path for path, _ in collector.received} == {path}
    assert caplog.records == []


@pytest.mark.extra
@pytest.mark.parametrize("signal", ["traces", "metrics"])
def test_a_signal_that_is_switched_off_is_not_sent(
    signal: str, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Places that take spans only are given them so; metrics went there all the same, and failed once a minute."""
    other = {"traces": "metrics", "metrics": "traces"}[signal]
    for name, value in {**collector.environ, f"OTEL_{other.upper()}_EXPORTER": "none"}.items():
        monkeypatch.setenv(name, value)
    traces = open_traces(os.environ)
    traces.begin("chat auto", None).end({}, seconds=0.1)
    traces.close()
    assert {path for path, _ in collector.received} == {f"/v1/{signal}"}


@pytest.mark.extra
def test_histograms_tell_seconds_apart(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """With OpenTelemetry's own bounds, made for milliseconds, all answers of less than five seconds were alike."""
    for name, value in collector.environ.items():
        monkeypatch.setenv(name, value)
    traces = open_traces(os.environ)
    for seconds in (0.03, 0.3, 3.0):
        traces.begin("chat auto", None).end({}, seconds=seconds, first_token_s=seconds / 2, usage=Usage(3, 200_000))
    traces.close()
    found = collector.histograms()
    for name in (names.OPERATION_DURATION, names.TIME_TO_FIRST_CHUNK):
        assert sorted(count for point in found[name] for count in point.bucket_counts)[-3:] == [1, 1, 1], name
    bounds = {bound for point in found[names.TOKEN_USAGE] for bound in point.explicit_bounds}
    assert min(bounds) == 1.0
    assert max(bounds) > 2e6


@pytest.mark.extra
def test_each_worker_counts_under_an_id_of_its_own_and_the_environment_names_the_service(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers' sums under one identity overwrite each other; a service.name of the environment was overruled."""
    for name, value in collector.environ.items():
        monkeypatch.setenv(name, value)
    for said, service in ((None, "tenbin"), ("service.name=router,deployment.environment.name=test", "router")):
        if said is not None:
            monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", said)
        for _ in range(2):
            traces = open_traces(os.environ)
            traces.begin("chat auto", None).end({}, seconds=0.1)
            traces.close()
        assert collector.resources()[-1]["service.name"] == service
    who = collector.resources()
    assert len({one["service.instance.id"] for one in who}) == len(who) == 4


@pytest.mark.extra
@pytest.mark.parametrize(
    ("variable", "value"),
    [("OTEL_BSP_MAX_QUEUE_SIZE", "128"), ("OTEL_BSP_SCHEDULE_DELAY", "-1"), ("OTEL_METRIC_EXPORT_INTERVAL", "0")],
)
def test_a_variable_that_opentelemetry_refuses_is_an_error_of_the_configuration(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway did not start and said that this was a bug in Tenbin."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match="OpenTelemetry refuses a variable"):
        open_traces(os.environ)


class Hanging(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.ended.wait(60.0)  # type: ignore[attr-defined]

    def log_message(self, *arguments: Any) -> None:
        """Stay silent."""


@pytest.mark.extra
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
