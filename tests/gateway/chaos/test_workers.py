"""`--workers 2`: one ledger, one budget, keys and decisions the same from either worker."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from tenbin.store.keys import create_key, revoke_key
from tenbin.store.period import day_of
from tenbin.store.reader import Reader
from tenbin.testing import Answer
from tenbin.types import Usage
from tests.gateway.chaos.client import chat_body, leave, send
from tests.gateway.chaos.processes import gathered, tenbin_serve
from tests.gateway.running import PRICES, Upstreams, written
from tests.gateway.serving import Serving, until

AT_ONCE = 64
SENT, ANSWERED = 15, 500
COST_USD = (SENT * PRICES["good"] + ANSWERED * 4.0 * PRICES["good"]) / 1e6


@dataclass(frozen=True, slots=True)
class Line:
    """A connection that stands, hence one worker."""

    connection: HTTPConnection
    key: str

    def ask(self, method: str, path: str, body: Any = None) -> HTTPResponse:
        """The answer, its body read."""
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer

    def post(self, path: str, body: Any) -> Mapping[str, str]:
        """The headers of an answer that must be one."""
        answer = self.ask("POST", path, body)
        assert answer.status == 200
        return dict(answer.getheaders())


@dataclass(frozen=True, slots=True)
class Pair:
    """Two workers, the port of either's admin, the store."""

    serving: Serving
    store: Path
    ups: Upstreams

    def states(self) -> list[Any]:
        return [self.serving.get("/state", admin) for admin in self.serving.admin.split(", ")]

    def key(self, name: str, **limits: float) -> tuple[str, str]:
        """A key that both workers know."""
        known = min(state["keys"] for state in self.states())
        secret, key = create_key(self.store, name, **limits)  # type: ignore[arg-type]
        until(lambda: min(state["keys"] for state in self.states()) > known, "the key to be known")
        return secret, key.key_id

    def statuses(self, count: int, key: str, **fields: Any) -> list[int]:
        bodies = [{**json.loads(chat_body(f"prove it, number {i}")), **fields} for i in range(count)]
        return [status for status, _ in asyncio.run(gathered(self.serving.url, bodies, key=key))]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder: Path = tmp_path_factory.mktemp("workers")
    with Upstreams("cheap", "good", claude_a="anthropic", claude_b="anthropic") as ups:
        ups["good"].script = Answer(usage=Usage(SENT, ANSWERED), first_byte_s=0.05)
        config = written(folder, ups, gateway='keys = "required"', profile="best = true")
        with tenbin_serve(config, workers=2) as serving:
            serving.wait_ready()
            yield Pair(serving, folder / "store", ups)


@pytest.fixture(scope="module")
def lines(pair: Pair) -> list[Line]:
    """A connection to either worker."""
    secret, _ = pair.key("lines")
    found: dict[str | None, Line] = {}
    while len(found) < 2:
        line = Line(pair.serving.connect(), secret)
        made = line.post("/v1/chat/completions", json.loads(chat_body()))["x-tenbin-decision-id"]
        calls = until(partial(_calls, pair.store, made), "the call to be in the ledger")
        found.setdefault(calls[0].worker, line)
    return list(found.values())


def _calls(store: Path, decision_id: str) -> list[Any]:
    return list(Reader(store).requests(decision_id=decision_id))


def answered_usd(pair: Pair, key_id: str, count: int) -> float:
    """What the ledger has billed, once it holds so many calls, all of them settled."""
    reader = Reader(pair.store)

    def whole() -> bool:
        calls = list(reader.requests(key_id=key_id))
        return len(calls) == count and all(call.status == "ok" for call in calls)

    until(whole, "the ledger to be whole")
    return reader.spent(key_id, 0.0)


def test_a_budget_is_overshot_by_one_request_at_most(pair: Pair) -> None:
    budget = 10.5 * COST_USD
    secret, key_id = pair.key("small", day_usd=budget)
    before = len(pair.ups["good"].requests)
    served, day = 0, day_of(time.time())
    for _ in range(3):  # reserves are higher than costs: what the first wave leaves, the next ones spend
        statuses = pair.statuses(AT_ONCE, secret, max_tokens=ANSWERED)
        assert set(statuses) <= {200, 429}
        served += statuses.count(200)
    days = 1 if time.time() < day.ends_at else 2  # at midnight the budget begins anew
    assert len(pair.ups["good"].requests) - before == served
    spent = answered_usd(pair, key_id, served)
    assert spent == pytest.approx(served * COST_USD)
    assert budget - COST_USD <= spent < days * (budget + COST_USD)


