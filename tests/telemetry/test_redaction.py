from __future__ import annotations

import base64
import json
import time
import timeit
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.telemetry.redaction import LEFT_OUT, Redactor
from tenbin.types import Candidate
from tenbin.upstream.answer_headers import REDACTED
from tenbin.upstream.destination import Destination

SECRET_TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, categories=("L", "N", "P", "S")), min_size=8)
AROUND = st.text(max_size=30)


@given(SECRET_TEXT, AROUND, AROUND)
def test_a_known_secret_never_comes_out_however_it_is_written(secret: str, before: str, after: str) -> None:
    redactor = Redactor([secret])
    for form in (secret, repr(secret), ascii(secret), json.dumps(secret), repr(secret.encode())):
        shown = redactor.text(before + form + after)
        assert secret not in shown
        assert form.strip("b'\"") not in shown or len(form.strip("b'\"")) < 4


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-abcdefghijklmnop0123",
        "sk-ant-api03-abcdefghijklmnop",
        "AIzaSyA0123456789abcdefghijk",
        "AKIAIOSFODNN7EXAMPLE",
        "tb-" + base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("="),
        "Bearer opaque-token-of-somebody",
        "bearer x",
    ],
)
@pytest.mark.parametrize(
    "frame", ["{}", "key={} ", "a\\n{}", '{{"k": "{}"}}', "https://host/?k={}&x=1", "(b'x', b'{}')"]
)
def test_what_looks_like_a_key_goes(key: str, frame: str) -> None:
    shown = Redactor().text(frame.format(key))
    assert key not in shown
    assert REDACTED in shown


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Basic dXNlcjpwYXNz",
        "{'authorization': 'Basic dXNlcjpwYXNz'}",
        "(b'x-api-key', b'dXNlcjpwYXNz')",
        "x-api-key=dXNlcjpwYXNz",
        "Cookie: a=1; session=dXNlcjpwYXNz; b=2",
        'headers={"Set-Cookie": "session=dXNlcjpwYXNz"}',
    ],
)
def test_the_value_of_a_secret_header_goes(text: str) -> None:
    assert "dXNlcjpwYXNz" not in Redactor().text(text)


@pytest.mark.parametrize("text", ["task-management-of-the-week", "candidate gpt-4.1-mini answered", "tb-short", ""])
def test_plain_words_stay(text: str) -> None:
    assert Redactor().text(text) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"Authorization": "anything", "n": 1}, {"Authorization": REDACTED, "n": 1}),
        ([("x-api-key", "anything"), (b"cookie", b"c")], [["x-api-key", REDACTED], ["cookie", REDACTED]]),
        ({"messages": [{"role": "user"}], "prompt": "words"}, {"messages": LEFT_OUT, "prompt": LEFT_OUT}),
        ({"deep": ({"secret-12": b"a secret-12 b"},)}, {"deep": [{REDACTED: f"a {REDACTED} b"}]}),
        (float("nan"), None),
        (12345678, REDACTED),
        (True, True),
    ],
)
def test_nested_values_are_followed(value: Any, shown: Any) -> None:
    assert Redactor(["secret-12", "12345678"]).value(value) == shown


def test_a_process_takes_out_the_keys_that_it_holds() -> None:
    here = Destination(Candidate("a"), "openai", "http://127.0.0.1/v1", api_key_env="ODD_NAME")
    environ = {"ODD_NAME": "configured-1", "SOME_TOKEN": "unconfigured-12", "A_KEY": "short", "PATH": "/usr/local/bin"}
    redactor = Redactor.of(environ, {"a": here})
    assert redactor.text("configured-1 unconfigured-12 short /usr/local/bin") == (
        f"{REDACTED} {REDACTED} short /usr/local/bin"
    )
    there = Destination(Candidate("b"), "openai", "http://127.0.0.1/v1", api_key_env="LATER")
    redactor.learn_keys({"LATER": "learnt-later"}, {"b": there})
    assert redactor.text("learnt-later configured-1") == f"{REDACTED} {REDACTED}"


def test_endless_nesting_ends() -> None:
    endless: list[Any] = ["secret-12"]
    endless.append(endless)
    assert "secret-12" not in json.dumps(Redactor(["secret-12"]).value(endless))


def test_a_value_too_short_to_be_a_secret_leaves_the_line_readable() -> None:
    assert Redactor(["", "a", " "]).text("a line") == "a line"


@pytest.mark.parametrize("piece", ["eyJ0", "sk-0", "0sk-", "authorization", "bearer ", "eyJ0123456789.0123456789"])
def test_a_hostile_text_does_not_hold_up_the_loop(piece: str) -> None:
    text = (piece * 80_000)[:80_000]
    # With a search that goes back at every place this takes a quarter of a minute.
    assert timeit.timeit(lambda: Redactor().text(text), timer=time.process_time, number=1) < 2.0
