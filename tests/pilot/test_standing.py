"""Where a pilot stands: every dollar once, a call without an end at its reserve."""

from __future__ import annotations

from tenbin.pilot.records import Begun, Bought, Failed, Graded, Labelled
from tenbin.pilot.standing import Standing
from tenbin.types import Usage


def test_every_dollar_is_counted_once() -> None:
    standing = Standing.of(
        [
            Begun("c1", "q1", "big", 1.0, 8.0),
            Begun("c2", "q2", "big", 1.0, 16.0),
            Begun("c3", "q1", "big", 1.0, 32.0, purpose="grade"),
            Begun("c4", "q1", "big", 1.0, 64.0, repeat=1),
            Bought("c1", "q1", "big", 2.0, "yes", Usage(1, 1), 1.0, 0.5, held_usd=0.25),
            Failed("c2", "q2", "big", 2.0, "refused", cost_usd=0.5, is_final=True),
            Graded("q1", "big", 3.0, 1.0, "judge", cost_usd=2.0, call_id="c3"),
            Graded("q1", "big", 3.0, 0.0, "exact"),
            Labelled("q1", "big", 4.0, 1.0, "ann"),
            Failed("c9", "q1", "big", 5.0, "malformed", purpose="grade", is_final=True),
        ]
    )
    assert standing.settled_usd == 1.0 + 0.25 + 0.5 + 2.0
    assert standing.spent_usd == standing.settled_usd + 64.0
    assert standing.bought == {("q1", "big", 0)}
    assert standing.given_up == {("q2", "big", 0)}
    assert standing.grades[("q1", "big", 0), 0].metric == "exact"
