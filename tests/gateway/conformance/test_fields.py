"""What a chat client sends reaches an upstream of its dialect as it was written."""

from __future__ import annotations

import msgspec
import pytest

from tenbin.testing import Answer
from tests.gateway.conformance.cases import Case
from tests.gateway.conformance.fields import FIELD_CASES, FIELDS
from tests.gateway.conformance.served import CANDIDATES, Site, at_provider, members_of

MEMBERS = {field.name: field.members for field in FIELDS}


@pytest.mark.parametrize("case", FIELD_CASES, ids=str)
def test_every_member_arrives_as_written(site: Site, case: Case) -> None:
    sent = site.members(case, MEMBERS[case.name])
    answer = site.post(case, sent)
    assert answer.status == 200, answer.body
    got = members_of(site.received().body)
    assert got.pop("model") == msgspec.json.encode(at_provider(answer.headers["x-tenbin-model"]))
    del sent["model"]
    if case.is_stream:
        options = members_of(got.pop("stream_options"))
        assert options.pop("include_usage") == b"true"
        asked = members_of(sent.pop("stream_options", b"{}"))
        asked.pop("include_usage", None)
        assert options == asked
    assert got == sent
    assert list(got) == list(sent)


@pytest.mark.parametrize("model", ["tenbin/auto", *CANDIDATES["openai"]])
def test_our_own_member_stays_here(site: Site, model: str) -> None:
    body = b'{"x":1, "tenbin": {"mu": 0.5}, "model": "%b", "messages": [{"role": "user", "content": "7"}]}'
    assert site.gateway.post("/v1/chat/completions", body % model.encode()).status == 200
    assert list(members_of(site.received().body)) == ["x", "model", "messages"]


ANSWER = Answer(body=b'{"id": "chatcmpl-1", "choices": [{"index": 0, "message": {"content": "7"}}]}')
ODD = b'{"model" : "%b",\n"messages": [ {"role": "user", "content": "cut \\ud83d here"} ], "x": 1E+400 , "seed":1.0}'
HALF = b'{"model": "%b", "max_tokens": 9, "messages": [{"role": "user", "content": "cut \\ud83d here"}]}'


@pytest.mark.parametrize("model", ["tenbin/auto", "good"])
def test_what_strict_readers_refuse_passes_too(site: Site, model: str) -> None:
    for name in CANDIDATES["openai"]:
        site.ups[name].script = ANSWER
    answer = site.gateway.post("/v1/chat/completions", ODD % model.encode())
    assert answer.body == ANSWER.body
    got = site.received().body
    for member in (b'[ {"role": "user", "content": "cut \\ud83d here"} ]', b"1E+400,", b"1.0}"):
        assert member in got
    assert "failed" not in answer.headers["x-tenbin-reason"]


def test_half_a_surrogate_pair_is_replaced_where_it_is_translated(site: Site) -> None:
    assert site.gateway.post("/v1/messages", HALF % b"good").status == 200
    assert "cut \N{REPLACEMENT CHARACTER} here" in site.received().body.decode()
