from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.telemetry.logs import MAX_READ_CHARACTERS, JsonFormatter, exception_line, start_logs
from tenbin.telemetry.redaction import LEFT_OUT, Redactor
from tenbin.upstream.answer_headers import REDACTED

SECRET = "planted-s3cret-value"  # noqa: S105
PLACES = ("message", "args", "extra", "name", "exception", "cause", "context", "stack", "text", "argument")
KEYS = st.sampled_from([SECRET, "sk-proj-0123456789abcdefgh", "tb-0123456789abcdefghijkl", "Bearer abcdefghijkl"])
WORDS = st.text(max_size=40)


def record(message: str = "said", *args: Any, error: BaseException | None = None, **extra: Any) -> logging.LogRecord:
    info = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord("tenbin.test", logging.INFO, __file__, 1, message, args, info)
    made.__dict__.update(extra)
    return made


def raised(text: str, *, cause: str = "", context: str = "") -> BaseException:
    try:
        try:
            raise KeyError(context or cause)
        except KeyError as inner:
            if cause:
                raise ValueError(text) from inner
            raise ValueError(text)  # noqa: B904 (the context is what is tested)
    except ValueError as error:
        return error


def planted(place: str, text: str) -> logging.LogRecord:
    made = {
        "message": lambda: record(text),
        "args": lambda: record("it is %s in %r", text, {"k": [text]}),
        "extra": lambda: record(detail={"a": [text, {text: text.encode()}]}, other=text, **{f"n{text}": 1}),
        "name": record,
        "exception": lambda: record(error=raised(text)),
        "cause": lambda: record(error=raised("outer", cause=text)),
        "context": lambda: record(error=raised("outer", context=text)),
        "stack": lambda: record(stack_info=text),
        "text": lambda: record(exc_text=text),
        "argument": lambda: record(error=OSError(5, text, text)),
    }[place]()
    if place == "name":
        made.name = text
    return made


@given(st.sampled_from(PLACES), KEYS, WORDS, WORDS)
def test_a_planted_secret_never_comes_out(place: str, secret: str, before: str, after: str) -> None:
    line = JsonFormatter(Redactor([SECRET])).format(planted(place, f"{before} {secret}{after}"))
    assert secret not in line
    assert secret not in json.dumps(json.loads(line), ensure_ascii=False)
    assert len(line.splitlines()) == 1


def test_a_line_says_when_what_and_where() -> None:
    line = json.loads(JsonFormatter(Redactor()).format(record("served %d", 3, request_id="r1", seconds=0.5)))
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "tenbin.test",
        "message": "served 3",
        "request_id": "r1",
        "seconds": 0.5,
    }


def test_an_exception_is_one_line_with_its_causes_and_places() -> None:
    told = exception_line(raised("outer\nline", cause="inner"))
    assert told.startswith("ValueError: outer\nline (test_logs.py:")
    assert " <- KeyError: 'inner' (test_logs.py:" in told
    shown = json.loads(JsonFormatter(Redactor()).format(record(error=raised("outer\nline"))))["exception"]
    assert shown.startswith("ValueError: outer line (")


def test_a_chain_that_bites_its_tail_ends() -> None:
    error = ValueError("a")
    error.__cause__ = KeyError("b")
    error.__cause__.__cause__ = error
    assert exception_line(error) == "ValueError: a <- KeyError: 'b'"


def test_what_a_person_asked_is_left_out() -> None:
    line = json.loads(JsonFormatter(Redactor()).format(record(prompt="my words", data={"messages": ["my words"]})))
    assert (line["prompt"], line["data"]) == (LEFT_OUT, {"messages": LEFT_OUT})


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "made",
    [
        record("%d %d", 1),
        record("%s", Hostile()),
        record(detail=Hostile()),
        record("\ud800 \u2028"),
        record(n=float("nan")),
    ],
)
def test_nothing_makes_a_line_fail(made: logging.LogRecord) -> None:
    assert json.loads(JsonFormatter(Redactor()).format(made))["level"] == "info"


@pytest.mark.parametrize("at", [MAX_READ_CHARACTERS - len(SECRET) // 2, 100])
def test_no_half_of_a_secret_is_left_where_a_long_text_is_cut(at: int) -> None:
    text = ((SECRET + ",") * 1000)[:at] + SECRET + " " + "y" * 10_000
    line = JsonFormatter(Redactor([SECRET])).format(record(text))
    assert SECRET[: len(SECRET) // 2] not in line


def test_a_long_text_is_cut() -> None:
    assert len(JsonFormatter(Redactor()).format(record("x" * 100_000))) < 5_000


@pytest.fixture
def kept_root() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield root
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_the_logs_of_the_process_go_through_one_writer(kept_root: logging.Logger) -> None:
    stream = io.StringIO()
    writer = start_logs("info", Redactor([SECRET]), stream)
    logging.getLogger("some.library").info("key %s", SECRET)
    logging.getLogger("anything").debug("unseen")
    writer.close()
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["message"] == f"key {REDACTED}"


def test_a_stream_that_is_gone_loses_lines_and_raises_nothing(kept_root: logging.Logger) -> None:
    stream = io.StringIO()
    stream.close()
    writer = start_logs("info", Redactor(), stream)
    logging.getLogger("a").info("b")
    writer.close()
    assert writer.lost_lines == 1


def test_a_log_that_nobody_read_says_how_much_is_missing(
    kept_root: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenbin.telemetry.logs.MAX_WAITING_LINES", 2)
    reading, writing = threading.Event(), threading.Event()

    class Stuck(io.StringIO):
        def write(self, text: str) -> int:
            writing.set()
            reading.wait()
            return super().write(text)

    stream = Stuck()
    writer = start_logs("info", Redactor(), stream)
    logging.getLogger("a").info("first")
    writing.wait()
    for number in range(5):
        logging.getLogger("a").info("line %d", number)
    reading.set()
    writer.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["message"] for line in lines if line["logger"] == "a"] == ["first", "line 0", "line 1"]
    assert [line["lines"] for line in lines if "lost" in line["message"]] == [3]
