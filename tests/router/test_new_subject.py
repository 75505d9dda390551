"""A stream's subject: known by the share of new texts, and by what came before alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tenbin.router.excess import Excess
from tenbin.router.new_subject import LIMIT, NEW, followed, is_new


def drawn(share: float, n: int, seed: int) -> np.ndarray:
    """P-values of n texts, a `share` of them of new texts."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(n) < share, NEW * rng.random(n), NEW + (1.0 - NEW) * rng.random(n))


def test_usual_texts_are_hardly_ever_a_new_subject_and_one_in_four_soon_is() -> None:
    assert sum(followed(Excess(), drawn(NEW, 2_000, seed)).any() for seed in range(50)) == 0
    assert sum(followed(Excess(), drawn(0.25, 400, seed)).any() for seed in range(50)) >= 48


def test_the_subject_ends_with_usual_texts() -> None:
    stream = Excess()
    followed(stream, drawn(0.4, 300, 1))
    assert stream.is_flagged
    after = followed(stream, drawn(NEW, 2_000, 2))
    assert after[0]
    assert not after[-1]


@given(st.lists(st.floats(0.0, 1.0), max_size=60), st.integers(0, 60))
def test_a_query_is_judged_by_those_before_it_however_the_stream_is_cut(novelty: list[float], cut: int) -> None:
    p = np.array(novelty)
    whole, stream = Excess(), Excess()
    parts = [followed(stream, p[:cut]), followed(stream, p[cut:])]
    np.testing.assert_array_equal(followed(whole, p), np.concatenate(parts))
    assert whole.share == stream.share


def test_a_text_is_new_up_to_the_level() -> None:
    assert is_new(np.array([0.0, NEW, np.nextafter(NEW, 1.0)])).tolist() == [True, True, False]
    assert NEW < LIMIT
