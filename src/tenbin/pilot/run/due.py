"""Which gradings a pilot still owes its answers."""

from __future__ import annotations

from collections.abc import Collection

from tenbin.errors import UsageError
from tenbin.pilot.pair import Key
from tenbin.pilot.standing import Standing


def rounds_of(key: Key, planned: Collection[Key]) -> tuple[int, ...]:
    """The rounds in which an answer is graded: twice where its pair is asked twice, for both measure noise."""
    query_id, model, repeat = key
    return (0, 1) if repeat == 0 and (query_id, model, 1) in planned else (0,)


def due(
    standing: Standing, planned: Collection[Key], metric: str, *, regrade: bool = False
) -> dict[Key, tuple[int, ...]]:
    """The rounds that every bought answer still lacks; with `regrade` also those of another metric, or without quality.

    Raises UsageError where answers stand graded by another metric than `metric` and `regrade` is not asked: one pilot
    never mixes two measures.
    """
    if not regrade:
        _refuse_a_mixture(standing, metric)
    found = {}
    for key in standing.bought:
        lacking = []
        for round in rounds_of(key, planned):
            grade = standing.grades.get((key, round))
            if grade is None or (regrade and (grade.metric != metric or grade.quality is None)):
                lacking.append(round)
        if lacking:
            found[key] = tuple(lacking)
    return found


def _refuse_a_mixture(standing: Standing, metric: str) -> None:
    others = [grade.metric for grade in standing.grades.values() if grade.metric != metric]
    if others:
        what = f'{len(others)} gradings are by the metric "{others[0]}", and now it is "{metric}"'
        fix = "grade the bought answers anew with --regrade (no candidate is asked again), or put the metric back"
        raise UsageError(what, fix=fix)
