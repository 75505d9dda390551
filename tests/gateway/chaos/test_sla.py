"""What a profile promises: time, availability, quality, money; and what happens when it cannot be kept."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from tenbin.gateway import relay, streaming
from tenbin.testing import Answer
from tests.gateway.chaos.client import EASY, HARD, chat_body
from tests.gateway.chaos.processes import gathered
from tests.gateway.running import PATIENCE_S, Reply, Running, Upstreams, after, eventually, frames

DEADLINE_S = 1.5
LATE_S = 30.0


def sla(line: str) -> str:
    return f"mu = 0.3\n[profiles.auto.sla]\n{line}"


def timed(gateway: Running, *, is_stream: bool) -> tuple[float, str]:
    """Seconds that an answer took, and who gave it."""
    began = time.monotonic()
    answer = gateway.chat(stream=is_stream)
    assert answer.status == 200
    return time.monotonic() - began, answer.headers["x-tenbin-model"]


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_slow_candidate_leaves_time_for_a_fast_one(folder: Path, ups: Upstreams, is_stream: bool) -> None:
    ups["good"].script = Answer.slow(first_byte_s=LATE_S)
    with Running(folder, ups, profile=sla(f"deadline_s = {DEADLINE_S}")) as gateway:
        assert timed(gateway, is_stream=is_stream)[1] == "cheap"
        ups["good"].wait_closed(ups["good"].requests[0])
        first, second = gateway.calls()
        assert (first.status, first.failure, second.status) == ("failed", "timeout", "ok")
        assert first.billed_usd > 0.0


def test_a_stream_whose_first_token_is_late_is_taken_over(folder: Path, ups: Upstreams) -> None:
    ups["good"].script = Answer.slow(first_chunk_s=LATE_S)
    with Running(folder, ups, profile=sla("first_token_s = 0.8\ndeadline_s = 60")) as gateway:
        seconds, model = timed(gateway, is_stream=True)
        assert model == "cheap"
        assert seconds < LATE_S / 2
        ups["good"].wait_closed(ups["good"].requests[0])
        # Once it speaks, a stream may take its time.
        ups["good"].script = Answer(text="one two three four five", chunk_gap_s=0.2)
        began = time.monotonic()
        answer = gateway.chat(stream=True)
        assert answer.headers["x-tenbin-model"] == "good"
        assert frames(answer.body)[-1] == "[DONE]"
        assert time.monotonic() - began > 0.8


def test_nobody_in_time_is_said_in_time(folder: Path, ups: Upstreams) -> None:
    ups["good"].script = ups["cheap"].script = Answer.slow(first_byte_s=LATE_S)
    with Running(folder, ups, profile=sla("deadline_s = 0.5")) as gateway:
        began = time.monotonic()
        answer = gateway.chat()
        assert time.monotonic() - began < LATE_S / 2
        assert answer.status == 504
        assert answer.error["code"] == "upstream_timeout"
        assert [call.failure for call in gateway.calls()] == ["timeout", "timeout"]


def test_the_last_one_that_can_be_asked_has_all_the_time_there_is(folder: Path, ups: Upstreams) -> None:
    ups["cheap"].script = Answer.error(429, retry_after=60)
    with Running(folder, ups, profile=sla(f"deadline_s = {DEADLINE_S}")) as gateway:
        gateway.chat(EASY, model="cheap")  # whose breaker now waits for a minute
        ups["good"].script = Answer.slow(first_byte_s=0.7 * DEADLINE_S)
        assert timed(gateway, is_stream=False)[1] == "good"


def test_a_candidate_with_all_its_calls_running_is_passed_over(folder: Path, ups: Upstreams) -> None:
    ups["good"].script = after(ups["cheap"], 4)
    with Running(folder, ups, candidate={"good": "max_concurrency = 2"}) as gateway:
        bodies = [json.loads(chat_body(f"{HARD} {i}")) for i in range(6)]
        answers = asyncio.run(gathered(gateway.base_url.removesuffix("/v1"), bodies))
        assert [status for status, _ in answers] == [200] * 6
        assert sorted(ups.called()) == ["cheap"] * 4 + ["good"] * 2
        ups["good"].script = ()
        assert gateway.chat().headers["x-tenbin-model"] == "good"


def retreated(gateway: Running) -> bool:
    lines = gateway.request("GET", "/metrics", admin=True).body.decode()
    return 'tenbin_retreated{profile="auto"} 1.0' in lines


def alarms(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The alarms in the log since the last look, once there is one: a thread of its own writes the log."""
    found: list[str] = []

    def look() -> list[str]:
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
        errors = [line["message"] for line in lines if line["level"] == "error"]
        found.extend(message for message in errors if "profile auto retreats to its" in message)
        return found

    eventually(look, "an alarm is in the log")
    return found


