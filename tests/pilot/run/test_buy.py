"""One call of a run: how it is asked where an upstream refuses what others take."""

from __future__ import annotations

from pathlib import Path

from tenbin.testing import Answer, FakeUpstream, UpstreamRequest
from tests.pilot.run.made import failures, made, prompts, run


def test_a_candidate_that_does_not_want_to_be_asked_for_its_usage_is_asked_without(tmp_path: Path) -> None:
    """Mistral's answers could not be bought: each was refused."""

    def script(request: UpstreamRequest) -> Answer | None:
        fault = b'{"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]}'
        return Answer(status=422, body=fault) if "stream_options" in request.json else None

    with FakeUpstream(script) as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(3), models=("big",))
        report = run(pilot)
        sent = [request.json for request in upstream.requests]
    assert (report.ended, report.bought, failures(pilot)) == ("done", 3, [])
    assert [members for members in sent if "stream_options" not in members] == sent[-3:]
    assert len(sent) <= 6