def test_both_workers_together_let_so_many_requests_a_minute_through(pair: Pair) -> None:
    secret, _ = pair.key("steady", requests_per_minute=10)
    began = time.monotonic()
    statuses = pair.statuses(AT_ONCE, secret)
    more = int((time.monotonic() - began) / 6.0) + 1  # one comes in every six seconds; a busy machine needs more
    assert set(statuses) == {200, 429}
    assert 10 <= statuses.count(200) <= 10 + more


def test_both_workers_serve_and_the_ledger_has_what_the_upstream_billed(pair: Pair) -> None:
    secret, key_id = pair.key("large", day_usd=1e6)
    before = len(pair.ups["good"].requests)
    assert pair.statuses(2 * AT_ONCE, secret) == [200] * 2 * AT_ONCE
    assert len(pair.ups["good"].requests) - before == 2 * AT_ONCE
    assert answered_usd(pair, key_id, 2 * AT_ONCE) == pytest.approx(2 * AT_ONCE * COST_USD)
    workers = {call.worker for call in Reader(pair.store).requests(key_id=key_id)}
    assert len(workers) == 2


def test_an_answer_can_be_rated_and_its_decision_read_at_either_worker_at_once(lines: list[Line]) -> None:
    here, there = lines
    decision_id = here.post("/v1/chat/completions", json.loads(chat_body()))["x-tenbin-decision-id"]
    assert there.ask("GET", f"/v1/decisions/{decision_id}").status == 200
    decision_id = here.post("/v1/chat/completions", json.loads(chat_body()))["x-tenbin-decision-id"]
    there.post("/v1/feedback", {"decision_id": decision_id, "quality": 1.0})
    assert there.ask("GET", f"/v1/decisions/dec-{0:032x}").status == 404


def test_an_open_tool_loop_goes_on_with_who_opened_it_at_the_other_worker(pair: Pair, lines: list[Line]) -> None:
    here, there = lines
    pair.ups["claude_b"].script = Answer(first_byte_s=0.3)
    question = {"role": "user", "content": "What is heavier?"}
    thought = {"type": "thinking", "thinking": "a private thought", "signature": "c2lnbmF0dXJl"}
    use = {"type": "tool_use", "id": "toolu_01abc", "name": "look", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_01abc", "content": "seen"}
    said = [{"role": "assistant", "content": [thought, use]}, {"role": "user", "content": [result]}]

    def model(line: Line, messages: list[Any], *allow: str) -> str:
        tools = [{"name": "look", "input_schema": {"type": "object"}}]
        body = {"model": "tenbin/auto", "max_tokens": 9, "messages": messages, "tools": tools}
        return line.post("/v1/messages", {**body, "tenbin": {"allow": allow}})["x-tenbin-model"]

    assert model(here, [question], "claude_b") == "claude_b"
    assert model(there, [question, *said], "claude_a", "claude_b") == "claude_b"
    assert model(here, [question, *said, *said], "claude_a", "claude_b") == "claude_b"


def workers_of(serving: Serving) -> list[int]:
    """The process ids of the supervisor's children."""
    parent = serving.process.pid
    found = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    return [int(pid) for pid in found.split()]


def test_a_worker_that_is_killed_is_replaced_and_its_calls_are_closed(pair: Pair) -> None:
    secret, key_id = pair.key("survivor", day_usd=1e6)
    upstream, usual = pair.ups["good"], pair.ups["good"].script
    upstream.clear()
    upstream.script = Answer.hang()
    port = pair.serving.connect().port
    clients = [send(port, chat_body(f"prove it, number {i}"), key=secret) for i in range(16)]
    upstream.wait_for(16)
    upstream.script = usual
    before = workers_of(pair.serving)
    os.kill(before[0], signal.SIGKILL)
    # The other worker serves on, and closes what the dead one has left.
    assert pair.statuses(4, secret) == [200] * 4
    reader = Reader(pair.store)
    until(lambda: list(reader.requests(key_id=key_id, status="unknown")), "the dead one's calls to be closed")
    for client in clients:
        leave(client)
    until(lambda: all(call.status for call in reader.requests(key_id=key_id)), "every call to be closed")
    ended = Counter(call.status for call in reader.requests(key_id=key_id))
    assert ended["unknown"] + ended["cancelled"] == 16
    assert ended["ok"] == 4
    assert all(call.billed_usd == call.reserve_usd for call in reader.requests(key_id=key_id, status="unknown"))
    until(lambda: len(set(workers_of(pair.serving)) - {before[0]}) == 2, "another worker in its place")
    assert len(pair.states()) == 2
    assert pair.statuses(16, secret) == [200] * 16


def test_a_revoked_key_is_refused_by_both(pair: Pair) -> None:
    secret, _ = pair.key("short")
    assert pair.statuses(8, secret) == [200] * 8
    revoke_key(pair.store, "short")
    until(lambda: pair.statuses(16, secret) == [401] * 16, "every worker to refuse the key")
