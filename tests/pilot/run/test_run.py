"""A run against fake upstreams: what is written, what goes wrong, and that nobody else suffers from it."""

from __future__ import annotations

import errno
import gc
import logging
import os
import time
from pathlib import Path

import pytest

from tenbin.errors import ConfigError, DataError, PriceError, StoreError, UsageError
from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.journal import read_journal
from tenbin.pilot.pair import Pair
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import Begun
from tenbin.pilot.run.prepared import prepare
from tenbin.pilot.run.run import Run, RunOptions
from tenbin.pilot.standing import Standing
from tenbin.quality.grade import Answered, Grade
from tenbin.testing import Answer, FakeUpstream, UpstreamRequest
from tenbin.types import Usage
from tests.pilot.run.made import EAGER, RATES, Lengths, bought, failures, graded, made, once, prompts, records, run


def test_everything_about_an_answer_is_written_down(tmp_path: Path) -> None:
    usage = Usage(1000, 300, cached_tokens=400, reasoning_tokens=200)
    answer = Answer(text="It is 天秤.", usage=usage, first_chunk_s=0.02)
    pairs = [Pair("q0", "big", stage=2, label_propensity=0.25), Pair("q0", "claude"), Pair("q0", "big", repeat=1)]
    with FakeUpstream(answer) as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(1), models=("big", "claude"), pairs=pairs)
        report = run(pilot)
        sent = {request.model: request for request in upstream.requests}
    first, *others = sorted(bought(pilot), key=lambda it: (it.model, it.repeat))
    assert (first.answer, first.usage, first.finish_reason) == ("It is 天秤.", usage, "stop")
    assert first.cost_usd == pytest.approx((1000 * 10 + 300 * 40) / 1e6)
    assert (first.stage, first.label_propensity, first.is_refusal, first.is_estimated) == (2, 0.25, False, False)
    assert first.first_token_s is not None
    assert 0.02 <= first.first_token_s <= first.latency_s
    assert abs(first.at - time.time()) < 60
    assert [(it.model, it.repeat, it.finish_reason) for it in others] == [("big", 1, "stop"), ("claude", 0, "stop")]
    assert (report.ended, report.bought, report.left) == ("done", 3, 0)
    assert report.spent_usd == pytest.approx(sum(it.cost_usd for it in bought(pilot)))
    # The cap is sent in each dialect's words, so that the money set aside is a bound.
    assert sent["big"].json["max_tokens"] == 50
    assert sent["big"].json["stream_options"] == {"include_usage": True}
    assert (sent["claude"].path, sent["claude"].json["max_tokens"]) == ("/v1/messages", 50)
    # The answer of a pair that is asked twice is graded twice; the second answer once.
    rounds = sorted((it.model, it.repeat, it.round) for it in graded(pilot))
    assert rounds == [("big", 0, 0), ("big", 0, 1), ("big", 1, 0), ("claude", 0, 0)]


def test_what_was_bought_is_not_bought_again_and_new_pairs_are(tmp_path: Path) -> None:
    with FakeUpstream() as upstream:
        pilot = made(tmp_path, upstream)
        run(pilot)
        assert upstream.received_count == 12
        with pilot.plan.open("a") as plan:
            plan.write('{"query_id": "q1", "model": "small", "repeat": 1}\n')
        report = run(pilot)
    assert (report.bought, report.spent_before_usd > 0.0, upstream.received_count) == (1, True, 13)
    assert len(graded(pilot)) == 14  # the new answer, and the second round of its first


def test_a_failing_candidate_is_set_aside_and_the_others_go_on(tmp_path: Path) -> None:
    def script(request: UpstreamRequest) -> Answer | None:
        return Answer.error(500) if request.model == "big" else None

    with FakeUpstream(script) as upstream:
        pilot = made(tmp_path, upstream)
        report = run(pilot)
        big, small = report.candidates
        assert (big.bought, big.left, big.failures.keys()) == (0, 6, {"server_error"})
        assert big.set_aside is not None
        assert big.set_aside.startswith("5 failures in a row, the last: the upstream answered with status 500")
        assert (small.bought, small.left, report.ended) == (6, 0, "left")
        assert str(run(pilot).candidates[0].set_aside).startswith("2 failures in a row")
        upstream.script = None
        assert run(pilot).bought == 6


