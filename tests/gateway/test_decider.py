"""Decisions on the event loop: batched, bounded, each on its own, and late ones told in time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tenbin.errors import DecisionError, NetworkError
from tenbin.gateway.decider import LONG_CHARACTERS, MOST_LEFT, Decider
from tenbin.prices import PriceBook
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router
from tenbin.router.weighing import Ask, Weighed, weigh
from tenbin.types import Float32s, Query, TradeOff
from tests.router.made import HARD, PRICES, make_panel

FREE = (None, None, None)
PATIENCE_S = 60.0
QUERIES = make_panel(20, seed=5).queries
LONG = Query("long", " ".join(HARD) * (LONG_CHARACTERS // 50))


@pytest.fixture(scope="module")
def router() -> Router:
    settings = FitSettings(embedder="base", groups=False, learning_curve=False)
    return fit(make_panel(120), PriceBook.loads(PRICES), settings)


class Gated:
    """An embedder that answers only once it is let, and remembers in which threads it worked."""

    name = "gated"

    def __init__(self, inner) -> None:
        self.inner = inner
        self.open = threading.Event()
        self.entered = threading.Event()
        self.threads: set[int] = set()
        self.calls = 0

    @property
    def dim(self) -> int:
        return self.inner.dim

    def embed(self, texts: Sequence[str]) -> Float32s:
        self.calls += 1
        self.threads.add(threading.get_ident())
        self.entered.set()
        self.open.wait(PATIENCE_S)
        return self.inner.embed(texts)


@pytest.fixture
def gated(router):
    """A router with a slow embedder, and the gate before it."""
    gate = Gated(router._encoder.embedder)
    yield behind(gate, router, "sentence:somewhere"), gate
    gate.open.set()


def behind(gate: Gated, router: Router, form: str) -> Router:
    manifest = replace(router.manifest, embedder=form)
    return Router(manifest, type(router._encoder)(gate), router._estimator, router._parts, router.prices, "")


def ask_of(query: Query, **more) -> Ask:
    return Ask(query, TradeOff(0.1), FREE, **more)


async def all_of(decider: Decider, router: Router, asks: Sequence[Ask]) -> list:
    waiting = (decider.decide(router, ask, PATIENCE_S) for ask in asks)
    try:
        return await asyncio.gather(*waiting, return_exceptions=True)
    finally:
        decider.close()


def run(make) -> list:
    """The answers of what `make` does with a decider made on the loop."""

    async def work() -> list:
        return await make(Decider())

    return asyncio.run(work())


def same(one: Weighed, other: Weighed) -> bool:
    return one.ranking == other.ranking and np.array_equal(one.loss, other.loss) and one.reason == other.reason


def test_short_and_long_asks_get_the_answer_of_a_lone_weighing(router):
    asks = [ask_of(query) for query in (*QUERIES, LONG)]
    for got, ask in zip(run(lambda decider: all_of(decider, router, asks)), asks, strict=True):
        assert same(got, weigh(router, [ask])[0])


def test_who_asks_alone_again_is_answered_without_a_turn_of_the_loop(router):
    """Two turns cost a lone request some twenty microseconds; but the first of many would be weighed by itself."""
    nobody = Ask(QUERIES[0], TradeOff(0.1), ("no",) * 3)

    async def is_at_once(decider: Decider, ask: Ask) -> bool:
        turns: list[str] = []
        asyncio.get_running_loop().call_soon(turns.append, "turn")
        try:
            assert same(await decider.decide(router, ask, PATIENCE_S, is_alone=True), weigh(router, [ask])[0])
        except DecisionError:
            assert ask is nobody
        return not turns

    async def work(decider: Decider) -> list:
        first, again, refused = [
            await is_at_once(decider, ask) for ask in (ask_of(QUERIES[0]), ask_of(QUERIES[1]), nobody)
        ]
        long = await is_at_once(decider, ask_of(LONG))
        await asyncio.gather(*(decider.decide(router, ask_of(query), PATIENCE_S) for query in QUERIES[:3]))
        after_many, then = [await is_at_once(decider, ask_of(query)) for query in QUERIES[4:6]]
        decider.close()
        return [first, again, refused, long, after_many, then]

    assert run(work) == [False, True, True, False, False, True]


def test_one_failing_ask_spoils_no_other(router):
    broken = Query("broken", messages=(1,))  # type: ignore[arg-type]
    torn = Ask(Query("torn", "x"), TradeOff(0.1), (None,))
    nobody = Ask(QUERIES[0], TradeOff(0.1), ("no", "no", "no"))
    good = ask_of(QUERIES[1])
    answers = run(lambda decider: all_of(decider, router, [good, torn, nobody, ask_of(broken), good]))
    assert same(answers[0], answers[4])
    assert isinstance(answers[1], ValueError)
    assert isinstance(answers[2], DecisionError)
    assert isinstance(answers[3], Exception)


def test_a_slow_embedder_works_beside_the_loop_and_its_late_asks_end_in_time(gated):
    router, gate = gated

    async def work(decider: Decider) -> list:
        late = asyncio.gather(
            *(decider.decide(router, ask_of(query), 0.02) for query in QUERIES[:3]), return_exceptions=True
        )
        told = await late  # the gate is still shut: only the loop's own clock can have ended these
        gate.open.set()
        after = await decider.decide(router, ask_of(QUERIES[4]), PATIENCE_S)
        decider.close()
        return [*told, after]

    *told, after = run(work)
    assert all(isinstance(answer, TimeoutError) for answer in told)
    assert isinstance(after, Weighed)
    assert threading.get_ident() not in gate.threads


class Unreachable(Gated):
    """A model far away that does not answer."""

    def embed(self, texts: Sequence[str]) -> Float32s:
        super().embed(texts)
        raise NetworkError("no answer")


def test_what_fails_on_its_way_is_not_asked_again_for_each(router):
    gate = Unreachable(router._encoder.embedder)
    gate.open.set()
    far = behind(gate, router, "endpoint:somewhere")
    answers = run(lambda decider: all_of(decider, far, [ask_of(query) for query in QUERIES[:5]]))
    assert [type(answer) for answer in answers] == [NetworkError] * 5
    assert gate.calls == 1


class Hanging(Gated):
    """Its first call hangs until the gate opens; the others do not."""

    def embed(self, texts: Sequence[str]) -> Float32s:
        if self.calls:
            self.calls += 1
            return self.inner.embed(texts)
        return super().embed(texts)


def test_a_thread_that_hangs_is_left_behind(router):
    """One call of an embedder that never came back left every later request to the safe default."""
    gate = Hanging(router._encoder.embedder)
    behind_gate = behind(gate, router, "sentence:somewhere")

    async def work() -> list:
        decider = Decider(stuck_s=0.0)
        with pytest.raises(TimeoutError):
            await decider.decide(behind_gate, ask_of(QUERIES[0]), 0.02)
        after = await decider.decide(behind_gate, ask_of(QUERIES[1]), PATIENCE_S)
        left = decider._left_behind
        gate.open.set()
        async with asyncio.timeout(PATIENCE_S):
            while decider._left_behind:
                await asyncio.sleep(0)
        again = await decider.decide(behind_gate, ask_of(QUERIES[2]), PATIENCE_S)
        return [after, left, again]

    after, left, again = asyncio.run(work())
    assert same(after, weigh(router, [ask_of(QUERIES[1])])[0])
    assert isinstance(again, Weighed)
    assert left == 1


def test_only_so_many_threads_are_left_behind(gated):
    router, gate = gated

    async def work(decider: Decider) -> list:
        for query in QUERIES[: MOST_LEFT + 3]:
            with pytest.raises(TimeoutError):
                await decider.decide(router, ask_of(query), 0.02)
        return [gate.calls]

    async def made() -> list:
        return await work(Decider(stuck_s=0.0))

    assert asyncio.run(made()) == [MOST_LEFT + 1]


def test_the_process_ends_although_a_decision_hangs(gated):
    """An executor's threads are waited for: with a model far away a stop took two minutes."""
    router, gate = gated

    async def work(decider: Decider) -> None:
        with pytest.raises(TimeoutError):
            await decider.decide(router, ask_of(QUERIES[0]), 0.02)
        decider.close()

    run(work)
    (thread,) = (thread for thread in threading.enumerate() if thread.ident in gate.threads)
    assert thread.daemon


