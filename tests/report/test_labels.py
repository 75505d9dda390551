"""Names in a chart stand inside it and never on each other."""

from __future__ import annotations

import dataclasses
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from tenbin.report.catalogue import load_catalogue
from tenbin.report.charts.cost_quality import curve_in
from tenbin.report.charts.labels import Box, chart_names, place, shorten
from tenbin.report.edition import Edition
from tenbin.report.frame import narrow, wide
from tenbin.report.numbers import Numbers
from tests.report.made import figure, make_evaluation

FRAME = wide()
SPOTS = st.lists(st.tuples(st.floats(46, 844), st.floats(30, 354)), min_size=1, max_size=20)


@given(SPOTS)
def test_labels_never_overlap_and_stand_nearest_their_own_dot(spots: list[tuple[float, float]]) -> None:
    taken: list[Box] = []
    for k, spot in enumerate(spots):
        put = place(f"a-model-of-some-name-{k}", spot, spots, taken, FRAME)
        if put is not None:
            taken.append(put.box)
            assert put.box.distance(spot) == min(map(put.box.distance, spots))
    assert not any(a.meets(b) for a, b in combinations(taken, 2))
    assert all(FRAME.left <= box.left and box.right <= FRAME.x_end for box in taken)


def test_no_label_is_written_beside_the_dot_of_another() -> None:
    spot, other = (400.0, 200.0), (395.0, 240.0)
    beside = [Box(300, 150, 500, 225)]  # all that is left is far below the dot
    assert place("a-model", spot, [spot], beside, FRAME) is not None
    assert place("a-model", spot, [spot, other], beside, FRAME) is None


def test_a_name_that_fits_nowhere_is_cut_before_it_is_left_out() -> None:
    names = ["a-cheap-model-2026", "a-model-between-2026", "a-dear-model-of-2026"]
    made = make_evaluation(names, points=101)
    crowded = dataclasses.replace(made.singles[1], quality=figure(0.76), cost_usd=figure(0.004, 1e-5))
    evaluation = dataclasses.replace(made, singles=(made.singles[0], crowded, made.singles[2]))
    edition = Edition(evaluation, load_catalogue("en"), Numbers("en"))
    drawn = [curve_in(paper, edition, log=True) for paper in (wide(), narrow())]
    assert [">a-model-between-2026</text>" in chart for chart in drawn] == [True, False]
    assert [">a-mod…-2026</text>" in chart for chart in drawn] == [False, True]


def test_a_provider_is_left_out_only_where_names_stay_apart() -> None:
    assert chart_names(["a/x", "b/y"]) == {"a/x": "x", "b/y": "y"}
    assert chart_names(["a/x", "b/x"]) == {"a/x": "a/x", "b/x": "b/x"}
    assert chart_names(["a/", "b"]) == {"a/": "a/", "b": "b"}


LONG = "provider/a-family-of-models-{}-with-a-long-name-2026"


@given(st.lists(st.text("ab-/", min_size=1, max_size=40), unique=True, max_size=8))
def test_no_two_models_are_called_alike(models: list[str]) -> None:
    written = [*chart_names([LONG.format(k) for k in range(3)] + models, 12).values()]
    assert len(written) == len({*written})
    assert all(len(name) <= 12 for name in written)


def test_names_that_would_be_cut_alike_show_where_they_differ() -> None:
    names = chart_names([LONG.format("a-small"), LONG.format("a-large"), "other"])
    assert [*names.values()] == ["…small-with-…ng-name-2026", "…large-with-…ng-name-2026", "other"]


def test_a_long_name_keeps_both_ends() -> None:
    short = shorten("provider/family-of-models-with-dates-2026-11-23")
    assert len(short) <= 26
    assert short.startswith("provider/")
    assert short.endswith("11-23")