def test_a_model_that_disappears_halfway_is_left_alone_at_once(tmp_path: Path) -> None:
    gone: list[int] = []

    def script(request: UpstreamRequest) -> Answer | None:
        if request.model == "big" and (gone or request.number > 4):
            gone.append(request.number)
            return Answer.error(404, message="The model `big` does not exist")
        return None

    with FakeUpstream(script) as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(30))
        report = run(pilot)
    big, small = report.candidates
    assert big.set_aside == "the upstream answered with status 404 (The model `big` does not exist)"
    assert (small.bought, big.bought + big.left, big.given_up) == (30, 30, 0)
    assert len(gone) <= EAGER.concurrency


def test_a_prompt_that_a_candidate_refuses_is_given_up_and_costs_nothing(tmp_path: Path) -> None:
    def script(request: UpstreamRequest) -> Answer | None:
        return Answer.context_length_exceeded() if "Question 3" in str(request.json) else None

    with FakeUpstream(script) as upstream:
        pilot = made(tmp_path, upstream)
        assert [c.given_up for c in run(pilot).candidates] == [1, 1]
        before = upstream.received_count
        report = run(pilot)
        assert (report.ended, report.left, upstream.received_count) == ("done", 0, before)
    assert {(it.kind, it.is_final, it.cost_usd) for it in failures(pilot)} == {("context", True, 0.0)}


def test_who_refuses_whatever_is_asked_is_set_aside_and_no_prompt_given_up(tmp_path: Path) -> None:
    with FakeUpstream(Answer.error(400, message="Unsupported parameter: 'stream_options'")) as upstream:
        pilot = made(tmp_path, upstream, models=("big",))
        (big,) = run(pilot).candidates
        assert big.set_aside is not None
        assert "Unsupported parameter" in big.set_aside
        assert (big.given_up, big.left) == (0, 6)
        upstream.script = None
        assert run(pilot).bought == 6


@pytest.mark.parametrize("how", [Answer.content_filter(), Answer.error(400, code="content_filter")])
def test_a_filters_refusal_is_an_answer(tmp_path: Path, how: Answer) -> None:
    with FakeUpstream(how) as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(2), models=("big",))
        report = run(pilot)
    assert [(it.is_refusal, it.answer, it.finish_reason) for it in bought(pilot)] == [(True, "", "content_filter")] * 2
    assert (report.candidates[0].refusals, report.candidates[0].empty, len(graded(pilot))) == (2, 0, 2)


def test_an_empty_answer_and_one_without_usage_are_counted(tmp_path: Path) -> None:
    with FakeUpstream(Answer(text="", finish="length")) as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(1), models=("big",))
        assert [(c.empty, c.cut) for c in run(pilot).candidates] == [(1, 1)]
    silent = b'data: {"choices": [{"delta": {"content": "four"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    # Zeros for an answer of words count nothing either: they made the candidate free. What cannot be ended the budget.
    counts = (Usage(0, 0), Usage(70, 0), Usage(10**30, 1), Usage(9, 1 << 33))
    for untold in (Answer(chunks=(silent,)), *(Answer(text="four", usage=usage) for usage in counts)):
        with FakeUpstream(untold) as upstream:
            pilot = made(tmp_path / f"{untold.usage}", upstream, asked=prompts(1), models=("big",))
            report = run(pilot)
        (answer,), (begun,) = bought(pilot), records(pilot, Begun)
        assert (answer.is_estimated, answer.usage.output_tokens, report.candidates[0].estimated) == (True, 1, 1)
        assert answer.cost_usd + answer.held_usd == begun.reserve_usd == report.spent_usd
        assert (answer.usage.input_tokens == 70) == (untold.usage == Usage(70, 0))  # the side that was told is kept


def test_a_whole_answer_in_place_of_a_stream_is_heard(tmp_path: Path) -> None:
    said = b'{"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}]'
    body = said + b', "usage": {"prompt_tokens": 5, "completion_tokens": 1}}'
    with FakeUpstream(Answer(body=body, headers={"content-type": "application/json"})) as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(1), models=("big",))
        run(pilot)
    (answer,) = bought(pilot)
    assert (answer.answer, answer.usage, answer.first_token_s) == ("4", Usage(5, 1), None)


