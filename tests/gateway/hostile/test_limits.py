"""Rates, slots and budgets are exact, wrong keys cost nothing, a weak admin key does not start."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import pytest

from tenbin.errors import ConfigError
from tenbin.gateway.app import make_gateway
from tenbin.store.keys import create_key
from tenbin.store.period import day_of
from tenbin.testing import Answer
from tenbin.types import Usage
from tests.gateway.hostile.guarded import CHAT, COUNT, Guarded, refused, said
from tests.gateway.running import PATIENCE_S, Reply, Upstreams, eventually, written

CROWD = 64
BAD_KEYS = 2000


def key(site: Guarded, name: str, **limits: object) -> dict[str, str]:
    """The header of a new key, once it counts."""
    secret, _ = create_key(site.gateway.store, name, **limits)  # type: ignore[arg-type]
    shown = {"authorization": f"Bearer {secret}"}
    eventually(lambda: site.gateway.get("/v1/models", **shown).status == 200, "the new key counts")
    return shown


def crowd(send: Callable[[], Reply], n: int = CROWD) -> list[Reply]:
    """So many at the same moment."""
    gate = threading.Barrier(n)

    def one(_: int) -> Reply:
        gate.wait(PATIENCE_S)
        return send()

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(one, range(n)))


def test_the_rate_is_exact(site: Guarded) -> None:
    shown = key(site, "rated", requests_per_minute=20)
    began = time.monotonic()
    replies = crowd(lambda: site.gateway.post(CHAT, said(model="cheap"), **shown))
    more = int((time.monotonic() - began) / 3.0) + 1  # one comes in every three seconds; a busy machine needs more
    answered = Counter(reply.status for reply in replies)[200]
    assert 20 <= answered <= 20 + more
    assert len(site.ups.called()) == answered
    late = next(reply for reply in replies if reply.status == 429)
    assert refused(CHAT, late)["code"] == "rate_limited"
    assert 1 <= int(late.headers["retry-after"]) <= 60


def test_counting_tokens_is_a_request_like_others(site: Guarded) -> None:
    shown = key(site, "counts", requests_per_minute=2, max_concurrency=1)
    assert [site.gateway.post(COUNT, said(), **shown).status for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("is_stream", [False, True])
def test_the_slots_are_exact(site: Guarded, is_stream: bool) -> None:
    shown = key(site, f"slotted-{is_stream}", max_concurrency=3)
    site.ups["cheap"].script = Answer.hang()
    with ThreadPoolExecutor(3) as pool:
        held = [pool.submit(site.gateway.post, CHAT, said(model="cheap", stream=is_stream), **shown) for _ in range(3)]
        site.ups["cheap"].wait_for(3)
        for _ in range(20):
            reply = site.gateway.post(CHAT, said(model="cheap"), **shown)
            assert (reply.status, refused(CHAT, reply)["code"]) == (429, "too_many_at_once")
        assert len(site.ups.called()) == 3
        site.ups["cheap"].close()
        for one in held:
            assert one.result(PATIENCE_S).status >= 500
    site.ups["cheap"].start()
    site.reset()
    assert site.gateway.post(CHAT, said(model="cheap"), **shown).status == 200


def test_a_refused_request_gives_its_slot_back(site: Guarded) -> None:
    shown = key(site, "clumsy", max_concurrency=1)
    for body in (b"{", said(model="nobody"), said(messages=[]), b"x" * 3_000_000):
        assert site.gateway.post(CHAT, body, **shown).status in (400, 404, 413)
    assert site.gateway.post(CHAT, said(), **shown).status == 200


def test_a_crowd_overshoots_its_budget_by_one_request_at_most(site: Guarded) -> None:
    tokens, cost_usd = 1000, 1000 * 0.4e-6  # of `cheap`: 0.4 dollars a million answered tokens
    shown = key(site, "thrifty", day_usd=10 * cost_usd)
    site.ups["cheap"].script = Answer(usage=Usage(0, tokens), first_byte_s=0.05)
    day = day_of(time.time())
    replies = crowd(lambda: site.gateway.post(CHAT, said(model="cheap", max_tokens=tokens), **shown))
    days = 1 if time.time() < day.ends_at else 2  # at midnight the budget begins anew
    counted = Counter(reply.status for reply in replies)
    assert set(counted) == {200, 429}
    assert 5 <= counted[200] <= 11 * days
    assert len(site.ups.called()) == counted[200]
    poor = [reply for reply in replies if reply.status == 429]
    assert {refused(CHAT, reply)["code"] for reply in poor} == {"budget_exhausted"}
    waits = [int(reply.headers["retry-after"]) for reply in poor]
    assert min(waits) == 1  # calls under way hold the rest; a day's wait is told when it is spent
    assert max(waits) <= 86_400
    spent = sum(
        call.cost_usd or 0.0 for call in site.gateway.calls() if call.status == "ok" and call.usage == Usage(0, tokens)
    )
    assert spent <= 11 * days * cost_usd + 1e-9


def test_a_budget_is_charged_the_bill_and_the_reserve_where_nobody_knows_the_bill(site: Guarded) -> None:
    services = site.gateway.gateway.services
    shown = key(site, "charged", day_usd=1.0)
    record = services.ring.find(shown["authorization"].removeprefix("Bearer "))
    assert record is not None
    charged = 0.0
    for usage in (Usage(5, 100), Usage(1 << 40, 1)):  # so many cannot have been sent
        site.ups["cheap"].script = Answer(usage=usage)
        assert site.gateway.post(CHAT, said(model="cheap", max_tokens=1000), **shown).status == 200
        eventually(lambda: services.in_flight == 0, "the call to be settled")
        call = site.gateway.calls()[-1]
        charged += call.reserve_usd if call.cost_usd is None else call.cost_usd
        (day,) = services.budgets.standing(record)
        assert day.used_usd == pytest.approx(charged)
    assert charged == pytest.approx(5 * 0.1e-6 + 100 * 0.4e-6 + call.reserve_usd)
    assert call.reserve_usd > 1000 * 0.4e-6


def test_a_spent_budget_is_told_with_its_size_and_the_end_of_its_period(site: Guarded) -> None:
    shown = key(site, "poor", day_usd=1e-6, month_usd=5.0)
    replies = [site.gateway.post(CHAT, said(model="cheap"), **shown)]
    assert replies[0].status == 200

    def is_spent() -> bool:  # and no longer held: the bill is in the ledger
        replies.append(site.gateway.post(CHAT, said(model="cheap"), **shown))
        return b"is spent" in replies[-1].body

    eventually(is_spent, "the bill of the first call")
    assert refused(CHAT, replies[-1])["message"].startswith("the budget of this key, $1e-06 a day, is spent; ")
    now = time.time()
    assert abs(int(replies[-1].headers["retry-after"]) - (day_of(now).ends_at - now)) < PATIENCE_S


def test_a_key_with_a_budget_reaches_no_candidate_without_a_price(site: Guarded) -> None:
    shown = [key(site, "careful", day_usd=1.0), key(site, "patient", month_usd=1.0), site.bearer()]
    replies = [site.gateway.post(CHAT, said(model="unpriced"), **one) for one in shown]
    told = [(reply.status, refused(CHAT, reply)["code"]) for reply in replies]
    assert told == [(403, "unpriced_model")] * 2 + [(502, "upstream_connect")]
    call = site.gateway.calls()[-1]
    assert (call.candidate, call.reserve_usd, call.billed_usd) == ("unpriced", 0.0, 0.0)


def test_a_thousand_wrong_keys_cost_a_good_one_nothing(site: Guarded) -> None:
    services = site.gateway.gateway.services
    assert site.gateway.do(services.ledger.flush())
    body = json.dumps(said(model="cheap"))

    def timed() -> float:
        connection = http.client.HTTPConnection("127.0.0.1", site.gateway.port, timeout=PATIENCE_S)
        took = []
        for _ in range(20):
            began = time.perf_counter()
            connection.request("POST", CHAT, body, site.bearer())
            answer = connection.getresponse()
            answer.read()
            took.append(time.perf_counter() - began)
            assert answer.status == 200
        connection.close()
        return median(took)

    def knock(n: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", site.gateway.port, timeout=PATIENCE_S)
        for i in range(n):
            connection.request("POST", CHAT, body, {"authorization": f"Bearer tb-{i:040x}"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 401
        connection.close()

    calm = timed()
    calls_before = len(site.gateway.calls())
    rows_before, files_before = services.ledger._journal.rows_written, _files(site.gateway.store)
    began = time.perf_counter()
    knock(BAD_KEYS)
    rate = BAD_KEYS / (time.perf_counter() - began)
    assert len(site.gateway.calls()) == calls_before  # all that waits is written by then: no row, in no new file
    assert services.ledger._journal.rows_written == rows_before
    assert _files(site.gateway.store) == files_before
    assert len(services.callers._rates) + len(services.callers._slots) < 20  # nothing is remembered of them
    knocking = threading.Thread(target=knock, args=(BAD_KEYS,))
    knocking.start()
    busy = timed()
    knocking.join(PATIENCE_S)
    assert rate > 200
    assert busy < 10 * calm + 0.05


def _files(folder: Path) -> list[Path]:
    """The files of the store; their sizes change by themselves, as leases of budgets are renewed.

    Left out are marks, which tell every two seconds of what was asked before, and the journal's segments, of which one
    takes the place of another after a minute: the rows in them are counted.
    """
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in {".json", ".log"})


@pytest.mark.parametrize(
    "weak", ["", "letmein", "x" * 64, "12345678901234567890123456789012", "abcabcabcabcabcabcabcabcabc"]
)
def test_a_weak_admin_key_does_not_start(tmp_path: Path, weak: str) -> None:
    with Upstreams("cheap") as ups:
        config = written(tmp_path, ups, gateway='keys = "open"\nadmin_key_env = "ADMIN_KEY"')
        with pytest.raises(ConfigError) as refusal:
            make_gateway(config, {"ADMIN_KEY": weak})
    assert not weak or weak not in str(refusal.value)
