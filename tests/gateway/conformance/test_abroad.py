"""A field that the other dialect has no word for is refused by name, or the request goes to who understands it."""

from __future__ import annotations

import msgspec
import pytest

from tests.gateway.conformance.abroad import CHAT, CHAT_CASES, LEFT_OUT, MESSAGES, MESSAGES_CASES, REFUSED
from tests.gateway.conformance.cases import Case
from tests.gateway.conformance.fields import FIELDS
from tests.gateway.conformance.other_fields import MESSAGES as MESSAGES_FIELDS
from tests.gateway.conformance.other_fields import PINNED_MESSAGES
from tests.gateway.conformance.served import CANDIDATES, Members, Site, members_of

SENT = {
    "chat": {field.name: field.members for field in FIELDS},
    "messages": {field.name: field.members for field in (*MESSAGES_FIELDS, *PINNED_MESSAGES)},
}
BECOMES = {"chat": CHAT, "messages": MESSAGES}
OWN_DIALECT = {"chat": "openai", "messages": "anthropic"}


def received(site: Site, case: Case, members: Members) -> Members:
    """What reaches the upstream."""
    site.reset()
    answer = site.post(case, members)
    assert answer.status == 200, answer.body
    return members_of(site.received().body)


@pytest.mark.parametrize("case", [*CHAT_CASES, *MESSAGES_CASES], ids=str)
def test_what_becomes_of_a_field(site: Site, case: Case) -> None:
    sent, plain = site.members(case, SENT[case.endpoint][case.name]), site.members(case)
    plain["messages"] = sent["messages"]
    what = BECOMES[case.endpoint][case.name]
    if what == REFUSED:
        answer = site.post(case, sent)
        assert (answer.status, answer.error["type"]) == (400, "invalid_request_error")
        assert "has no counterpart" in answer.error["message"]
        if case.endpoint == "chat":
            assert answer.error["code"] == "unsupported_parameter"
            assert any(answer.error["param"].startswith(name) for name in SENT[case.endpoint][case.name])
        assert site.ups.called() == []
    elif what == LEFT_OUT:
        assert received(site, case, sent) == received(site, case, plain)
    else:
        got = received(site, case, sent)
        assert what in got
        if what in sent and what not in ("messages", "service_tier", "tools", "tool_choice"):
            assert msgspec.json.decode(got[what]) == msgspec.json.decode(sent[what])


@pytest.mark.parametrize(
    "case", [c for c in (*CHAT_CASES, *MESSAGES_CASES) if BECOMES[c.endpoint][c.name] == REFUSED], ids=str
)
def test_what_cannot_be_translated_is_routed_to_who_understands_it(site: Site, case: Case) -> None:
    sent = site.members(case, {**SENT[case.endpoint][case.name], "model": b'"tenbin/mixed"'})
    answer = site.post(case, sent)
    assert answer.status == 200, answer.body
    assert answer.headers["x-tenbin-model"] in CANDIDATES[OWN_DIALECT[case.endpoint]]  # type: ignore[index]
    assert len(site.ups.called()) == 1


def test_every_field_of_the_table_is_told_of() -> None:
    assert {endpoint: set(fields) for endpoint, fields in SENT.items()} == {
        endpoint: set(became) for endpoint, became in BECOMES.items()
    }
