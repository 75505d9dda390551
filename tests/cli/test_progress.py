from __future__ import annotations

import io

import pytest

from tenbin.cli.progress import TerminalProgress, duration


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_silent_where_stderr_is_no_terminal() -> None:
    stream = io.StringIO()
    with TerminalProgress(stream) as progress:
        progress("fitting", 0.5)
    assert stream.getvalue() == ""


def test_shows_step_share_elapsed_and_time_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    stream, clock = Terminal(), Clock()
    progress = TerminalProgress(stream, clock=clock)
    progress("fitting", 0.0)
    clock.now = 10.0
    progress("fitting", 0.25)
    last = stream.getvalue().rsplit("\r", 1)[1]
    assert "fitting" in last
    assert "25%" in last
    assert "10 s" in last
    assert "30 s to go" in last


def test_a_finished_step_leaves_its_time_and_a_short_one_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream, clock = Terminal(), Clock()
    with TerminalProgress(stream, clock=clock) as progress:
        progress("short", 0.0)
        clock.now = 0.1
        progress("long", 0.0)
        clock.now = 5.1
        progress("long", 1.0)
    kept = [line.rsplit("\x1b[K", 1)[-1] for line in stream.getvalue().split("\n")]
    assert [line.split() for line in kept] == [["long", "5.0", "s"], []]


def test_quiet_on_a_dumb_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    TerminalProgress(stream)("fitting", 0.5)
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.44, "0.4 s"), (59.4, "59 s"), (59.7, "1 min 00 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")],
)
def test_duration(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
