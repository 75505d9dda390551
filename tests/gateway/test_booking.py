"""What a call is booked at whose end nobody saw, and what is set aside for it: never less than what was had."""

from __future__ import annotations

import base64
import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenbin.gateway import relay
from tenbin.gateway.incoming import BYTES_PER_TOKEN
from tenbin.gateway.wire import Wire
from tenbin.store.call import Call
from tenbin.testing import Answer
from tenbin.types import Price
from tests.gateway.chaos.client import hear, leave, send
from tests.gateway.running import HARD, PATIENCE_S, Running, Upstreams, eventually, usual

WORDS = 2_000
SAID = "four " * WORDS
USD_PER_WORD = {"good": 40e-6, "claude": 80e-6}


def event(name: str, **fields: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), json.dumps({"type": name, **fields}).encode())


def chunk(content: str) -> bytes:
    return b"data: %s\n\n" % json.dumps({"choices": [{"index": 0, "delta": {"content": content}}]}).encode()


BEGUN = {
    "good": b"".join(chunk("four ") for _ in range(WORDS)),
    "claude": event("message_start", message={"id": "msg_1", "usage": {"input_tokens": 20, "output_tokens": 1}})
    + b"".join(
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "four "}) for _ in range(WORDS)
    ),
}
"""Streams of as many words, just before their usage."""
NO_JSON = b"data: {\n\n"
OVERLOADED = {
    "good": b'data: {"error": {"message": "no more", "code": 503}}\n\n',
    "claude": event("error", error={"type": "overloaded_error", "message": "no more"}),
}


@pytest.fixture(scope="module")
def module_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("booking")
    with Upstreams("cheap", "good", claude="anthropic") as ups:
        book = folder / "prices.toml"
        priced = usual(tuple(ups.dialects)).prices.with_price("vectors", Price(10.0, 40.0))
        book.write_text(priced.dumps(), encoding="utf-8")
        more = f'[candidates.vectors]\nbase_url = "{ups["good"].base_url}"\nembeddings = true\n'
        with Running(folder, ups, gateway=f'keys = "open"\nprices = "{book}"', more=more) as running:
            yield running


@pytest.fixture
def gateway(module_gateway: Running) -> Running:
    for fake in module_gateway.upstreams.fakes.values():
        fake.script = None
    return module_gateway


def asked(gateway: Running, name: str, **fields: Any) -> socket.socket:
    path = "/v1/messages" if name == "claude" else "/v1/chat/completions"
    members = {"model": "tenbin/auto", "tenbin": {"allow": [name]}, "max_tokens": 50_000}
    body = {**members, "messages": [{"role": "user", "content": HARD}], **fields}
    return send(gateway.port, json.dumps(body).encode(), path=path)


def last(gateway: Running) -> Call:
    """The last call, once it is settled."""
    eventually(lambda: gateway.gateway.services.in_flight == 0, "the request to end")
    call: Call = gateway.calls()[-1]
    return call


@pytest.mark.parametrize("name", ["good", "claude"])
def test_who_leaves_just_before_the_usage_pays_for_what_was_said(gateway: Running, name: str) -> None:
    body = BEGUN[name]
    stream = {"content-type": "text/event-stream"}
    gateway.upstreams[name].script = Answer(chunks=(body,), headers=stream, cut_at=len(body), ending="hang")
    client = asked(gateway, name, stream=True)
    heard = b""
    while heard.count(b"four") < WORDS:
        heard += client.recv(65536)
    leave(client)
    call = last(gateway)
    assert call.status == "cancelled"
    assert call.billed_usd >= WORDS * USD_PER_WORD[name]
    assert call.billed_usd <= 2 * WORDS * USD_PER_WORD[name]


def test_nothing_is_booked_beyond_the_cap_of_an_answer(gateway: Running) -> None:
    gateway.upstreams["good"].script = Answer(chunks=(BEGUN["good"],), headers={"content-type": "text/event-stream"})
    with asked(gateway, "good", stream=True, max_tokens=1_000) as client:
        assert b"error" in hear(client, b"0\r\n\r\n")
    assert last(gateway).billed_usd == pytest.approx(1_000 * USD_PER_WORD["good"], rel=0.05)


def metered(gateway: Running, name: str) -> float:
    """The sum of a metric over all its labels."""
    text = gateway.request("GET", "/metrics", admin=True).body.decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name + "{"))