def test_conversations_are_said_in_both_dialects(tmp_path: Path) -> None:
    messages = (
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
    )
    with FakeUpstream() as upstream:
        pilot = made(tmp_path, upstream, asked=[PilotPrompt("q", messages=messages)], models=("big", "claude"))
        run(pilot)
        sent = {request.model: request.json for request in upstream.requests}
    assert sent["big"]["messages"] == list(messages)
    assert sent["claude"]["system"] == "Be brief."
    assert [message["role"] for message in sent["claude"]["messages"]] == ["user"]


def test_retry_after_is_kept(tmp_path: Path) -> None:
    with FakeUpstream([Answer.error(429, retry_after=0.3)]) as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(2), models=("big",))
        assert run(pilot, options=RunOptions(concurrency=1, first_pause_s=0.001)).ended == "done"
        first, second, third = upstream.requests
    assert second.at - first.at >= 0.3
    assert third.at - second.at < 0.3


def test_who_asks_for_an_hour_is_set_aside(tmp_path: Path) -> None:
    with FakeUpstream(Answer.error(429, retry_after=3600)) as upstream:
        pilot = made(tmp_path, upstream, models=("big",))
        (big,) = run(pilot, options=RunOptions(concurrency=1)).candidates
    assert big.set_aside == "it asks to be left alone for 3600 s"


def test_the_rates_of_a_provider_are_kept(tmp_path: Path) -> None:
    with FakeUpstream() as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(5), models=("big",), keys="requests_per_minute = 400")
        run(pilot)
        starts = [request.at for request in upstream.requests]
    assert starts[-1] - starts[0] >= 4 * 60 / 400 - 0.2  # a busy machine receives the first one late


@pytest.mark.parametrize(("keys", "at_once", "most"), [("", None, 16), ("max_concurrency = 3", 9, 3), ("", 5, 5)])
def test_no_more_calls_at_once_than_allowed(tmp_path: Path, keys: str, at_once: int | None, most: int) -> None:
    with FakeUpstream(Answer.slow(first_byte_s=0.3)) as upstream:  # in which all that may go out at once has
        pilot = made(tmp_path, upstream, asked=prompts(most + 4), models=("big",), keys=keys)
        run(pilot, options=RunOptions(concurrency=at_once))
        spans = [(request.at, request.ended_at or 0.0) for request in upstream.requests]
    assert max(sum(start <= at < end for start, end in spans) for at, _ in spans) == most


def test_a_stopped_run_loses_nothing(tmp_path: Path) -> None:
    with FakeUpstream(Answer.slow(first_byte_s=0.05)) as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(40), models=("big",))
        report = run(pilot, during=lambda made: once(lambda: upstream.received_count >= 5, made.stop))
        assert (report.ended, report.failed_calls) == ("stopped", 0)
        assert 0 < report.bought == len(graded(pilot)) < 40
        assert report.left == 40 - report.bought


def test_a_call_that_is_cut_off_counts_at_its_reserve(tmp_path: Path) -> None:
    def stop_twice(made: Run) -> None:
        once(lambda: upstream.received_count > 0, made.stop, made.stop)

    with FakeUpstream(Answer.hang()) as upstream:
        pilot = made(tmp_path, upstream, models=("big",))
        report = run(pilot, during=stop_twice)
        begun = records(pilot, Begun)
        assert begun
        assert [it.kind for it in failures(pilot)] == ["cancelled"] * len(begun)
        assert report.spent_usd == pytest.approx(sum(it.reserve_usd for it in begun))
        assert Standing.of(read_journal(pilot)).settled_usd == pytest.approx(report.spent_usd)
        assert report.left == 6
        upstream.script = None
        assert run(pilot).bought == 6


def test_a_full_disk_ends_the_run_and_asks_nobody_unwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)  # whatever a gateway that ran before in this process has set
    sync, left = os.fsync, iter(range(4))

    def full(fd: int) -> None:
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(fd)

    with FakeUpstream() as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(20), models=("big",))
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match=r"journal\.jsonl: cannot be written \(No space left .*\); make room"):
            run(pilot)
        monkeypatch.undo()
        assert (gc.collect() >= 0, caplog.records) == (True, [])  # nobody left the other calls' failures unread
        assert (upstream.received_count <= len(records(pilot, Begun)), run(pilot).ended) == (True, "done")
    assert len(bought(pilot)) == 20


