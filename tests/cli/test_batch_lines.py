from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.cli.batch_lines import read_queries
from tenbin.errors import DataError
from tenbin.outcomes.bytescan import MAX_LINE_BYTES
from tenbin.types import Query


def read(text: str | bytes) -> list[Query]:
    raw = text.encode() if isinstance(text, str) else text
    return list(read_queries(io.BytesIO(raw), "in.jsonl"))


def test_every_field_arrives() -> None:
    line = '{"query_id": "a", "prompt": "日本", "group": "g", "input_tokens": 12, "max_output_tokens": 30}\n'
    assert read(line) == [Query("a", "日本", group="g", input_tokens=12.0, max_output_tokens=30.0)]


def test_messages_and_unknown_fields() -> None:
    messages = '[{"role": "user", "content": "hi"}]'
    (query,) = read(f'{{"messages": {messages}, "prompt": null, "colour": 1}}')
    assert query.messages == ({"role": "user", "content": "hi"},)


def test_a_missing_id_is_the_line_number_and_blank_lines_count() -> None:
    queries = read('\ufeff{"prompt": "a"}\n\n{"prompt": "b"}\n{"prompt": "c", "query_id": 7}')
    assert [query.query_id for query in queries] == ["1", "3", "7"]


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ('{"prompt": "a"}\n{"prompt": "b", "query_id": "1"}', "in.jsonl:2:1", "already given in line 1"),
        ('{"prompt": "a"}\n{"prompt": }', "in.jsonl:2:12", "not JSON"),
        ('{"prompt": "a"', "in.jsonl:1:15", "not JSON"),
        ('["a"]', "in.jsonl:1:1", "a list, not an object"),
        ('{"query_id": "x"}', "in.jsonl:1:1", "neither prompt nor messages"),
        ('{"prompt": "a", "messages": []}', "in.jsonl:1:1", "both"),
        ('{"query_id": "x", "prompt": " "}', "in.jsonl:1:19", "prompt is empty"),
        ('{"query_id": "x", "prompt": 3}', "in.jsonl:1:19", "a number, not text"),
        ('{"query_id": 1.5, "prompt": "a"}', "in.jsonl:1:2", "query_id"),
        ('{"prompt": "a", "query_id": true}', "in.jsonl:1:17", "query_id"),
        ('{"prompt": "a", "group": 3}', "in.jsonl:1:17", "group"),
        ('{"prompt": "a", "input_tokens": -1}', "in.jsonl:1:17", "input_tokens is -1"),
        (f'{{"prompt": "a", "input_tokens": 1{"0" * 400}}}', "in.jsonl:1:17", "input_tokens is 1000"),
        ('{"prompt": "a", "input_tokens": NaN}', "in.jsonl:1:17", "input_tokens is nan"),
        ('{"prompt": "a", "max_output_tokens": "9"}', "in.jsonl:1:17", "a text, not a number"),
        ('{"messages": [{"content": "x"}]}', "in.jsonl:1:2", "without a role"),
        ('{"prompt": "a", "group": "x", "group": "y"}', "in.jsonl:1:17", 'the key "group" stands twice'),
        ('{"messages": [{"role": "user", "content": "a", "content": "b"}]}', "in.jsonl:1:32", '"content" stands twice'),
        ('{"messages": []}', "in.jsonl:1:2", "no list of messages"),
        ('{"prompt": "\\ud800"}', "in.jsonl:1:1", "surrogate"),
        ('{"prompt": "日'.encode() + b"\xff", "in.jsonl:1:14", "not UTF-8 (byte 0xff)"),
        ("[" * 100_000, "in.jsonl:1:1", "beyond all measure"),
        (b"x" * (MAX_LINE_BYTES + 1), "in.jsonl:1:1", "longer than 16 MB"),
    ],
)
def test_a_bad_line_is_named(text: str | bytes, where: str, what: str) -> None:
    with pytest.raises(DataError) as caught:
        read(text)
    assert caught.value.where == where
    assert what in caught.value.what
    assert caught.value.fix


@given(st.binary(max_size=200))
def test_any_bytes_give_queries_or_one_clear_error(raw: bytes) -> None:
    try:
        read(raw)
        where = "in.jsonl:"
    except DataError as error:
        where = str(error.where)
    assert where.startswith("in.jsonl:")