class Seen:
    """The estimator of a router, which remembers the threads that it worked in."""

    def __init__(self, inner) -> None:
        self.inner = inner
        self.threads: set[int] = set()

    def __getattr__(self, name: str):
        return getattr(self.inner, name)

    def estimate(self, features):
        self.threads.add(threading.get_ident())
        return self.inner.estimate(features)


@pytest.mark.parametrize(("predictor", "is_on_loop"), [("stack", True), ("acme", False)])
def test_anothers_predictor_works_beside_the_loop(router, predictor, is_on_loop):
    """It kept all streams waiting for as long as it took, however early the deadline was."""
    estimator = Seen(router._estimator)
    manifest = replace(router.manifest, predictor=predictor)
    seen = Router(manifest, router._encoder, estimator, router._parts, router.prices, "")
    seen.glance = None  # reads past the estimator
    (answer,) = run(lambda decider: all_of(decider, seen, [ask_of(QUERIES[0])]))
    assert isinstance(answer, Weighed)
    assert (threading.get_ident() in estimator.threads) == is_on_loop


@pytest.mark.parametrize(
    "part",
    [
        {"type": "tool_result", "content": LONG.prompt},
        {"type": "tool_result", "content": [{"type": "text", "text": LONG.prompt}]},
        {"type": "document", "source": {"type": "text", "data": LONG.prompt}},
        {"type": "text", "text": "short"},
    ],
)
def test_what_tools_and_documents_say_is_weighed_beside_the_loop_where_it_is_long(router, part):
    """Only texts of the messages themselves counted as long: a tool's result of a megabyte kept all others waiting."""
    gate = Gated(router._encoder.embedder)
    gate.open.set()
    ask = ask_of(Query("parts", messages=({"role": "user", "content": [part]},)))
    (answer,) = run(lambda decider: all_of(decider, behind(gate, router, "base"), [ask]))
    assert isinstance(answer, Weighed)
    assert (threading.get_ident() in gate.threads) == (part["type"] == "text")