def test_the_budget_is_spent_and_not_a_cent_more(tmp_path: Path) -> None:
    with FakeUpstream(Answer(text="4", usage=Usage(10, 50))) as upstream:
        one_usd = (10 * 10 + 50 * 40) / 1e6
        pilot = made(tmp_path, upstream, asked=prompts(50), models=("big",), budget_usd=12.0 * one_usd)
        report = run(pilot)
        assert (report.ended, report.candidates[0].is_broke) == ("budget", True)
        assert report.spent_usd == pytest.approx(len(bought(pilot)) * one_usd)
        assert 9 <= len(bought(pilot)) <= 11
        # More money, and it goes on where it was.
        assert run(pilot, budget_usd=1.0).ended == "done"
        assert upstream.received_count == 50


def test_a_dear_candidate_that_no_longer_fits_does_not_end_the_others(tmp_path: Path) -> None:
    with FakeUpstream(Answer(text="4", usage=Usage(10, 1))) as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(20), budget_usd=0.004)
        big, small = run(pilot).candidates
    assert big.is_broke
    assert small.bought == 20


def test_paid_grading_comes_out_of_the_same_purse(tmp_path: Path) -> None:
    with FakeUpstream(Answer(text="4", usage=Usage(10, 1))) as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(20), models=("small",), budget_usd=1.0)
        grader = Lengths(0.1)
        report = run(pilot, grader)
    # Every grading sets .2 aside and costs .1: the ninth answer is the last whose grading can be paid for.
    assert (len(bought(pilot)), len(grader.graded), report.ended) == (8, 8, "budget")
    assert report.spent_usd == pytest.approx(0.8, abs=0.01)
    paid = [it for it in records(pilot, Begun) if it.purpose == "grade"]
    assert {it.call_id for it in paid} == {it.call_id for it in graded(pilot)}


def test_rivals_are_waited_for(tmp_path: Path) -> None:
    grader = Lengths(needs_rival=True)
    asked = prompts(3)
    pairs = [Pair(it.query_id, model) for model in ("small", "big") for it in asked]
    with FakeUpstream() as upstream:
        pilot = made(tmp_path, upstream, asked=asked, pairs=pairs[:4])
        assert run(pilot, grader).waiting == 2
        assert {it.model for it in grader.graded} == {"big", "small"}
        with pilot.plan.open("a") as plan:
            plan.write("".join(f'{{"query_id": "{it.query_id}", "model": "{it.model}"}}\n' for it in pairs[4:]))
        assert run(pilot, grader).waiting == 0
    rivals = {(it.query_id, it.model): it.rival for it in grader.graded}
    assert len(rivals) == 6
    assert all(rival is not None and rival.startswith("big was asked") for rival in rivals.values())


class Broken(Lengths):
    """A grader that keeps to nothing."""

    async def grade(self, answered: Answered) -> Grade:
        if answered.query_id == "q0":
            raise RuntimeError("boom")
        return Grade(7.0 if answered.query_id == "q1" else float("nan"), self.name)


def test_a_grader_that_keeps_to_nothing_never_gives_a_zero(tmp_path: Path) -> None:
    with FakeUpstream() as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(3), models=("big",))
        report = run(pilot, Broken())
    notes = {it.query_id: (it.quality, it.note) for it in graded(pilot)}
    assert notes["q0"] == (None, "lengths raised RuntimeError: boom")
    assert notes["q1"] == (None, "lengths gave 7.0, which is no quality from 0 to 1")
    assert notes["q2"][0] is None
    assert (report.candidates[0].ungraded, report.candidates[0].graded) == (3, 0)


