"""What a trace says of a request, read by a collector on loopback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenbin.telemetry import names
from tenbin.testing import Answer
from tests.gateway.running import HARD, Running, Upstreams
from tests.telemetry.collector import Collector, attributes

pytestmark = pytest.mark.extra
ASKED = "xylophone"


def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Running, Upstreams], Any]) -> list[Any]:
    """The spans of what was asked."""
    with Collector() as collector, Upstreams("cheap", "good", claude="anthropic") as ups:
        for name, value in collector.environ.items():
            monkeypatch.setenv(name, value)
        more = f'[candidates.vectors]\nbase_url = "{ups["good"].base_url}"\nembeddings = true\n'
        with Running(tmp_path, ups, environ=collector.environ, more=more) as gateway:
            ask(gateway, ups)
        assert ASKED.encode() not in b"".join(body for _, body in collector.received)
        return collector.spans()


def test_operations_are_called_as_the_conventions_have_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers messages is `chat` for every tool that reads traces, whichever endpoint it came by."""

    def ask(gateway: Running, _: Upstreams) -> None:
        said = [{"role": "user", "content": f"{HARD} {ASKED}"}]
        assert gateway.chat(f"{HARD} {ASKED}").status == 200
        body = {"model": "tenbin/auto", "max_tokens": 50, "messages": said}
        assert gateway.post("/v1/messages", body).status == 200
        assert gateway.post("/v1/embeddings", {"model": "vectors", "input": ASKED}).status == 200

    spans = told(tmp_path, monkeypatch, ask)
    found = [
        (span.name, *(attributes(span.attributes)[n] for n in (names.OPERATION_NAME, names.ENDPOINT))) for span in spans
    ]
    assert found == [
        ("chat tenbin/auto", "chat", "chat"),
        ("chat tenbin/auto", "chat", "messages"),
        ("embeddings vectors", "embeddings", "embeddings"),
    ]


def test_a_request_that_nobody_could_take_is_in_the_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its span was never ended: while all candidates were away, traces showed no request at all."""

    def ask(gateway: Running, ups: Upstreams) -> None:
        for fake in ups.fakes.values():
            fake.script = Answer.error(503)
        statuses = [gateway.chat(headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}).status for _ in range(8)]
        assert statuses[-1] == 503
        assert gateway.chat().error["code"] == "candidates_unavailable"

    spans = told(tmp_path, monkeypatch, ask)
    assert len(spans) == 9
    last = attributes(spans[-1].attributes)
    assert (last[names.HTTP_STATUS], last[names.ERROR_TYPE]) == (503, "candidates_unavailable")
    assert spans[-1].status.code == 2
    assert spans[0].parent_span_id.hex() == "b" * 16
    assert attributes(spans[0].attributes)[names.ERROR_TYPE] == "overloaded"
