"""Calibrated labels have the wanted mean, stay in range and in order, and people's labels stay theirs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tenbin.quality.calibrated import calibrated
from tenbin.types import Floats


@given(arrays.arrays(np.float64, (9, 1), elements=st.floats(0.0, 1.0)), st.floats(0.0, 1.0))
def test_the_mean_is_the_wanted_one_and_no_label_leaves_the_range_or_its_place(judged: Floats, mean: float) -> None:
    made = calibrated(judged, np.full_like(judged, np.nan), np.array([mean]))
    assert made.mean() == pytest.approx(mean, abs=1e-9)
    assert made.min() >= 0.0
    assert made.max() <= 1.0
    order = np.argsort(judged[:, 0])
    assert np.all(np.diff(made[order, 0]) >= -1e-12)


def test_people_keep_their_word_and_rare_answers_count_for_more() -> None:
    judged = np.array([[0.5], [0.5], [0.8], [np.nan]])
    human = np.array([[0.0], [np.nan], [np.nan], [np.nan]])
    propensity = np.array([[1.0], [1.0], [0.5], [1.0]])
    made = calibrated(judged, human, np.array([0.35]), propensity)
    assert made[0, 0] == 0.0
    assert np.isnan(made[3, 0])
    assert (made[0, 0] + made[1, 0] + 2.0 * made[2, 0]) / 4.0 == pytest.approx(0.35)


def test_without_a_mean_the_grades_stay() -> None:
    judged = np.array([[0.2, 0.4]])
    assert calibrated(judged, np.full((1, 2), np.nan), np.array([np.nan, 0.5])).tolist() == [[0.2, 0.5]]


def test_what_people_leave_no_room_for_is_as_near_as_it_can_be() -> None:
    judged, human = np.array([[0.4], [0.6]]), np.array([[0.0], [np.nan]])
    assert calibrated(judged, human, np.array([0.9])).tolist() == [[0.0], [1.0]]
    assert calibrated(judged, 1.0 - human, np.array([0.2])).tolist() == [[1.0], [0.0]]
    nought = calibrated(np.zeros((2, 1)), np.full((2, 1), np.nan), np.array([0.0]))
    assert nought.tolist() == [[0.0], [0.0]]


def test_grades_that_need_no_change_have_none() -> None:
    judged, nothing = np.array([[0.3], [1.0]]), np.full((2, 1), np.nan)
    assert calibrated(judged, judged[::-1], np.array([0.1])).tolist() == [[1.0], [0.3]]  # people have labelled all
    assert calibrated(np.ones((2, 1)), nothing, np.array([1.0])).tolist() == [[1.0], [1.0]]
