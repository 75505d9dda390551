"""When a candidate may be asked again, on a clock of our own."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.pilot.run.gate import LONGEST_PAUSE_S, Gate
from tenbin.upstream.failure import FailureKind, UpstreamFailure
from tenbin.upstream.pace import Pace


def gate(most: int = 8, seed: int = 1, *, was_down: bool = False) -> Gate:
    return Gate(most, Pace(None, None), Random(seed), was_down=was_down)  # noqa: S311


def fail(made: Gate, now: float, kind: FailureKind = "server_error", retry_after_s: float | None = None) -> float:
    """One call that begins and fails at once; how long the pause is that follows."""
    made.begin(now, 0.0)
    made.end()
    made.failed(UpstreamFailure(kind, "no", retry_after_s=retry_after_s), now, now, blames=kind != "context")
    return made.free_at() - now


def places(made: Gate, now: float) -> int:
    """How many calls may be out at once."""
    taken = 0
    while made.free_at() <= now:
        made.begin(now, 0.0)
        taken += 1
    for _ in range(taken):
        made.end()
    return taken


def test_pauses_grow_with_jitter_until_the_candidate_is_set_aside() -> None:
    pauses, now, made = [], 0.0, gate()
    while made.set_aside is None:
        pauses.append(fail(made, now, "overloaded"))
        now += 100.0
    *grown, last = pauses
    assert last == math.inf
    for n, pause_s in enumerate(grown):
        longest_s = min(0.5 * 2**n, LONGEST_PAUSE_S)
        assert longest_s / 2 <= pause_s <= longest_s
    assert len(pauses) == 10
    assert pauses != [fail(gate(seed=2), 0.0, "overloaded")] * 10


def test_who_was_down_before_is_not_waited_for_again() -> None:
    """A candidate that only ever says 503 cost each run two minutes."""
    made = gate(was_down=True)
    assert fail(made, 0.0, "overloaded") <= 0.5
    assert fail(made, 1.0, "overloaded") == math.inf
    back = gate(was_down=True)
    fail(back, 0.0, "overloaded")
    back.succeeded()
    for now in (100.0, 200.0, 300.0, 400.0):
        fail(back, now, "overloaded")
    assert back.set_aside is None


def test_an_answer_forgets_the_failures() -> None:
    made = gate()
    for now in (0.0, 100.0, 200.0, 300.0):
        fail(made, now)
    made.succeeded()
    assert fail(made, 400.0) <= 0.5
    assert made.set_aside is None


def test_calls_of_one_moment_are_one_failure() -> None:
    made = gate(64)
    for _ in range(64):
        made.begin(0.0, 0.0)
    for _ in range(64):
        made.end()
        made.failed(UpstreamFailure("timeout", "late"), 0.0, 30.0)
    assert made.set_aside is None
    assert 30.25 <= made.free_at() <= 30.5


def test_what_waiting_does_not_mend_sets_aside_at_once() -> None:
    made = gate()
    assert fail(made, 0.0, "unauthorised") == math.inf
    assert made.set_aside == "no"


def test_five_failures_in_a_row_set_aside_and_say_so() -> None:
    made = gate()
    pauses = [fail(made, 100.0 * n) for n in range(5)]
    assert [pause_s < math.inf for pause_s in pauses] == [True] * 4 + [False]
    assert made.set_aside == "5 failures in a row, the last: no"


def test_who_asks_for_a_pause_gets_it_up_to_five_minutes() -> None:
    made = gate()
    assert fail(made, 0.0, "rate_limited", 7.0) == 7.0
    assert fail(made, 100.0, "rate_limited", 300.0) == 300.0
    made.failed(UpstreamFailure("rate_limited", "no", retry_after_s=500.0), 50.0, 110.0)  # it began before that
    assert made.free_at() == 610.0
    assert fail(made, 1_000.0, "rate_limited", 301.0) == math.inf
    assert made.set_aside == "it asks to be left alone for 301 s"


@pytest.mark.parametrize(("in_flight", "left"), [(8, 4), (5, 2), (1, 1)])
def test_the_first_failure_leaves_half_of_the_places_that_were_in_use(in_flight: int, left: int) -> None:
    made = gate(8)
    for _ in range(in_flight):
        made.begin(0.0, 0.0)
    made.end()
    made.failed(UpstreamFailure("server_error", "no"), 0.0, 1.0)
    for _ in range(in_flight - 1):
        made.end()
    assert places(made, 100.0) == left


def test_places_are_taken_away_and_given_back() -> None:
    made = gate(8)
    assert places(made, 0.0) == 8
    for _ in range(8):
        made.begin(0.0, 0.0)
    for _ in range(8):
        made.end()
    made.failed(UpstreamFailure("overloaded", "busy"), 0.0, 0.0)
    fail(made, 50.0, "overloaded")
    assert places(made, 100.0) == 1
    made.succeeded()
    made.succeeded()
    assert places(made, 100.0) == 3
    for _ in range(20):
        made.succeeded()
    assert places(made, 100.0) == 8


def test_a_refused_prompt_says_nothing_against_the_candidate() -> None:
    made = gate()
    for now in range(20):
        assert fail(made, float(now), "context") <= 0.0
    assert made.set_aside is None


@given(
    st.integers(1, 600),
    st.integers(1_000, 1_000_000),
    st.lists(st.tuples(st.floats(0.0, 2.0), st.floats(1.0, 5_000.0), st.floats(-500.0, 2_000.0)), max_size=60),
)
def test_no_minute_has_more_than_its_rates_allow(
    requests: int, tokens: int, calls: list[tuple[float, float, float]]
) -> None:
    pace, now, begun = Pace(requests, tokens), 0.0, []
    for gap, assumed, correction in calls:
        now = max(now + gap, pace.free_at())
        more = max(correction, -assumed)
        pace.begin(now, assumed)
        pace.correct(more)
        begun.append((now, assumed + more))
    for start, _ in begun:
        inside = [used for at, used in begun if start <= at < start + 60.0]
        assert len(inside) <= requests + 1
        # The last call of the minute may reach beyond it, as may the tokens that were only known afterwards.
        assert sum(inside[:-1]) <= tokens + 1e-6 * tokens + max((used for _, used in begun), default=0.0)
