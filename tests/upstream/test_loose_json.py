from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.upstream.loose_json import MAX_BYTES, decode, members_of

ANYTHING: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (rb'"a\ud83d"', "a\ufffd"),
        (rb'"\ude00\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\\ud83d"', r"\ud83d"),
        (b'{"logprob": -Infinity, "p": NaN}', {"logprob": None, "p": None}),
    ],
)
def test_what_clients_read_is_read(text: bytes, said: Any) -> None:
    assert decode(ANYTHING, text) == said


TOO_LONG = b"[NaN" + b" " * MAX_BYTES + b"]"
NOT_READ = [b"", b'{"a": ', b"nan", b'"\xff"', b"[" * 100_000, b"1" * 5_000, TOO_LONG]


@pytest.mark.parametrize("text", NOT_READ, ids=range(len(NOT_READ)))
def test_what_nobody_reads_is_refused(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(ANYTHING, text)


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_any_text_that_python_writes_is_read(text: str) -> None:
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    said = decode(ANYTHING, json.dumps(text).encode())
    assert said == "".join("\ufffd" if "\ud800" <= sign <= "\udfff" else sign for sign in whole)


@pytest.mark.parametrize(
    ("text", "members"),
    [
        (b'{"a": 1.50, "b": {"c" : 2}}', {"a": b"1.50", "b": b'{"c" : 2}'}),
        (b'{"a": "\\ud83d", "b": [NaN, 1.50]}', {"a": b'"\\ud83d"', "b": b"[NaN,1.5]"}),
    ],
)
def test_members_stay_as_they_were_written_or_nearly(text: bytes, members: dict[str, bytes]) -> None:
    assert {name: bytes(raw) for name, raw in members_of(text).items()} == members


@pytest.mark.parametrize("text", [b"", b"[1]", b'{"a": ', b'{"a": "\\ud83d"', TOO_LONG])
def test_what_is_no_object_has_no_members(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        members_of(text)