def test_metrics_count_the_dollars_and_tokens_that_the_ledger_books_for_answers_that_broke(gateway: Running) -> None:
    dollars, tokens, unknown = "tenbin_cost_dollars_total", "tenbin_tokens_total", "tenbin_unpriced_answers_total"
    before = {name: metered(gateway, name) for name in (dollars, tokens, unknown)}
    known = len(gateway.calls())
    stream = {"content-type": "text/event-stream"}
    for script in (Answer(chunks=(BEGUN["claude"],), headers=stream), Answer.error(500), Answer.reset(), None):
        gateway.upstreams["claude"].script = script
        with asked(gateway, "claude", stream=True) as client:
            hear(client, b"0\r\n\r\n" if script is None or script.chunks else b"}")
        last(gateway)
    calls = gateway.calls()[known:]
    assert [(call.status, call.failure) for call in calls] == [
        ("failed", "cut"),
        ("failed", "server_error"),
        ("failed", "reset"),
        ("ok", None),
    ]
    booked = sum(call.usage.input_tokens + call.usage.output_tokens for call in calls if call.usage is not None)
    assert metered(gateway, dollars) - before[dollars] == pytest.approx(sum(call.billed_usd for call in calls))
    assert metered(gateway, tokens) - before[tokens] == booked
    assert metered(gateway, unknown) == before[unknown]


@pytest.mark.parametrize("name", ["good", "claude"])
@pytest.mark.parametrize("ending", ["cut", "no JSON", "overloaded"])
def test_a_stream_that_breaks_half_way_is_booked_at_what_was_said(gateway: Running, name: str, ending: str) -> None:
    end = {"cut": b"", "no JSON": NO_JSON, "overloaded": OVERLOADED[name]}[ending]
    stream = {"content-type": "text/event-stream"}
    gateway.upstreams[name].script = Answer(chunks=(BEGUN[name], end), headers=stream, chunk_gap_s=0.05)
    with asked(gateway, name, stream=True) as client:
        assert b"error" in hear(client, b"0\r\n\r\n")
    call = last(gateway)
    assert call.status == "failed"
    assert call.billed_usd >= WORDS * USD_PER_WORD[name]
    assert (call.usage and call.usage.input_tokens) == {"good": None, "claude": 20}[name]


def test_a_stream_that_breaks_is_booked_at_what_it_told_where_that_is_more_than_it_said(gateway: Running) -> None:
    body = BEGUN["claude"].replace(b'"output_tokens": 1}', b'"output_tokens": 30000}')
    gateway.upstreams["claude"].script = Answer(chunks=(body,), headers={"content-type": "text/event-stream"})
    with asked(gateway, "claude", stream=True) as client:
        assert b"error" in hear(client, b"0\r\n\r\n")
    assert last(gateway).billed_usd == pytest.approx((20 * 20 + 30_000 * 80) / 1e6)


@pytest.mark.parametrize(
    ("answer", "failure", "is_billed"),
    [
        (Answer.error(504), "timeout", True),
        (Answer.reset(), "reset", True),
        (Answer(cut_at=20), "cut", True),
        (Answer.error(500), "server_error", False),
        (Answer.error(400), "refused", False),
    ],
)
def test_a_failure_that_may_have_been_answered_is_booked_at_what_was_expected(
    gateway: Running, answer: Answer, failure: str, is_billed: bool
) -> None:
    only = {"allow": ["good"]}
    expected = float(gateway.chat(tenbin=only).headers["x-tenbin-expected-cost-usd"])
    gateway.upstreams["good"].script = answer
    assert gateway.chat(tenbin=only).status >= 400
    call = last(gateway)
    assert (call.status, call.failure) == ("failed", failure)
    assert call.billed_usd == pytest.approx(expected if is_billed else 0.0, rel=1e-3)
    assert gateway.chat(model="good").status >= 400  # of which nothing is expected
    call = last(gateway)
    assert call.reserve_usd > expected
    assert call.billed_usd == (call.reserve_usd if is_billed else 0.0)


def test_every_one_of_several_answers_is_set_aside_for(gateway: Running) -> None:
    only = {"allow": ["good"]}
    for fields in ({"model": "good"}, {"tenbin": only}):
        assert gateway.chat(**fields, n=50, max_tokens=1_000).status == 200
        assert gateway.calls()[-1].reserve_usd == pytest.approx(50 * 1_000 * USD_PER_WORD["good"], rel=0.01)
    one, many = (gateway.chat(n=n, tenbin=only).headers["x-tenbin-expected-cost-usd"] for n in (1, 10))
    assert float(many) == pytest.approx(10 * float(one), rel=0.1)


def test_an_answer_without_a_cap_is_set_aside_for_at_a_length_that_few_exceed(gateway: Running) -> None:
    """At 4,096 tokens where nothing is expected of it; else at four times what is, or at least at a thousand."""
    for n in (1, 2):
        assert gateway.chat(model="good", n=n).status == 200
        assert gateway.calls()[-1].reserve_usd == pytest.approx(n * 4_096 * USD_PER_WORD["good"], rel=0.01)
        assert gateway.chat(tenbin={"allow": ["good"]}, n=n).status == 200
        assert gateway.calls()[-1].reserve_usd == pytest.approx(n * 1_000 * USD_PER_WORD["good"], rel=0.02)


