"""A profile's budget is kept by all workers together and through a restart; answers say that the dial was turned."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from tenbin.gateway.asked import Asked
from tenbin.gateway.pacers import KIND, Pace, Pacers, _Kept, tally_of
from tenbin.gateway.planner import Asking, _paced
from tenbin.gateway.tighten import Tightened
from tenbin.risk import mu_grid
from tenbin.router.crossfit import DialCurve
from tenbin.router.pacer import Budget, PaceCurve, Tally
from tenbin.store.marks import Marks
from tenbin.store.place import Place
from tenbin.testing import Answer
from tenbin.types import TradeOff, Usage
from tests.gateway.running import EASY, HARD, Running, Upstreams, eventually

CURVE = PaceCurve.of(DialCurve(mu_grid(101), np.linspace(0.9, 0.5, 101), np.linspace(0.02, 0.001, 101), 0.9, 0.02))
BUDGET = Budget(request_usd=0.006)
SILENT_ON_USAGE = json.dumps(
    {"id": "a", "choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}]}
).encode()


def made(folder: Path, worker: int = 0, budget: Budget = BUDGET) -> Pacers:
    pacers = Pacers(Marks(folder, KIND), Place(folder, worker))
    pacers._kept = {"auto": _Kept(budget, CURVE, Tally())}
    pacers.adopt(pacers.share())
    return pacers


def mu(pacers: Pacers) -> float:
    pace = pacers.of("auto")
    assert pace is not None
    return pace.mu


def overspend(pacers: Pacers) -> None:
    for i in range(20):
        pacers.began("auto", i, 0.02)
        pacers.paid("auto", i, cost_usd=0.02, mu=0.5, is_request=True)


def test_a_budget_per_request_is_kept_on_what_the_answers_really_cost(tmp_path: Path) -> None:
    usual = Answer(text="yes", usage=Usage(20, 300))
    # An eighth of an answer of the dear candidate, which costs a hundred times the other's: the dial is a cliff.
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups, profile="max_cost_usd = 0.001525") as gateway:
        for fake in ups.fakes.values():
            fake.script = usual
        answers = [gateway.chat(f"{HARD if i % 5 else EASY} {i}") for i in range(300)]
        assert {answer.status for answer in answers} == {200}
        costs = [call.cost_usd for call in gateway.calls()]
        assert len(costs) == 300
        assert sum(costs) / 300 == pytest.approx(0.001525, rel=0.02)
        assert "keeps $0.001525 a request" in answers[-1].headers["x-tenbin-reason"]


def test_an_answer_without_usage_counts_as_what_was_set_aside_for_it(tmp_path: Path) -> None:
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups, profile="day_budget_usd = 1.0") as gateway:
        for fake in ups.fakes.values():
            fake.script = Answer(body=SILENT_ON_USAGE)
        assert gateway.chat(EASY).status == 200
        (call,) = gateway.calls()
        assert call.cost_usd is None
        kept = gateway.gateway.services.pacers._kept["auto"]
        assert kept.own.day_usd == pytest.approx(call.billed_usd)
        assert kept.own.day_usd > 0.0


def test_calls_under_way_count_as_what_is_expected_of_them_until_they_are_billed(tmp_path: Path) -> None:
    waiting, billed = made(tmp_path), made(tmp_path / "other")
    before = mu(waiting)
    for call in range(5):
        waiting.began("auto", call, 0.02)
        billed.paid("auto", call, cost_usd=0.02, mu=None, is_request=True)
    assert before < mu(waiting) == pytest.approx(mu(billed), rel=1e-3)
    for call in range(5):
        waiting.paid("auto", call, cost_usd=0.0, mu=None, is_request=False)
    assert mu(waiting) == before
    waiting.began("auto", "nobody knows", None)
    assert mu(waiting) == before


def test_a_call_is_under_way_from_its_start_to_its_end_however_it_ends(tmp_path: Path) -> None:
    with Upstreams("cheap", "good") as ups, Running(tmp_path, ups, profile="max_cost_usd = 0.002") as gateway:
        under_way = gateway.gateway.services.pacers._kept["auto"].under_way
        seen: list[list[float]] = []

        def refused(_request: object) -> Answer:
            seen.append(list(under_way.values()))
            return Answer(status=500)

        def answered(_request: object) -> Answer:
            seen.append(list(under_way.values()))
            return Answer(text="yes", usage=Usage(20, 300))

        ups["good"].script, ups["cheap"].script = refused, answered
        assert gateway.chat(HARD).status == 200
        assert [len(calls) for calls in seen] == [1, 1]
        assert seen[0][0] > 10 * seen[1][0] > 0.0
        eventually(lambda: not under_way, "the call to end, which its client may learn a moment before")


def test_workers_know_of_each_others_spend(tmp_path: Path) -> None:
    first, second = made(tmp_path, 0), made(tmp_path, 1)
    for worker in (first, second):
        worker._place.take()
    before = mu(second)
    overspend(first)
    first.share()
    second.adopt(second.share())
    second._kept["auto"].pace = None
    assert mu(second) > before
    assert mu(first) == mu(second)
    first._place.leave()
    second._place.leave()


def test_what_a_worker_owed_or_saved_goes_with_it_but_not_what_it_spent_today(tmp_path: Path) -> None:
    first, second = made(tmp_path, 0), made(tmp_path, 1)
    first._place.take()
    overspend(first)
    first.share()
    gone = first._kept["auto"].own
    assert second.share()["auto"][1].debt_usd == gone.debt_usd > 0.0
    first._place.leave()
    left = second.share()["auto"][1]
    assert (left.debt_usd, left.billed_usd, left.seen) == (0.0, 0.0, 0.0)
    assert (left.day_usd, left.hours) == (gone.day_usd, gone.hours)


def test_gateways_on_one_store_know_of_each_others_spend(tmp_path: Path) -> None:
    with (
        Upstreams("cheap", "good") as ups,
        Running(tmp_path, ups, profile="max_cost_usd = 0.002") as one,
        Running(tmp_path, ups, profile="max_cost_usd = 0.002") as other,
    ):
        for fake in ups.fakes.values():
            fake.script = Answer(text="yes", usage=Usage(20, 300))
        for gateway in (one, other):
            assert gateway.chat(HARD).status == 200
            assert gateway.calls()[-1].status == "ok"
        first, second = one.calls()[0].cost_usd, other.calls()[-1].cost_usd
        pacers = [gateway.gateway.services.pacers for gateway in (one, other)]
        for pacer in pacers:
            pacer.share()
        spent = [pacer.share()["auto"] for pacer in pacers]
        assert first > 0.0
        assert [(own.day_usd, others.day_usd) for own, others in spent] == [(first, second), (second, first)]


def test_a_restart_goes_on_with_what_was_spent(tmp_path: Path) -> None:
    first = made(tmp_path)
    overspend(first)
    first.share()
    assert mu(made(tmp_path)) == mu(first) > mu(made(tmp_path / "other"))


def test_a_budget_that_comes_back_goes_on_with_what_was_spent_before_and_since(tmp_path: Path) -> None:
    pacers = made(tmp_path, budget=Budget(day_usd=1.0))
    overspend(pacers)
    pacers.share()
    pacers.watch({})
    pacers._kept = {"auto": _Kept(Budget(day_usd=1.0), CURVE, Tally())}
    overspend(pacers)
    for _ in range(2):
        pacers.adopt(pacers.share())
    assert pacers._kept["auto"].own.day_usd == pytest.approx(0.8)
    assert made(tmp_path)._kept["auto"].own.day_usd == pytest.approx(0.8)


def test_a_debt_is_owed_to_the_budget_that_made_it(tmp_path: Path) -> None:
    first = made(tmp_path)
    overspend(first)
    first.share()
    raised = made(tmp_path, budget=Budget(request_usd=0.01))._kept["auto"].own
    assert raised.debt_usd == 0.0
    assert raised.billed_usd > 0.0


@pytest.mark.parametrize("text", ["", "[1]", '{"day": "x"}', json.dumps({**asdict(Tally()), "hours": [1.0]})])
def test_a_damaged_mark_counts_as_nothing_spent(tmp_path: Path, text: str) -> None:
    (tmp_path / KIND).mkdir()
    (tmp_path / KIND / "auto@0.json").write_text(text)
    assert replace(made(tmp_path)._kept["auto"].own, day=0) == Tally()


def test_a_mark_says_all_that_is_known(tmp_path: Path) -> None:
    first = made(tmp_path)
    overspend(first)
    first.share()
    mark = Marks(tmp_path, KIND).all()["auto@0"]
    assert tally_of(mark, BUDGET) == first._kept["auto"].own


def test_a_profile_without_a_budget_has_no_pace(tmp_path: Path) -> None:
    pacers = made(tmp_path)
    pacers.began("other", "call", 1.0)
    pacers.paid("other", "call", cost_usd=1.0, mu=None, is_request=True)
    assert pacers.of("other") is None
    assert list(pacers.states()) == ["auto"]


def test_the_dial_decides_where_it_is_cheaper_than_the_budget_needs() -> None:
    day = Pace(0.4, True, Budget(day_usd=5.0))
    assert (day.mu_of(0.6, is_asked=False), day.mu_of(0.1, is_asked=False)) == (0.6, 0.4)
    request = Pace(0.4, False, BUDGET)
    assert (request.mu_of(0.6, is_asked=False), request.mu_of(0.6, is_asked=True)) == (0.4, 0.6)


def test_a_request_that_turned_the_dial_itself_is_paced_no_further_back() -> None:
    told = Tightened(TradeOff(0.6), frozenset())

    def paced(asked: Asked) -> Tightened:
        pace = Pace(0.4, False, BUDGET)
        return _paced(Asking(None, None, None, asked, None, 0.0, pace), told)  # type: ignore[arg-type]

    assert paced(Asked(mu=0.6)) is paced(Asked(min_quality=0.9)) is told
    found = paced(Asked(max_cost_usd=1.0))
    assert (found.trade_off.mu, found.pace) == (0.4, "mu 0.4 keeps $0.006 a request")
