"""How a candidate is called in its own way: its effort and its cap, where the request does not say."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tenbin.gateway.incoming import Incoming, read_anthropic, read_chat, read_responses
from tenbin.gateway.wire import Wire
from tenbin.types import Candidate
from tenbin.upstream.destination import Destination, Dialect

READ = {"chat": read_chat, "messages": read_anthropic, "responses": read_responses}
SCHEMA = b'{"type": "json_schema", "schema": {"type": "object", "properties": {}, "maximum": 1.50}}'


def said(
    endpoint: str, model: str, dialect: Dialect, called: str = "tenbin/auto", effort: str = "high", **members: bytes
) -> dict[str, Any]:
    """The body that goes out to a candidate of this effort, at most 700 tokens long, its members as written."""
    raw = {name: msgspec.Raw(value) for name, value in members.items()}
    asked = {"input": "Why?"} if endpoint == "responses" else {"messages": [{"role": "user", "content": "Why?"}]}
    incoming: Incoming = READ[endpoint](msgspec.json.encode({"model": called, **asked, **raw}))
    candidate = Candidate("it", model=model, reasoning_effort=effort, max_output_tokens=700)
    body = Wire(incoming, Destination(candidate, dialect, "http://x", speaks_responses=True)).say(strips_before=0).body
    return {
        name: bytes(value).decode() for name, value in msgspec.json.decode(body, type=dict[str, msgspec.Raw]).items()
    }


@pytest.mark.parametrize(
    ("endpoint", "members", "name", "sent"),
    [
        ("chat", {}, "reasoning_effort", '"high"'),
        ("chat", {"reasoning_effort": b"null"}, "reasoning_effort", '"high"'),
        ("chat", {"reasoning_effort": b'"low"'}, "reasoning_effort", '"low"'),
        ("responses", {}, "reasoning", '{"effort":"high"}'),
        ("responses", {"reasoning": b"null"}, "reasoning", '{"effort":"high"}'),
        ("responses", {"reasoning": b'{"summary": "auto"}'}, "reasoning", '{"summary":"auto","effort":"high"}'),
        ("responses", {"reasoning": b'{"effort": "low"}'}, "reasoning", '{"effort": "low"}'),
        ("messages", {"max_tokens": b"9"}, "reasoning_effort", '"high"'),
        ("messages", {"max_tokens": b"9", "thinking": b"null"}, "reasoning_effort", '"high"'),
        ("messages", {"max_tokens": b"9", "output_config": b'{"effort": "low"}'}, "reasoning_effort", '"low"'),
        ("messages", {"max_tokens": b"9", "thinking": b'{"type": "disabled"}'}, "reasoning_effort", None),
    ],
    ids=str,
)
def test_a_candidates_effort_is_asked_of_openais_models_where_none_is(
    endpoint: str, members: dict[str, bytes], name: str, sent: str | None
) -> None:
    assert said(endpoint, "gpt-5", "openai", **members).get(name) == sent


@pytest.mark.parametrize(
    ("endpoint", "members", "sent"),
    [
        ("messages", {}, '{"effort":"high"}'),
        ("messages", {"output_config": b"null"}, '{"effort":"high"}'),
        ("messages", {"output_config": b'{"format": %b}' % SCHEMA}, f'{{"format":{SCHEMA.decode()},"effort":"high"}}'),
        ("messages", {"output_config": b'{"effort": "low"}'}, '{"effort": "low"}'),
        ("messages", {"thinking": b'{"type": "disabled"}'}, None),
        ("chat", {}, '{"effort":"high"}'),
        ("chat", {"reasoning_effort": b"null"}, '{"effort":"high"}'),
        ("chat", {"reasoning_effort": b'"low"'}, '{"effort":"low"}'),
    ],
    ids=str,
)
def test_a_candidates_effort_is_asked_of_anthropics_models_where_none_is(
    endpoint: str, members: dict[str, bytes], sent: str | None
) -> None:
    body = said(endpoint, "claude-opus-4-6", "anthropic", **{"max_tokens": b"9000", **members})
    assert body.get("output_config") == sent


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        ("claude-sonnet-4-5", "high", {}),
        ("claude-haiku-4-5-20251001", "low", {}),
        ("claude-3-7-sonnet-latest", "none", {}),
        ("claude-opus-4-5", "high", {"output_config": '{"effort":"high"}'}),
        ("claude-opus-4-5", "xhigh", {"output_config": '{"effort":"high"}'}),
        ("claude-opus-4-6", "minimal", {"output_config": '{"effort":"low"}'}),
        ("claude-opus-4-6", "none", {"thinking": '{"type":"disabled"}'}),
        ("claude-sonnet-5-5", "xhigh", {"output_config": '{"effort":"xhigh"}'}),
        ("claude-sonnet-5-5", "none", {"thinking": '{"type":"between_tools"}'}),
        ("claude-opus-5-5", "none", {"output_config": '{"effort":"low"}'}),
        ("look-alike", "turbo", {"output_config": '{"effort":"turbo"}'}),
    ],
)
def test_a_candidates_effort_is_one_that_its_model_takes(model: str, effort: str, sent: dict[str, str]) -> None:
    """Claude refuses a whole request for an effort that it does not know, and up to Sonnet 4.5 for any."""
    body = said("messages", model, "anthropic", effort=effort, max_tokens=b"9")
    assert {name: body[name] for name in ("thinking", "output_config") if name in body} == sent
    for own in (b'{"effort": "low"}', b'{"effort":"low","format":null}'):
        kept = said("messages", model, "anthropic", effort=effort, max_tokens=b"9", output_config=own)
        assert (kept["output_config"].encode(), "thinking" in kept) == (own, False)


@pytest.mark.parametrize(
    ("members", "caps"),
    [
        ({}, {"max_completion_tokens": 700}),
        ({"max_tokens": b"null"}, {"max_tokens": None, "max_completion_tokens": 700}),
        ({"max_tokens": b"800"}, {"max_tokens": 700}),
        ({"max_tokens": b"600"}, {"max_tokens": 600}),
        ({"max_tokens": b"null", "max_completion_tokens": b"800"}, {"max_tokens": None, "max_completion_tokens": 700}),
    ],
    ids=str,
)
def test_a_candidates_cap_goes_by_the_name_that_was_used_or_that_it_takes(
    members: dict[str, bytes], caps: dict[str, int | None]
) -> None:
    body = said("chat", "gpt-5-chat-latest", "openai", **members)
    assert {name: json.loads(value) for name, value in body.items() if name.startswith("max_")} == caps


LEFT_OUT = {"temperature": b"0.20", "top_p": b"1", "seed": b"7"}
AS_WRITTEN = {"temperature": "0.20", "top_p": "1", "seed": "7", "max_completion_tokens": "700"}


@pytest.mark.parametrize(
    ("asked", "model", "members", "sent"),
    [
        ("tenbin/auto", "openai/o4-mini", {"max_tokens": b"600"}, {"max_completion_tokens": "600"}),
        ("tenbin/auto", "gpt-5", {"max_tokens": b"600"}, {"max_completion_tokens": "600"}),
        ("tenbin/auto", "gpt-5", {"max_tokens": b"800"}, {"max_completion_tokens": "700"}),
        *(
            ("tenbin/auto", "gpt-5", {"max_tokens": b"9", "max_completion_tokens": cap}, sent)
            for cap, sent in (
                (b"8", {"max_tokens": "9", "max_completion_tokens": "8"}),
                (b"null", {"max_completion_tokens": "9"}),
            )
        ),
        ("tenbin/auto", "gpt-5", LEFT_OUT, {"seed": "7", "max_completion_tokens": "700"}),
        ("tenbin/auto", "gpt-4.1", {"max_tokens": b"600"}, {"max_tokens": "600"}),
        ("tenbin/auto", "gpt-4.1", LEFT_OUT, AS_WRITTEN),
        ("it", "gpt-5", {"max_tokens": b"600"}, {"max_tokens": "600"}),
        ("it", "gpt-5", LEFT_OUT, AS_WRITTEN),
    ],
    ids=str,
)
def test_who_cannot_know_who_answers_is_understood_by_openais_reasoning_models(
    asked: str, model: str, members: dict[str, bytes], sent: dict[str, str]
) -> None:
    body = said("chat", model, "openai", asked, **members)
    assert {name: body[name] for name in body if name not in {"model", "messages", "reasoning_effort"}} == sent