def test_a_changed_metric_grades_anew_and_asks_nobody(tmp_path: Path) -> None:
    with FakeUpstream() as upstream:
        pilot = made(tmp_path, upstream)
        run(pilot)
        before = upstream.received_count
        with pytest.raises(UsageError, match=r'12 gradings are by the metric "lengths", and now it is "other"; .*--re'):
            run(pilot, Lengths(name="other"))
        anew = RunOptions(regrade=True)
        owed: list[int] = []
        report = run(pilot, Lengths(name="other"), anew, during=lambda made: owed.append(made.report().to_grade))
        assert (owed, report.to_grade, sum(c.graded for c in report.candidates)) == ([12], 0, 12)
        assert sum(c.graded for c in run(pilot, Lengths(name="other"), anew).candidates) == 0
        assert upstream.received_count == before
    assert run(pilot, Lengths(name="other")).ended == "done"


def test_what_is_wrong_is_said_before_a_dollar_is_spent(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such pilot; plan it first"):
        prepare(PilotFolder(tmp_path / "none"), {})
    with FakeUpstream() as upstream:
        keyed = made(tmp_path, upstream, keys='api_key_env = "NO_KEY"')
    sentence = 'NO_KEY is not set: no key to ask "big", "small" with; export it'
    with pytest.raises(ConfigError, match=sentence) as caught:
        prepare(keyed, {})
    assert "--without" not in str(caught.value)
    assert len(prepare(keyed, {"NO_KEY": "k"}, without=["big"]).pairs) == 6
    assert len(prepare(keyed, {}, asks=False).pairs) == 12
    with pytest.raises(UsageError, match='--without "bug": the pilot has no such candidate; did you mean "big"'):
        prepare(keyed, {}, without=["bug"])
    with pytest.raises(UsageError, match="leaves no candidate"):
        prepare(keyed, {}, without=["big", "small"])
    (tmp_path / "prices.toml").write_text("[models.big]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 1\n")
    with pytest.raises(PriceError, match='no price for "small"'):
        prepare(keyed, {"NO_KEY": "k"})
    config = tmp_path / "tenbin.toml"
    config.write_text(config.read_text().replace("[candidates.small]", "[candidates.tiny]"))
    with pytest.raises(
        ConfigError, match=r'has no candidate "small", which the pilot is to ask; add it there. Or run --without small'
    ):
        prepare(keyed, {"NO_KEY": "k"})
    with keyed.plan.open("a") as plan:
        plan.write('{"query_id": "q99", "model": "big"}\n')
    with pytest.raises(DataError, match='holds a pair of the prompt "q99"'):
        prepare(keyed, {"NO_KEY": "k"})
    config.rename(tmp_path / "moved.toml")
    with pytest.raises(ConfigError, match=r'tenbin.toml: is not there .* into .*settings.json \("config"\)'):
        prepare(keyed, {"NO_KEY": "k"})


def test_a_missing_key_of_one_lets_the_user_choose(tmp_path: Path) -> None:
    with FakeUpstream() as upstream:
        pilot = made(tmp_path, upstream)
    config = tmp_path / "tenbin.toml"
    config.write_text(config.read_text().replace("[candidates.small]", '[candidates.small]\napi_key_env = "NO_KEY"'))
    with pytest.raises(ConfigError, match='no key to ask "small" with; export it, or go on --without small'):
        prepare(pilot, {})


def test_a_bound_that_a_provider_breaks_is_said_and_widened(tmp_path: Path) -> None:
    with FakeUpstream(Answer(text="4", usage=Usage(5000, 1))) as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(8), models=("big",))
        report = run(pilot, options=RunOptions(concurrency=1))
    reserves = [it.reserve_usd for it in records(pilot, Begun)]
    assert report.overrun_usd == pytest.approx(5000 * RATES["big"][0] / 1e6 + 40 / 1e6 - reserves[0])
    assert reserves[1] == pytest.approx(5000 * RATES["big"][0] / 1e6 + 40 / 1e6)


def test_a_bound_that_is_wrong_for_many_at_once_does_not_end_the_run(tmp_path: Path) -> None:
    # A hidden system prompt: each of sixteen calls that were out together costs more than was set aside for it.
    with FakeUpstream(Answer(text="ok", usage=Usage(2000, 50), first_chunk_s=0.05)) as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(30), budget_usd=50.0)
        report = run(pilot, options=RunOptions(concurrency=16))
    assert (report.ended, report.bought) == ("done", 60)
    assert report.overrun_usd > 0.0