def resume(gateway: Running) -> None:
    assert gateway.request("POST", "/profiles/auto/resume", admin=True).status == 200
    assert not retreated(gateway)


def rate(gateway: Running, answer: Reply, quality: float) -> None:
    verdict = {"decision_id": answer.headers["x-tenbin-decision-id"], "quality": quality}
    assert gateway.post("/v1/feedback", verdict).status == 200


def test_bad_answers_make_a_profile_retreat_until_told_otherwise(
    folder: Path, ups: Upstreams, capsys: pytest.CaptureFixture[str]
) -> None:
    with Running(folder, ups, profile=sla("min_quality = 0.9")) as gateway:
        easy = gateway.chat(EASY)
        assert easy.headers["x-tenbin-model"] == "cheap"
        for _ in range(40):
            rate(gateway, easy, 0.0)
        assert not retreated(gateway)  # one verdict, however often it is said
        for _ in range(40):
            rate(gateway, gateway.chat(EASY), 0.0)
        assert retreated(gateway)
        (alarm,) = alarms(capsys)
        assert "mean quality 0.000" in alarm
        answer = gateway.chat(EASY)
        assert answer.headers["x-tenbin-model"] == "good"
        assert "retreated" in answer.headers["x-tenbin-reason"]
        resume(gateway)
        assert gateway.chat(EASY).headers["x-tenbin-model"] == "cheap"


def test_a_verdict_from_before_a_restart_does_not_count_again(folder: Path, ups: Upstreams) -> None:
    with Running(folder, ups, profile=sla("min_quality = 0.9")) as gateway:
        answers = [gateway.chat(EASY) for _ in range(20)]
        for answer in answers:
            rate(gateway, answer, 0.0)
    with Running(folder, ups, profile=sla("min_quality = 0.9")) as gateway:
        for answer in answers * 2:
            rate(gateway, answer, 0.0)
        assert not retreated(gateway)
        for _ in range(10):  # what was seen before it counts once
            rate(gateway, gateway.chat(EASY), 0.0)
        assert retreated(gateway)


def test_an_outage_makes_a_profile_retreat(folder: Path, ups: Upstreams, capsys: pytest.CaptureFixture[str]) -> None:
    with Running(folder, ups, profile=sla("availability = 0.9")) as gateway:
        for _ in range(20):
            assert gateway.chat(messages=[]).status == 400  # a client's fault says nothing
        ups["good"].script = ups["cheap"].script = Answer.error(500)
        for _ in range(40):
            assert gateway.chat().status >= 500
        assert retreated(gateway)
        assert len(alarms(capsys)) == 1
        ups["good"].script = ups["cheap"].script = ()
        gateway.gateway.services.breakers.__init__()  # type: ignore[misc]
        assert gateway.chat(EASY).headers["x-tenbin-model"] == "good"
        resume(gateway)
        assert gateway.chat(EASY).headers["x-tenbin-model"] == "cheap"


