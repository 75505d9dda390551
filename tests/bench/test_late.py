"""The share of late decisions is that of one measurement, read from a real gateway's text format."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from bench.late import Decisions

PAGE = b"""# TYPE tenbin_decisions_total counter
tenbin_decisions_total{candidate="a",profile="auto",reason="least_loss"} 30.0
tenbin_decisions_total{candidate="b",profile="auto",reason="late"} 10.0
tenbin_decisions_created{candidate="a",profile="auto",reason="least_loss"} 1.7e+09
# TYPE tenbin_late_decisions_total counter
tenbin_late_decisions_total{profile="auto"} 10.0
tenbin_late_decisions_created{profile="auto"} 1.7e+09
"""


class Metrics(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(PAGE if self.path == "/metrics" else b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_counts_are_read_and_created_times_are_none() -> None:
    server = HTTPServer(("127.0.0.1", 0), Metrics)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert Decisions.read(server.server_port) == Decisions(40.0, 10.0)
    finally:
        server.shutdown()
        server.server_close()


def test_the_share_counts_from_before() -> None:
    assert Decisions(140.0, 35.0).late_share_since(Decisions(40.0, 10.0)) == 0.25
    assert Decisions(40.0, 10.0).late_share_since(Decisions(40.0, 10.0)) is None