def test_of_a_routed_request_as_much_input_is_set_aside_for_as_training_had_and_a_quarter(gateway: Running) -> None:
    assert gateway.chat(f"{HARD} 7", tenbin={"allow": ["good"]}, max_tokens=1).status == 200
    assert gateway.calls()[-1].reserve_usd == pytest.approx((1.25 * 20 * 10 + 40) / 1e6, rel=0.02)


def test_nothing_is_set_aside_for_an_answer_to_embeddings(gateway: Running) -> None:
    text = "word " * 400
    assert gateway.post("/v1/embeddings", {"model": "vectors", "input": text}).status == 200
    call = last(gateway)
    assert (call.endpoint, call.status) == ("embeddings", "ok")
    assert call.reserve_usd == pytest.approx(1.25 * len(text) / BYTES_PER_TOKEN * 10e-6, rel=0.1)


def test_a_priority_call_is_set_aside_for_and_booked_at_its_price(gateway: Running) -> None:
    told = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}]}
    told |= {"usage": {"prompt_tokens": 1_000, "completion_tokens": 100}, "service_tier": "priority"}
    gateway.upstreams["good"].script = Answer(body=json.dumps(told).encode())
    for fields, times in (({"service_tier": "priority"}, 2.0), ({"service_tier": "fast"}, 2.0), ({}, 1.0)):
        assert gateway.chat(model="good", max_tokens=1_000, **fields).status == 200
        call = last(gateway)
        assert call.reserve_usd == pytest.approx(times * 1_000 * USD_PER_WORD["good"], rel=0.03)
        assert call.cost_usd == pytest.approx(2.0 * (1_000 * 10 + 100 * 40) / 1e6), "as it was served, not as asked"
    for fields, times in (({"speed": "fast"}, 2.0), ({"speed": "standard"}, 1.0)):
        with asked(gateway, "claude", model="claude", max_tokens=1_000, **fields) as client:
            assert hear(client, b"}").startswith(b"HTTP/1.1 200")
        assert last(gateway).reserve_usd == pytest.approx(times * 1_000 * USD_PER_WORD["claude"], rel=0.03)


def test_what_is_sent_beside_the_messages_is_expected_to_cost(gateway: Running) -> None:
    tool = {"type": "function", "function": {"name": "f", "description": "x" * 40_000, "parameters": {}}}
    plain, heavy = (gateway.chat(tenbin={"allow": ["good"]}, **more) for more in ({}, {"tools": [tool]}))
    more = float(heavy.headers["x-tenbin-expected-cost-usd"]) - float(plain.headers["x-tenbin-expected-cost-usd"])
    assert more == pytest.approx(40_000 / BYTES_PER_TOKEN * 10e-6, rel=0.05)


def test_of_a_call_stands_who_asked_and_how_long_it_took_but_no_text_where_the_profile_does_not_say_so(
    gateway: Running,
) -> None:
    assert gateway.chat(user="somebody").status == 200
    gateway.calls()
    *_, call = gateway.gateway.services.reader.requests(with_text=True)
    assert (call.status, call.http_status, call.prompt, call.answer) == ("ok", 200, None, None)
    assert "did not store prompts" in call.text_missing
    assert call.user == "somebody"
    assert 0.0 < call.latency_s < PATIENCE_S


def test_a_ceiling_holds_for_all_answers_together(gateway: Running) -> None:
    one = float(gateway.chat(tenbin={"allow": ["good"]}).headers["x-tenbin-expected-cost-usd"])
    ceiling = {"max_cost_usd": 1.5 * one, "allow": ["good"]}
    assert gateway.chat(n=1, tenbin=ceiling).status == 200
    assert gateway.chat(n=2, tenbin=ceiling).status == 400


@pytest.mark.parametrize("n", [50.0, "50", " 5e1 ", 10**320])
def test_a_number_of_answers_counts_as_lenient_servers_read_it(gateway: Running, n: Any) -> None:
    gateway.upstreams["good"].clear()
    assert gateway.chat(model="good", n=n, max_tokens=1_000).status == 200
    assert gateway.calls()[-1].reserve_usd > 50 * 1_000 * 40e-6
    (request,) = gateway.upstreams["good"].wait_for(1)
    assert json.loads(request.body)["n"] == n


@pytest.mark.parametrize("n", [None, 0, -1, True, "many", "nan", [2], -(10**320)])
def test_what_is_no_number_of_answers_is_the_upstreams_to_refuse(gateway: Running, n: Any) -> None:
    gateway.upstreams["good"].clear()
    assert gateway.chat(model="good", n=n, max_tokens=1_000).status == 200
    assert gateway.calls()[-1].reserve_usd < 0.1
    (request,) = gateway.upstreams["good"].wait_for(1)
    assert json.loads(request.body)["n"] == n


