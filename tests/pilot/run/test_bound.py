"""The bound of a call: above what any provider bills for it, at the dearest rate it might bill at."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.pilot.run.bound import DEFAULT_CAP_TOKENS, Ceiling, input_bound_tokens
from tenbin.prices.rates import Rates
from tenbin.types import Candidate, Price, Usage

DEAR = Price(
    2.0,
    8.0,
    cached_input_usd_per_mtok=0.5,
    cache_write_usd_per_mtok=2.5,
    reasoning_usd_per_mtok=16.0,
    request_usd=0.01,
    long_context_tokens=1000,
    long_input_usd_per_mtok=4.0,
)


def ceiling(cap: int | None = 100) -> Ceiling:
    return Ceiling(Rates.of(["m"], [DEAR]), 0, Candidate("m", max_output_tokens=cap))


@given(st.integers(0, 3000), st.floats(0, 1), st.floats(0, 1), st.integers(0, 100), st.floats(0, 1))
def test_no_bill_is_above_the_bound(sent: int, cached: float, written: float, out: int, reasoned: float) -> None:
    made = ceiling()
    usage = Usage(sent, out, int(sent * cached), int(sent * (1 - cached) * written), int(out * reasoned))
    assert made.bill_usd(usage) <= made.usd(sent) + 1e-12


def test_a_candidate_without_a_cap_has_the_default_one() -> None:
    assert ceiling(100).usd(0) == pytest.approx(0.01 + 100 * 16 / 1e6)
    assert ceiling(None).cap_tokens == DEFAULT_CAP_TOKENS
    assert ceiling(None).usd(0) == pytest.approx(0.01 + DEFAULT_CAP_TOKENS * 16 / 1e6)


def test_a_broken_bound_is_widened_once_for_all() -> None:
    made = ceiling()
    before = made.usd(500)
    made.observe(500, 0.5 * before)
    assert made.usd(500) == before
    for _ in range(16):  # calls that were all out before the first bill came
        made.observe(500, 3.0 * before)
    assert made.usd(500) == pytest.approx(3.0 * before)


def test_a_candidate_that_costs_nothing_widens_nothing() -> None:
    free = Ceiling(Rates.of(["m"], [Price(0.0, 0.0)]), 0, Candidate("m"))
    free.observe(100, 0.0)
    assert (free.usd(100), free.widened) == (0.0, 1.0)


@given(st.text(max_size=200))
def test_a_text_has_no_more_tokens_than_bytes(text: str) -> None:
    bound = input_bound_tokens([{"role": "user", "content": text}])
    assert bound >= len(text.encode("utf-8", "surrogatepass"))


def test_the_input_of_a_call_is_bounded_as_worked_by_hand() -> None:
    """256 for the call, 16 a message or part, the bytes of every text and name."""
    words = {"role": "user", "content": "あ" * 1000}
    assert input_bound_tokens([words]) == 256 + 16 + (4 + 4) + (7 + 3000)
    parts = [{"type": "text", "text": "hi"}, {"type": "document"}]
    said = {"role": "user", "content": parts, "n": 12}
    held = 7 + 16 + (4 + 4) + (4 + 2) + 16 + (4 + 8) + 50_000
    assert input_bound_tokens([words, said]) == 3287 + 16 + (4 + 4) + held + (1 + 2)
    for kind in ("input_image", "input_file", "input_audio", "video_url"):
        assert input_bound_tokens([{"role": "user", "content": [{"type": kind}]}]) > 50_000


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://pictures.example/a.png"}},
        {"type": "image", "source": {"type": "url", "url": "https://pictures.example/a.png"}},
        {"type": "file", "file": {"file_id": "f"}},
    ],
)
def test_what_is_only_named_counts_as_an_attachment(part: dict[str, Any]) -> None:
    assert input_bound_tokens([{"role": "user", "content": [part]}]) > 50_000
