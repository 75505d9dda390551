"""Logs as JSON lines on stderr: one line per event, no secret and no prompt in any of them."""

from __future__ import annotations

import json
import logging
import queue
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import PurePath
from types import TracebackType
from typing import Any, Final, TextIO

from tenbin.telemetry.redaction import Redactor

MAX_TEXT_CHARACTERS = 4_000
MAX_READ_CHARACTERS = 8_192
MAX_SECRET_CHARACTERS = 512
MAX_NAMES = 500
MAX_CHAINED = 5
MAX_WAITING_LINES = 10_000
CLOSE_S = 2.0

_LINE_BREAKS: Mapping[int, str] = {0x85: r"\u0085", 0x2028: r"\u2028", 0x2029: r"\u2029"}
"""What JSON lets stand and some readers of lines break at."""
_STANDARD: Final = frozenset(logging.LogRecord("", 0, "", 0, "", None, None).__dict__) | {
    "asctime",
    "color_message",
    "message",
    "taskName",
}


class JsonFormatter(logging.Formatter):
    """A record as one JSON line: time, level, logger, message, whatever came as `extra`, the exception in one line.

    Everything passes the redactor, field by field, and nothing that a record holds makes formatting fail.
    """

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self.redactor = redactor
        self._encode = json.JSONEncoder(ensure_ascii=False).encode
        self._names: dict[str, str] = {}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": self._line(record.name),
            "message": self._line(_message(record)),
        }
        for name, value in record.__dict__.items():
            if name not in _STANDARD and name not in line:
                shown = self.redactor.field(name, value)
                line[self._name(name)] = self._line(shown) if isinstance(shown, str) else shown
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = self._line(exception_line(record.exc_info[1]))
        elif record.exc_text:
            line["exception"] = self._line(record.exc_text)
        if record.stack_info:
            line["stack"] = self._line(record.stack_info)
        text = self._encode(line)
        return text if text.isascii() else text.translate(_LINE_BREAKS).encode("utf-8", "backslashreplace").decode()

    def _name(self, name: str) -> str:
        """The name of a field without secrets, remembered: our code has few of them."""
        known = self._names.get(name)
        if known is None:
            known = self._line(name)
            if len(self._names) < MAX_NAMES:
                self._names[name] = known
        return known

    def _line(self, text: str) -> str:
        """Without secrets, on one line, not too long; redacted twice where joining lines may join a secret's parts."""
        safe = self.redactor.text(text[:MAX_READ_CHARACTERS])
        if len(text) > MAX_READ_CHARACTERS:
            safe = safe[:-MAX_SECRET_CHARACTERS]  # where it was cut may stand half a secret
        if not safe.isprintable():
            flat = " ".join(safe.split())
            safe = self.redactor.text("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in flat))
        return safe if len(safe) <= MAX_TEXT_CHARACTERS else f"{safe[:MAX_TEXT_CHARACTERS]}…"


class LineWriter(logging.Handler):
    """Writes lines from a thread of its own, so that a log nobody reads never holds up the event loop.

    Lines beyond MAX_WAITING_LINES are dropped and counted in `lost_lines`; the log says so once it is read again.
    """

    def __init__(self, formatter: JsonFormatter, stream: TextIO) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.stream = stream
        self.lost_lines = 0
        self._waiting: queue.Queue[str | None] = queue.Queue(MAX_WAITING_LINES)
        self._thread = threading.Thread(target=self._write, name="tenbin-logs", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._waiting.put_nowait(self.format(record))
        except queue.Full:
            self.lost_lines += 1

    def close(self) -> None:
        """Write what waits, for at most CLOSE_S."""
        if self._thread.is_alive():
            with suppress(queue.Full):
                self._waiting.put(None, timeout=CLOSE_S)
            self._thread.join(CLOSE_S)
        super().close()

    def _write(self) -> None:
        told = 0
        while (line := self._waiting.get()) is not None:
            lost = self.lost_lines
            try:
                self.stream.write(f"{line}\n")
                if lost > told:
                    self.stream.write(f"{self.format(self._lost(lost - told))}\n")
                    told = lost
                if self._waiting.empty():
                    self.stream.flush()
            except (OSError, ValueError):  # stderr is closed or gone: there is nowhere left to say so
                self.lost_lines += 1

    @staticmethod
    def _lost(lines: int) -> logging.LogRecord:
        message = "lines of this log were lost: it was not read, or could not be written"
        record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, message, None, None)
        record.lines = lines
        return record


def start_logs(level: str, redactor: Redactor, stream: TextIO | None = None) -> LineWriter:
    """Send the logs of the whole process from `level` ("info") on through one writer, which the caller closes."""
    writer = LineWriter(JsonFormatter(redactor), sys.stderr if stream is None else stream)
    root = logging.getLogger()
    for other in list(root.handlers):
        root.removeHandler(other)
    root.addHandler(writer)
    set_level(level)
    logging.captureWarnings(True)
    return writer


def set_level(level: str) -> None:
    """Log from `level` ("info") on, in the whole process."""
    logging.getLogger().setLevel(level.upper())


def exception_line(error: BaseException) -> str:
    """An exception and what caused it in one line, each with the place where it was raised, and no source text."""
    return " <- ".join(f"{type(one).__name__}: {_str(one)}{_place(one.__traceback__)}" for one in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen and len(seen) < MAX_CHAINED:
        seen.add(id(at))
        yield at
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)


def _place(trace: TracebackType | None) -> str:
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    return f" ({PurePath(code.co_filename).name}:{trace.tb_lineno} in {code.co_name})"


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # arguments that do not fit the message must not cost the line
        return _str(record.msg)


def _str(value: object) -> str:
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__}>"