PICTURE = "iVBORw0KGgo" * 200_000
PICTURES = {
    "good": {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}},
    "claude": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}},
}


@pytest.mark.parametrize("name", ["good", "claude"])
def test_a_picture_is_not_set_aside_for_by_its_bytes(gateway: Running, name: str) -> None:
    content = [{"type": "text", "text": HARD}, PICTURES[name]]
    with asked(gateway, name, model=name, max_tokens=10, messages=[{"role": "user", "content": content}]) as client:
        assert hear(client, b"}").startswith(b"HTTP/1.1 200")
    assert 0.01 < last(gateway).reserve_usd < 0.2


def test_what_is_attached_stands_in_the_dollars_that_are_expected_and_in_the_reserve(gateway: Running) -> None:
    """Documents and pictures counted nothing in a routed request: no budget and no context window knew of them."""
    pdf = base64.b64encode(b"%PDF-1.4 2 0 obj <</Type /Pages /Count 50>> endobj " + bytes(3_000)).decode()
    parts = [
        ({"type": "file", "file": {"file_data": f"data:application/pdf;base64,{pdf}"}}, 50 * 3_000),
        ({"type": "image_url", "image_url": {"url": "https://x/y.png"}}, 4_096),
    ]
    for named in ({"model": "good"}, {"tenbin": {"allow": ["good"]}}):
        for part, tokens in parts:
            answer = gateway.chat(messages=[{"role": "user", "content": [part]}], max_tokens=1, **named)
            assert answer.status == 200
            assert last(gateway).reserve_usd == pytest.approx(1.25 * tokens * 10e-6, rel=0.1)
            if "tenbin" in named:
                assert float(answer.headers["x-tenbin-expected-cost-usd"]) == pytest.approx(tokens * 10e-6, rel=0.1)


def test_a_candidate_that_takes_no_connection_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "CONNECT_S", 0.2)
    with Upstreams("cheap", "good") as ups, socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        others = [socket.socket() for _ in range(4)]  # they fill the backlog, so that the next one hangs
        for other in others:
            other.setblocking(False)
            other.connect_ex(full.getsockname())
        ups["good"].close()
        ups["good"].port = full.getsockname()[1]
        with Running(tmp_path, ups) as gateway:
            assert gateway.chat().headers["x-tenbin-model"] == "cheap"
            assert gateway.chat(model="good").error["code"] == "upstream_connect"
            calls = [call for call in gateway.calls() if call.candidate == "good"]
        for other in others:
            other.close()
    assert [(call.status, call.failure, call.billed_usd) for call in calls] == [("failed", "connect", 0.0)] * 2


def test_a_bug_of_ours_makes_no_call_free(gateway: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Wire, "read")
    answer = gateway.chat()
    assert answer.error["code"] == "internal_error"
    call = last(gateway)
    assert (call.status, call.failure) == ("failed", "internal")
    assert call.billed_usd > 0.0


@pytest.mark.parametrize("counts", [{"prompt_tokens": 1 << 40}, {"completion_tokens": 10**15}])
def test_a_count_that_cannot_be_is_not_booked(
    gateway: Running, counts: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)  # whatever a gateway that ran before in this process has set
    usage = {"prompt_tokens": 20, "completion_tokens": 5, **counts}
    answer = {"id": "c", "choices": [{"index": 0, "message": {"role": "assistant", "content": "4"}}], "usage": usage}
    gateway.upstreams["good"].script = Answer(body=json.dumps(answer).encode())
    assert gateway.chat(model="good", max_tokens=1_000).status == 200
    call = last(gateway)
    assert (call.status, call.usage) == ("ok", None)
    assert call.billed_usd == call.reserve_usd
    assert 0.0 < call.billed_usd < 0.1
    assert "more than there can be" in caplog.text


@pytest.mark.parametrize("is_left", [False, True])
def test_nor_is_one_of_a_stream_that_ends_too_early(gateway: Running, is_left: bool) -> None:
    usage = {"input_tokens": 1 << 40, "output_tokens": 1}
    body = BEGUN["claude"].replace(b'{"input_tokens": 20, "output_tokens": 1}', json.dumps(usage).encode())
    assert body != BEGUN["claude"]
    ending = "hang" if is_left else "close"
    stream = {"content-type": "text/event-stream"}
    gateway.upstreams["claude"].script = Answer(chunks=(body,), headers=stream, cut_at=len(body), ending=ending)
    with asked(gateway, "claude", stream=True) as client:
        hear(client, b"four")
        if is_left:
            leave(client)
        else:
            hear(client, b"0\r\n\r\n")
    call = last(gateway)
    assert (call.status, call.usage) == ("cancelled" if is_left else "failed", None)
    assert 0.0 < call.billed_usd < 0.5
