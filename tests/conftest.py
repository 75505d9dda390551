"""What holds for every test: only loopback may be reached, and a gate may forbid skipped tests."""

from __future__ import annotations

import sys
from typing import Any

import pytest

LOOPBACK = ("127.", "::1", "localhost")


def refuse_the_internet(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: connecting to an address that is not this machine's is a fault of the test."""
    if event != "socket.connect":
        return
    address = arguments[1]
    host = address[0] if isinstance(address, tuple) else None  # a path or bytes: a Unix socket
    if isinstance(host, str) and not host.startswith(LOOPBACK):
        raise PermissionError(f"a test tried to reach {host}; tests use loopback only")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="count a skipped test as a failure (the gate does)")


def pytest_configure() -> None:
    sys.addaudithook(refuse_the_internet)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.config.getoption("--no-skips"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, which the gate does not allow: {reason}"
    return report
