"""Requests on the scales: the same to the bit by the compiled library and without it."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from tenbin.compiled.library import library_fault
from tenbin.prices import PriceBook
from tenbin.router.router import Router
from tenbin.router.scales import Scales
from tenbin.router.weighing import FIGURES, Ask, Weighed, _laid, weigh
from tenbin.types import Candidate, Estimates, Query, TradeOff
from tests.router.made import make_panel

BOOK = """
[models.large]
input_usd_per_mtok = 10.0
output_usd_per_mtok = 30.0
cached_input_usd_per_mtok = 1.0
request_usd = 0.003
[models.mid]
input_usd_per_mtok = 1.0
output_usd_per_mtok = 3.0
long_context_tokens = 40
long_input_usd_per_mtok = 2.0
long_output_usd_per_mtok = 4.0
[models.small]
input_usd_per_mtok = 0.1
output_usd_per_mtok = 0.3
"""
CALLED_AS = {"mid": Candidate("mid", max_output_tokens=60), "small": Candidate("small", max_output_tokens=0)}
NAMES = ("quality", "quality_sd", "gap_sd", "input_tokens", "output_tokens", "latency_s")


@pytest.fixture
def both(router: Router) -> tuple[Router, Router]:
    """The same router with the library and without it."""
    made = [
        Router(
            router.manifest,
            router._encoder,
            router._estimator,
            router._parts,
            PriceBook.loads(BOOK),
            "",
            called_as=CALLED_AS,
        )
        for _ in range(2)
    ]
    if made[0].scales is None:
        pytest.skip(f"there is no compiled code: {library_fault()}")
    vars(made[1])["scales"] = None
    return made[0], made[1]


def asks(n: int, rng: np.random.Generator) -> list[Ask]:
    def one(i: int) -> Ask:
        query = Query(f"q{i}", "x", max_output_tokens=rng.choice([None, 0, 1, 50, 10**6]))
        dial = TradeOff(*rng.choice([0.0, 0.3, 1.0], 3), minimax=bool(rng.integers(2)))
        cached = None if rng.random() < 0.7 else rng.choice([0.0, 20.0, 1e9], 3)
        return Ask(query, dial, (None,) * 3, cached, answers=int(rng.choice([1, 1, 3])))

    return [one(i) for i in range(n)]


def estimates(n: int, rng: np.random.Generator) -> Estimates:
    """Figures with ties, lengths on both sides of the long tier, and some that are not known."""
    found = {name: rng.choice([0.0, 0.25, 0.5, 1.0], (n, 3)) for name in NAMES}
    for name in ("input_tokens", "output_tokens"):
        found[name] = rng.choice([0.0, 40.0, 41.0, rng.random() * 900.0, np.nan], (n, 3))
    found["latency_s"][rng.random((n, 3)) < 0.1] = np.nan
    found["quality"][rng.random((n, 3)) < 0.1] = np.nan
    return Estimates(**found)


@pytest.mark.parametrize("n", [1, 2, 40])
def test_the_library_weighs_as_numpy_does_to_the_bit(both: tuple[Router, Router], n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(600 // n):
        asked, expected = asks(n, rng), estimates(n, rng)
        compiled, plain = (_laid(router, asked, expected) for router in both)
        for name, own, other in zip(FIGURES, compiled.figures, plain.figures, strict=True):
            np.testing.assert_array_equal(own, other, err_msg=name)
        np.testing.assert_array_equal(compiled.order, plain.order)


def test_whole_weighings_are_alike(both: tuple[Router, Router]) -> None:
    asked = [Ask(query, TradeOff(0.3), (None,) * 3) for query in make_panel(20, seed=3).queries]
    for own, other in zip(*(weigh(router, asked) for router in both), strict=True):
        assert isinstance(own, Weighed)
        assert isinstance(other, Weighed)
        assert (own.ranking, own.reason) == (other.ranking, other.reason)
        assert own.figures.tobytes() == other.figures.tobytes()


def test_sent_to_another_process_they_know_the_library_there(both: tuple[Router, Router]) -> None:
    rng = np.random.default_rng(0)
    asked, expected, own = asks(5, rng), estimates(5, rng), both[0].scales
    sent = pickle.loads(pickle.dumps(own))  # noqa: S301 (just made)
    assert isinstance(sent, Scales)
    assert sent._learnt.below != own._learnt.below  # type: ignore[union-attr]
    before = _laid(both[0], asked, expected)
    vars(both[0])["scales"] = sent
    np.testing.assert_array_equal(_laid(both[0], asked, expected).figures, before.figures)


def test_dollars_that_are_more_than_tokens_at_their_rates_are_weighed_without_it(router: Router) -> None:
    made = Router(router.manifest, router._encoder, router._estimator, router._parts, router.prices, "")
    assert made.pricing.is_plain
    made._pricing = replace(made.pricing, rows=4.0)
    assert made.scales is None
