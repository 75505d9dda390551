"""Answers heard to their end: what is no end."""

from __future__ import annotations

from pathlib import Path

from tenbin.testing import Answer, FakeUpstream
from tests.pilot.run.made import bought, failures, made, prompts, run


def test_a_stream_that_is_cut_behind_an_empty_finish_reason_is_no_answer(tmp_path: Path) -> None:
    """Some servers write "" in every chunk; half an answer was bought and graded as a whole one."""
    half = b'data: {"choices": [{"delta": {"content": "four"}, "finish_reason": ""}]}\n\n'
    with FakeUpstream(Answer(chunks=(half,))) as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(1), models=("big",))
        run(pilot)
    assert {it.kind for it in failures(pilot)} == {"cut"}
    assert bought(pilot) == []
