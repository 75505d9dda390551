"""JSON in answers, held against a schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tenbin.errors import ConfigError, DataError, TenbinError
from tenbin.quality import json_schema
from tenbin.quality.json_schema import JsonSchema, json_in

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}


@pytest.fixture(scope="module")
def metric(tmp_path_factory: pytest.TempPathFactory) -> JsonSchema:
    """One for all answers: it holds its schema against nothing at first, in a process as slow as an answer's."""
    path = tmp_path_factory.mktemp("schema") / "ticket.schema.json"
    path.write_text(json.dumps(SCHEMA))
    return JsonSchema(path)


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "ticket.schema.json"
    path.write_text(json.dumps(SCHEMA))
    return path


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ('{"a": 1}', 1.0),
        ('Here it is:\n```json\n{"a": 1}\n```\nBye.', 1.0),
        ('```\n{"a": 1}\n```', 1.0),
        ('```json\n{"a": 1}', 1.0),
        ('{"a": "1"}', 0.0),
        ('{"a": 1, "b": 2}', 0.0),
        ('```json\n{"b": 1}\n```\nor\n```json\n{"a": 1}\n```', 0.0),
        ('Sure: {"a": 1}', 0.0),
        ("{'a': 1}", 0.0),
        ('{"a": NaN}', 0.0),
        ("[" * 100_000, 0.0),
        ("", 0.0),
    ],
)
def test_an_answer_against_a_schema(metric: JsonSchema, answer: str, score: float) -> None:
    assert metric.score("", answer, None) == score


def test_without_a_file_the_reference_is_the_schema() -> None:
    metric = JsonSchema()
    assert metric.score("", "3", '{"type": "integer"}') == 1.0
    assert metric.score("", "3", '{"type": "string"}') == 0.0
    assert metric.score("", "3", None) is None
    with pytest.raises(DataError, match="no JSON Schema"):
        metric.score("", "3", "an integer")
    for schema in ('{"type": "integre"}', "4", "[]"):
        with pytest.raises(DataError, match="no JSON Schema"):
            metric.score("", "3", schema)


def test_nothing_is_fetched_for_a_schema() -> None:
    with pytest.raises(DataError, match="cannot be applied"):
        JsonSchema().score("", "3", '{"$ref": "http://127.0.0.1:9/other.json"}')
    assert JsonSchema().score("", "{}", '{"$ref": "http://json-schema.org/draft-07/schema#"}') == 1.0


def test_the_name_stands_for_the_schema_not_for_its_file(schema: Path) -> None:
    before = JsonSchema(schema).name
    schema.write_text(json.dumps(SCHEMA, indent=2))
    assert JsonSchema(schema).name == before != JsonSchema().name
    schema.write_text("{}")
    assert JsonSchema(schema).name != before
    schema.write_text('{"type": 3}')
    with pytest.raises(ConfigError, match=r"ticket.schema.json: no JSON Schema"):
        JsonSchema(schema)


def test_every_json_block_is_found() -> None:
    assert json_in("~~~json\n1\n~~~\n```python\n2\n```") == [1]


def test_a_check_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    assert json_schema.CPU_S == 2  # as the class says; one tells as much here
    monkeypatch.setattr(json_schema, "CPU_S", 1)
    # In this process the pattern would hold up every thread, the run's loop and Ctrl-C with it.
    with pytest.raises(TenbinError, match="did not end within 1 s of computing"):
        JsonSchema().score("", json.dumps("a" * 40 + "!"), '{"pattern": "^(a+)+$"}')