def test_what_waits_for_the_thread_is_weighed_together(gated):
    router, gate = gated

    async def work(decider: Decider) -> list:
        first = asyncio.ensure_future(decider.decide(router, ask_of(QUERIES[0]), PATIENCE_S))
        await asyncio.to_thread(gate.entered.wait, PATIENCE_S)
        others = [asyncio.ensure_future(decider.decide(router, ask_of(q), PATIENCE_S)) for q in QUERIES[1:9]]
        await asyncio.sleep(0)
        depth = decider.queue_depth
        gate.open.set()
        await asyncio.gather(first, *others)
        decider.close()
        return [depth]

    assert run(work) == [8]
    assert gate.calls == 2


def test_a_full_queue_refuses_the_newest_and_a_cancelled_ask_leaves_no_trace(gated):
    router, gate = gated

    async def work() -> list:
        decider = Decider(max_waiting=2)
        first = asyncio.ensure_future(decider.decide(router, ask_of(QUERIES[0]), PATIENCE_S))
        await asyncio.to_thread(gate.entered.wait, PATIENCE_S)
        second, third = (asyncio.ensure_future(decider.decide(router, ask_of(q), PATIENCE_S)) for q in QUERIES[1:3])
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError, match="too many"):
            await decider.decide(router, ask_of(QUERIES[3]), PATIENCE_S)
        second.cancel()
        gate.open.set()
        answers = await asyncio.gather(first, second, third, return_exceptions=True)
        depth = decider.queue_depth
        decider.close()
        return [*answers, depth]

    first, second, third, depth = asyncio.run(work())
    assert isinstance(first, Weighed)
    assert isinstance(second, asyncio.CancelledError)
    assert isinstance(third, Weighed)
    assert depth == 0


def test_closing_answers_who_still_waits(gated):
    router, gate = gated

    async def work(decider: Decider) -> list:
        first = asyncio.ensure_future(decider.decide(router, ask_of(QUERIES[0]), PATIENCE_S))
        await asyncio.to_thread(gate.entered.wait, PATIENCE_S)
        second = asyncio.ensure_future(decider.decide(router, ask_of(QUERIES[1]), PATIENCE_S))
        await asyncio.sleep(0)
        decider.close()
        gate.open.set()
        return await asyncio.gather(first, second, return_exceptions=True)

    first, second = run(work)
    assert isinstance(first, Weighed)
    assert isinstance(second, DecisionError)
