"""The text of a row is a prompt, or messages: one of the two, and of its kind."""

from __future__ import annotations

import pytest

from tenbin.outcomes import read_outcomes
from tests.outcomes.refused import refused

KINDS = ("t.csv", "t.jsonl", "t.parquet")
BARE = {"query_id": "1", "model": "m", "quality": 1.0}
GOOD = {"prompt": "p", **BARE}


@pytest.mark.parametrize("name", ["t.jsonl", "t.parquet"])
def test_a_conversation_under_prompt_is_not_taken_for_its_json(write, name):
    said = [{"role": "user", "content": "hello"}]
    path = write([dict(GOOD, prompt=said)], name)
    refused(path, name, "column prompt: is a list or an object, not text", "--map messages=")
    panel = read_outcomes(path, {"messages": "prompt"})
    assert [dict(message) for message in panel.queries[0].messages or ()] == said


@pytest.mark.parametrize("name", KINDS)
def test_a_prompt_beside_messages_is_refused_until_one_is_named(write, name):
    """The router read the messages alone: behind one system message all prompts were the same, and nothing was said."""
    said = [{"role": "system", "content": "be brief"}]
    path = write([dict(GOOD, messages=said), dict(GOOD, query_id="b", prompt="other", messages=said)], name)
    refused(path, name, "column prompt", "stands beside messages", "--map messages=COLUMN", "1 more row has a fault")
    prompts, messages = (read_outcomes(path, {column: column}).queries for column in ("prompt", "messages"))
    assert [(query.prompt, query.messages) for query in prompts] == [(GOOD["prompt"], None), ("other", None)]
    assert [(query.prompt, list(query.messages)) for query in messages] == [("", said), ("", said)]


def test_messages_that_are_none(write):
    table = [dict(BARE, messages=[{"content": "no role"}])]
    refused(write(table, "t.jsonl"), ":1, column messages", "is not a list of chat messages")
    refused(write([dict(BARE, messages="{broken")], "t.csv"), ":2, column messages", "not a list of chat messages")


def test_neither_prompt_nor_messages(write):
    refused(write([dict(BARE, messages=None)], "t.jsonl"), ":1, column messages", "is empty")
    said = [{"role": "user", "content": "hello"}]
    table = [dict(BARE, messages=said), dict(GOOD, query_id="b", prompt=" ")]
    refused(write(table, "t.jsonl"), ":2, column prompt", "is empty")
    (query,) = read_outcomes(write([dict(GOOD, prompt=" ", messages=said)], "t.jsonl")).queries
    assert (query.prompt, [dict(message) for message in query.messages]) == ("", said)
