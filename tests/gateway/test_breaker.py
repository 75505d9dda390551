"""The circuit breaker: when it opens, for how long, that one probe goes through, that no clock can jam it."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tenbin.gateway.breaker import Abandoned, Breaker, Failed, Rules, Spoke, Started, Succeeded, Told, step
from tenbin.gateway.breakers import Breakers
from tenbin.gateway.pauses import PAUSES, Pauses
from tenbin.store.marks import Marks
from tenbin.store.place import Place

RULES = Rules()


def fail(breaker: Breaker, times: int, now: float, retry_after_s: float | None = None) -> Breaker:
    for _ in range(times):
        breaker = step(breaker, Failed(breaker.epoch, retry_after_s), now, RULES)
    return breaker


def opened(now: float = 0.0) -> Breaker:
    return fail(Breaker("m"), RULES.failures_in_a_row, now)


def test_it_opens_after_failures_in_a_row_and_not_before() -> None:
    breaker = fail(Breaker("m"), RULES.failures_in_a_row - 1, 0.0)
    assert breaker.status == "closed"
    assert fail(breaker, 1, 0.0).status == "open"
    breaker = fail(step(breaker, Succeeded(breaker.epoch), 0.0, RULES), RULES.failures_in_a_row - 1, 0.0)
    assert breaker.status == "closed"


def test_it_opens_at_a_share_of_failures_within_the_window_only() -> None:
    def alternate(gap_s: float) -> Breaker:
        breaker, now = Breaker("m"), 0.0
        for _ in range(RULES.least_calls // 2):
            for event in (Succeeded(breaker.epoch), Failed(breaker.epoch)):
                breaker, now = step(breaker, event, now, RULES), now + gap_s
        return breaker

    assert alternate(0.1).status == "open"
    assert alternate(RULES.window_s).status == "closed"
    breaker = Breaker("m")
    for _ in range(2 * RULES.least_calls):
        breaker = step(breaker, Succeeded(0), 0.0, RULES)
    assert fail(breaker, 1, 0.0).status == "closed"


def test_calls_are_counted_in_halves_of_the_window() -> None:
    breaker, seen = Breaker("m"), []
    for now, is_good in ((0.0, False), (29.9, True), (30.0, False), (60.0, True), (89.9, True), (150.0, False)):
        breaker = step(breaker, (Succeeded if is_good else Failed)(0), now, RULES)
        seen.append((breaker.half_since, breaker.calls, breaker.failures))
    assert seen[:3] == [(0.0, (1, 0), (1, 0)), (0.0, (2, 0), (1, 0)), (30.0, (1, 2), (1, 1))]
    assert seen[3:] == [(60.0, (1, 1), (0, 1)), (60.0, (2, 1), (0, 1)), (150.0, (1, 0), (1, 0))]
    back = step(breaker, Succeeded(0), 149.0, RULES)
    assert (back.half_since, back.calls, back.failures) == (149.0, (1, 0), (0, 0))


def test_pauses_double_up_to_the_longest_with_jitter_that_can_be_foretold() -> None:
    breaker, now, pauses = opened(), 0.0, []
    for _ in range(12):
        pauses.append(breaker.pause_s)
        now += breaker.pause_s
        assert breaker.admits(now, RULES)
        breaker = step(breaker, Started(), now, RULES)
        breaker = step(breaker, Failed(breaker.epoch), now, RULES)
    for k, pause in enumerate(pauses):
        bare = min(RULES.first_pause_s * 2**k, RULES.longest_pause_s)
        assert bare <= pause <= bare * (1 + RULES.jitter)
    often = step(Breaker("m", "half_open", 1, openings=5000, first_probe=1), Failed(1), 0.0, RULES)
    assert RULES.longest_pause_s <= often.pause_s <= RULES.longest_pause_s * (1 + RULES.jitter)
    assert opened() == opened()
    others = {fail(Breaker(f"m{i}"), RULES.failures_in_a_row, 0.0).pause_s for i in range(20)}
    assert len(others) == 20
    assert max(others) - min(others) > 0.5 * RULES.jitter * RULES.first_pause_s


def test_retry_after_is_kept_at_once_and_capped() -> None:
    breaker = step(Breaker("m"), Failed(0, 7.0), 100.0, RULES)
    assert (breaker.status, breaker.wait_s(100.0, RULES)) == ("open", 7.0)
    assert not breaker.admits(106.9, RULES)
    assert breaker.admits(107.0, RULES)
    assert step(Breaker("m"), Failed(0, 1e9), 0.0, RULES).pause_s == RULES.longest_retry_after_s
    assert step(Breaker("m"), Failed(0, 0.0), 0.0, RULES).status == "closed"
    assert step(Breaker("m"), Failed(0, math.nan), 0.0, RULES).status == "closed"
    assert fail(Breaker("m"), 4, 0.0).in_a_row == 4
    assert fail(fail(Breaker("m"), 4, 0.0), 1, 0.0, 0.01).pause_s >= RULES.first_pause_s
    assert fail(fail(Breaker("m"), 4, 0.0), 1, 0.0, 50.0).pause_s == 50.0


def test_what_a_provider_asked_of_another_worker_is_kept_until_then_and_shortens_nothing() -> None:
    told = step(Breaker("m"), Told(8.0), 10.0, RULES)
    assert (told.admits(17.9, RULES), told.admits(18.0, RULES)) == (False, True)
    assert step(Breaker("m"), Told(1e9), 10.0, RULES).pause_s == RULES.longest_retry_after_s
    assert step(Breaker("m"), Told(0.0), 10.0, RULES) == Breaker("m")
    for breaker in (opened(), step(opened(), Started(), 10.0, RULES)):
        assert step(breaker, Told(0.5), 10.0, RULES) is breaker


def test_workers_tell_each_other_what_providers_asked_for_and_nothing_else(tmp_path: Path) -> None:
    def made() -> tuple[Breakers, Pauses]:
        place = Place(tmp_path, 0)
        place.take()
        return Breakers(), Pauses(Marks(tmp_path, PAUSES), place)

    (here, mine), (there, others) = made(), made()
    here.failed("asks/60", 0, 60.0)
    here.failed("asks/300", 0, 1e9)
    for _ in range(RULES.failures_in_a_row):
        here.failed("fails", 0, None)
    assert not any(here.admits(name) for name in ("asks/60", "asks/300", "fails"))
    Marks(tmp_path, PAUSES).put("7", {"until": {"gone": 1e12}})  # a worker that is not there
    mine.share(here.asked_until())
    there.told(others.share(there.asked_until()))
    assert [there.admits(name) for name in ("asks/60", "asks/300", "fails", "gone")] == [False, False, True, True]
    assert 59.0 < there.wait_s("asks/60") <= 60.0
    assert 299.0 < there.wait_s("asks/300") <= 300.0
    there.told({"set back": time.time() + 3600.0})  # the clock was, an hour, after somebody had asked
    assert there.admits("set back")
    Marks(tmp_path, PAUSES).put("0", {"until": {"asks/60": "x", "over": 1.0}})
    assert others.share({}) == {}


def test_one_probe_goes_through_and_its_success_closes() -> None:
    breaker = opened()
    now = breaker.pause_s
    probing = step(breaker, Started(), now, RULES)
    assert (probing.status, probing.admits(now, RULES)) == ("half_open", False)
    assert step(probing, Started(), now, RULES) is probing
    closed = step(probing, Succeeded(probing.epoch), now, RULES)
    assert (closed.status, closed.openings, closed.in_a_row) == ("closed", 0, 0)


def test_late_results_of_calls_before_the_opening_count_for_nothing() -> None:
    breaker = opened()
    assert step(breaker, Succeeded(0), 0.0, RULES) is breaker
    assert step(breaker, Failed(breaker.epoch), 0.0, RULES) is breaker
    probing = step(breaker, Started(), breaker.pause_s, RULES)
    assert step(probing, Succeeded(0), 2.0, RULES) is probing
    assert step(probing, Failed(0, 50.0), 2.0, RULES) is probing
    closed = step(probing, Succeeded(probing.epoch), 3.0, RULES)
    assert step(closed, Failed(probing.epoch), 3.0, RULES) is closed


def test_a_probe_that_says_nothing_makes_room_for_the_next() -> None:
    probing = step(opened(), Started(), 2.0, RULES)
    left = step(probing, Abandoned(probing.epoch), 3.0, RULES)
    assert left.admits(3.0, RULES)
    assert left.openings == probing.openings
    assert not probing.admits(2.0 + RULES.probe_s - 0.1, RULES)
    again = step(probing, Started(), 2.0 + RULES.probe_s, RULES)
    assert again.epoch == probing.epoch + 1
    assert step(Breaker("m"), Abandoned(0), 0.0, RULES) == Breaker("m")


def test_a_probe_that_is_answered_closes_before_its_answer_ends() -> None:
    probing = step(opened(), Started(), 2.0, RULES)
    closed = step(probing, Spoke(probing.epoch), 3.0, RULES)
    assert (closed.status, closed.openings) == ("closed", 0)
    assert step(closed, Spoke(closed.epoch), 3.0, RULES) is closed


def test_probes_that_take_longer_than_the_next_is_waited_for_still_close() -> None:
    first = step(opened(), Started(), 2.0, RULES)
    second = step(first, Started(), 2.0 + RULES.probe_s, RULES)
    assert step(second, Failed(first.epoch), 2.0 + RULES.probe_s, RULES) is second
    assert step(second, Succeeded(first.epoch), 2.0 + 1.5 * RULES.probe_s, RULES).status == "closed"


@pytest.mark.parametrize("jump", [-1e9, -1.0, 1e9])
def test_a_clock_that_jumps_lets_at_most_one_probe_through_early(jump: float) -> None:
    breaker = opened(100.0)
    assert breaker.admits(100.0 + jump, RULES)
    probing = step(breaker, Started(), 100.0 + jump, RULES)
    assert not probing.admits(100.0 + jump, RULES)
    closed = fail(Breaker("m", half_since=50.0), 2, 100.0 + jump)
    assert (closed.status, sum(closed.failures)) == ("closed", 2)


class Life(RuleBasedStateMachine):
    """Any calls, results in any order, any clock: the promises below always hold."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker("m")
        self.now = 0.0
        self.under_way: list[int] = []
        self.probe: int | None = None
        self.probes: set[int] = set()
        self.failures_in_a_row = 0

    def take(self, event: Spoke | Succeeded | Failed | Abandoned) -> None:
        was = self.breaker
        self.breaker = step(was, event, self.now, RULES)
        is_answer = isinstance(event, Spoke | Succeeded)
        if is_answer and was.status == "half_open" and event.epoch in self.probes:
            assert self.breaker.status == "closed"
        elif event.epoch != was.epoch:
            assert self.breaker is was
        elif is_answer:
            assert self.breaker.status == "closed"
        if self.breaker.status != "half_open":
            self.probes = set()
        if event.epoch == self.probe:
            self.probe = None

    @rule(seconds=st.one_of(st.floats(0.0, 400.0), st.floats(-400.0, 0.0)))
    def clock(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def start(self) -> None:
        if not self.breaker.admits(self.now, RULES):
            assert self.breaker.wait_s(self.now, RULES) > 0.0
            return
        was = self.breaker
        self.breaker = step(was, Started(), self.now, RULES)
        self.under_way.append(self.breaker.epoch)
        if was.status != "closed":
            assert self.breaker.status == "half_open"
            assert not self.breaker.admits(self.now, RULES)
            self.probe = self.breaker.epoch
            self.probes.add(self.probe)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def speak(self, data: st.DataObject) -> None:
        self.take(Spoke(data.draw(st.sampled_from(self.under_way))))

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), retry=st.one_of(st.none(), st.floats(-1.0, 1e6)), how=st.integers(0, 2))
    def end(self, data: st.DataObject, retry: float | None, how: int) -> None:
        epoch = self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))
        self.take((Succeeded(epoch), Failed(epoch, retry), Abandoned(epoch))[how])

    @invariant()
    def pauses_are_bounded(self) -> None:
        longest = max(RULES.longest_retry_after_s, RULES.longest_pause_s * (1 + RULES.jitter), RULES.probe_s)
        assert 0.0 <= self.breaker.wait_s(self.now, RULES) <= longest + 1e-6
        wait = self.breaker.wait_s(self.now, RULES)
        assert wait == 0.0 or self.breaker.admits(self.now + wait + 1e-6, RULES)

    @invariant()
    def counts_are_sane(self) -> None:
        breaker = self.breaker
        assert 0 <= breaker.in_a_row < RULES.failures_in_a_row
        assert all(f <= c for f, c in zip(breaker.failures, breaker.calls, strict=True))
        assert breaker.openings >= 0
        if breaker.status == "half_open":
            assert breaker.epoch == self.probe


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=40)


@given(st.lists(st.booleans(), max_size=60))
def test_without_successes_between_the_count_alone_decides(results: list[bool]) -> None:
    breaker, run, most = Breaker("m"), 0, 0
    for ok in results:
        breaker = step(breaker, Succeeded(0) if ok else Failed(0), 0.0, RULES)
        run = 0 if ok else run + 1
        most = max(most, run)
    if most >= RULES.failures_in_a_row:
        assert breaker.status == "open"
    elif results.count(False) * 2 < len(results) and len(results) < RULES.least_calls:
        assert breaker.status == "closed"