def test_streams_that_break_half_way_make_a_profile_retreat(folder: Path, ups: Upstreams) -> None:
    with Running(folder, ups, profile=sla("availability = 0.9")) as gateway:
        ups["good"].script = Answer(error_after=3, chunk_gap_s=0.002)
        ups["cheap"].script = Answer(error_after=3, chunk_gap_s=0.002)
        for i in range(40):
            gateway.chat((EASY, HARD)[i % 2], stream=True)
        assert retreated(gateway)


def test_overspending_makes_a_profile_retreat_to_its_safe_default(
    folder: Path, ups: Upstreams, capsys: pytest.CaptureFixture[str]
) -> None:
    with Running(folder, ups, profile=f'safe_default = "cheap"\n{sla("max_spend_usd = 0.0005")}') as gateway:
        assert gateway.chat().headers["x-tenbin-model"] == "good"
        assert sum(call.billed_usd for call in gateway.calls()) > 0.0005
        gateway.gateway.services._read_spend()  # which a task does every few seconds
        assert retreated(gateway)
        (alarm,) = alarms(capsys)
        assert "to its named safe default, or else its cheapest candidate: " in alarm
        assert "promised at most" in alarm
        assert gateway.chat().headers["x-tenbin-model"] == "cheap"
        resume(gateway)
        gateway.gateway.services._read_spend()
        assert not retreated(gateway)
        assert gateway.chat().headers["x-tenbin-model"] == "good"


def test_overspending_without_a_named_safe_default_never_makes_a_profile_dearer(folder: Path, ups: Upstreams) -> None:
    """The reference answered everything then: who had spent too much spent several times as much from there on."""
    with Running(folder, ups, profile=sla("max_spend_usd = 0.0005")) as gateway:
        assert gateway.chat().headers["x-tenbin-model"] == "good"
        gateway.calls()
        gateway.gateway.services._read_spend()
        assert retreated(gateway)
        for text in (EASY, HARD):
            assert gateway.chat(text).headers["x-tenbin-model"] == "cheap"
        ups["cheap"].script = Answer.error(500)
        answer = gateway.chat(EASY)  # a fallback is a fallback all the same
        assert (answer.status, answer.headers["x-tenbin-model"]) == (200, "good")


def test_a_profile_in_retreat_stays_so_where_its_promise_is_changed(folder: Path, ups: Upstreams) -> None:
    """It routed again until the store was looked at, up to two seconds after each change of the file."""
    with Running(folder, ups, profile=sla("min_quality = 0.9")) as gateway:
        for _ in range(40):
            rate(gateway, gateway.chat(EASY), 0.0)
        assert retreated(gateway)
        text = gateway.config.read_text(encoding="utf-8")
        gateway.config.write_text(text.replace("min_quality = 0.9", "min_quality = 0.8"), encoding="utf-8")
        gateway.gateway.reload()
        assert gateway.chat(EASY).headers["x-tenbin-model"] == "good"
        resume(gateway)
        assert gateway.chat(EASY).headers["x-tenbin-model"] == "cheap"


def test_a_stream_without_a_deadline_goes_on_for_as_long_as_it_speaks(
    folder: Path, ups: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "DEADLINE_S", 0.8)
    monkeypatch.setattr(streaming, "SILENCE_S", 0.8)
    words = "one two three four five six seven eight nine ten"
    ups["good"].script = Answer(text=words, chunk_gap_s=0.1)
    with Running(folder, ups) as gateway:
        assert frames(gateway.chat(stream=True).body)[-1] == "[DONE]"
        whole = gateway.chat(stream=True).body
        ups["good"].script = Answer(text=words, cut_at=len(whole) // 2, ending="hang")
        began = time.monotonic()
        answer = gateway.chat(stream=True)
        assert time.monotonic() - began < PATIENCE_S / 2
        assert answer.headers["x-tenbin-model"] == "good"
        assert "error" in frames(answer.body)[-1]
        assert [call.failure for call in gateway.calls()] == [None, None, "timeout"]
