"""What holds for every test: only loopback is reached, no vectors are kept, no example is timed, in one order."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

LOOPBACK = ("127.", "::1", "localhost")
HERE = Path(__file__).parent


def refuse_the_internet(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: looking up or connecting to another machine is a fault of the test."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:  # something else, or a Unix socket
        return
    if isinstance(host, str) and host and not host.startswith(LOOPBACK):
        raise PermissionError(f"a test tried to reach {host}; tests use loopback only")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="count a skipped test as a failure (the gate does)")


def pytest_configure() -> None:
    sys.addaudithook(refuse_the_internet)
    os.environ["TENBIN_CACHE"] = "none"  # no test leaves vectors in the folder of who runs it
    # How long an example takes says how busy the machine is, not whether the rule holds. Every run draws anew: two of
    # them see what one of twice as many would. The rules of risk, prices and budgets ask for more themselves.
    quiet = [HealthCheck.too_slow]
    settings.register_profile("untimed", deadline=None, max_examples=50, suppress_health_check=quiet)
    settings.load_profile("untimed")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as for what a script runs in the background, with `&`
        signal.signal(signal.SIGINT, signal.default_int_handler)  # commands that tests start would ignore it, too


def fail_if_skipped(report: pytest.TestReport | pytest.CollectReport, config: pytest.Config) -> None:
    if report.skipped and not hasattr(report, "wasxfail") and config.getoption("--no-skips"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, which the gate does not allow: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    fail_if_skipped(report, item.config)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Any:
    report = yield
    fail_if_skipped(report, collector.config)
    if isinstance(collector, pytest.Directory) and report.passed:
        report.result = begun_elsewhere(report.result)
    return report


def begun_elsewhere(entries: list[Any]) -> list[Any]:
    """A folder's entries as this worker reads them: in a fresh clone each compiles a part for the others."""
    worker, workers = os.environ.get("PYTEST_XDIST_WORKER", "gw0"), os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")
    start = len(entries) * int(worker.removeprefix("gw")) // int(workers)
    return entries[start:] + entries[:start]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Any:
    """What is collected lives until the end: half a million objects that the collector need not look at ever again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        atexit.register(gc.unfreeze)  # else what counts its objects at the end says that they were leaked


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One order for all workers, who take the tests from its front.

    The store's tests come first, since they fork: beside a gateway of another test a child would inherit what its
    threads have locked. Then what stands in this folder: begun last, a long page would run alone.
    """
    items.sort(key=lambda item: (item.path.parent != HERE / "store", item.path.parent != HERE, item.path))
