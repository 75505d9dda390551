"""Each answer of a model has the same chance, bands of grades get their part, and any start of the list is balanced."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.pilot.label.sample import draw
from tenbin.pilot.pair import Key

FRAME: list[tuple[Key, float]] = [
    ((f"q{i}", model, 0), math.nan if i == 0 else (i * 7 % 20) / 19) for model in ("a", "b", "c") for i in range(20)
]


def test_models_share_evenly_and_any_start_is_balanced() -> None:
    shown = draw(FRAME, 15, seed=1)
    assert Counter(s.key[1] for s in shown) == {"a": 5, "b": 5, "c": 5}
    assert all(s.propensity == pytest.approx(0.25) for s in shown)
    for start in range(0, 15, 3):
        assert {s.key[1] for s in shown[start : start + 3]} == {"a", "b", "c"}
    assert [s.key[1] for s in shown] != [s.key[1] for s in shown[:3]] * 5, "the turn would give the model away"


def test_the_chance_is_what_is_recorded_whatever_the_grade() -> None:
    times = Counter(s.key for seed in range(3000) for s in draw(FRAME, 12, seed))
    assert set(times) == {key for key, _ in FRAME}
    # 4 of 20 each: a share of .2 with a standard error of .0073; 60 answers are looked at.
    assert all(abs(n / 3000 - 0.2) < 0.03 for n in times.values())


def test_bands_of_grades_get_their_part() -> None:
    grades = dict(FRAME)
    for seed in range(20):
        mine = [grades[s.key] for s in draw(FRAME, 30, seed) if s.key[1] == "a"]
        low = sum(grade < 1 / 3 for grade in mine)
        assert len(mine) == 10
        assert 3 <= low <= 4  # 7 of 20 are low (one of them with no grade is not): 3.5 expected


def test_a_larger_count_keeps_what_was_shown_and_a_grown_pilot_most_of_it() -> None:
    shown = {s.key for s in draw(FRAME, 12, seed=3)}
    grown = FRAME + [((f"r{i}", model, 0), (i % 20) / 19) for model in ("a", "b", "c") for i in range(2)]
    kept = shown & {s.key for s in draw(grown, 13, seed=3)}
    assert len(kept) >= 8


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9)), st.integers(0, 40), st.integers(0, 9))
@settings(max_examples=60)
def test_no_answer_twice_and_as_many_as_there_are(sizes: dict[str, int], count: int, seed: int) -> None:
    frame = [((f"q{i}", model, 0), i / 9) for model, size in sizes.items() for i in range(size)]
    shown = draw(frame, count, seed)
    assert len({s.key for s in shown}) == len(shown) == min(count, len(frame))
    assert shown == draw(frame[::-1], count, seed)
