"""Who does not answer any more: by one fatal failure or many in a row, until an answer comes."""

from __future__ import annotations

from tenbin.pilot.down import down_candidates
from tenbin.pilot.records import STOPPED, Bought, Failed
from tenbin.pilot.run.gate import FAILURES_IN_A_ROW
from tenbin.types import Usage

ANSWER = Bought("c", "q", "m", 0.0, "a", Usage(1, 1), 0.0, 0.0)


def failed(kind: str, **changes: object) -> Failed:
    return Failed("c", "q", "m", 0.0, kind, **changes)  # type: ignore[arg-type]


def test_who_is_down() -> None:
    row = [failed("timeout")] * FAILURES_IN_A_ROW
    assert down_candidates([ANSWER, failed("unauthorised")]) == {"m"}
    assert down_candidates([ANSWER, *row]) == {"m"}
    assert not down_candidates([*row[1:], ANSWER, *row[1:]])
    assert not down_candidates([failed("not_found"), ANSWER])


def test_what_speaks_against_a_prompt_or_a_grader_brings_nobody_down() -> None:
    assert not down_candidates([failed("context", is_final=True)] * 9)
    assert not down_candidates([failed("timeout", purpose="grade")] * 9)


def test_calls_that_were_cut_off_by_ctrl_c_bring_nobody_down() -> None:
    assert not down_candidates([failed(STOPPED)] * 16)
    assert down_candidates([*[failed("timeout")] * FAILURES_IN_A_ROW, failed(STOPPED)]) == {"m"}
