"""A pilot whose answers a judge compares: paid out of the same budget, noted where it cannot tell, traceable."""

from __future__ import annotations

import asyncio
import json
import os
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.journal import read_journal
from tenbin.pilot.records import Begun, Graded
from tenbin.pilot.run.grading import LONG_ANSWER
from tenbin.pilot.run.perform import perform
from tenbin.pilot.run.prepared import prepare
from tenbin.pilot.run.report import RunReport
from tenbin.pilot.run.run import Run
from tenbin.quality.grade import Answered
from tenbin.quality.metric_grader import MetricGrader
from tenbin.quality.plugin_metric import FunctionMetric
from tenbin.testing import Answer, FakeUpstream, UpstreamRequest
from tenbin.types import Usage
from tests.pilot.run.made import EAGER, Lengths, bought, made, once, prompts, records, run

METRICS = """
[candidates.judge]
model = "strict-judge"
base_url = "{base_url}"
judge = true

[metrics.m]
kind = "mixture"
weights = {{ better = 1, numeric = 1 }}
vetoes = ["polite"]

[metrics.better]
kind = "pairwise"
judge = "judge"
max_output_tokens = 50

[metrics.polite]
kind = "contains"
forbidden = ["stupid"]
"""
JUDGE_PRICE = "[models.judge]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 10\n"
VERDICT = Usage(2000, 40)
BUDGET_USD = 0.065


def answers(request: UpstreamRequest) -> Answer:
    """`big` is right; `small` is wrong, and rude once; the judge finds `big` better, and has once no verdict."""
    asked = request.json["messages"][-1]["content"]
    if request.model == "strict-judge":
        if "Question 5" in asked:
            return Answer(text="I cannot say.", usage=VERDICT)
        first, second = asked.index("<first answer "), asked.index("<second answer ")
        better = "first" if first < asked.index("SURELY") < second else "second"
        return Answer(text=json.dumps({"reason": "so", "better": better}), usage=VERDICT)
    number = int(asked.split()[1].strip(":"))
    if request.model == "big":
        return Answer(text=f"SURELY {2 * number}", usage=Usage(20, 10))
    return Answer(text="That is stupid." if number == 3 else "No idea.", usage=Usage(20, 10))


def judged(folder: Path, upstream: FakeUpstream, budget_usd: float) -> tuple[PilotFolder, RunReport]:
    pilot = made(folder, upstream, asked=prompts(6), metric="m", budget_usd=budget_usd)
    for name, text in (("tenbin.toml", METRICS.format(base_url=upstream.base_url)), ("prices.toml", JUDGE_PRICE)):
        path = folder / name
        path.write_text(path.read_text() + text)
    return pilot, asyncio.run(perform(prepare(pilot, {}), {}, EAGER))


def test_a_whole_pilot_with_a_judge(tmp_path: Path) -> None:
    with FakeUpstream(answers) as upstream:
        pilot, report = judged(tmp_path, upstream, 10.0)
        calls = [request for request in upstream.requests if request.model == "strict-judge"]
    assert report.ended == "done"
    grades = {(r.query_id, r.model): r for r in read_journal(pilot) if isinstance(r, Graded)}
    assert len(grades) == 12
    assert {grade.metric for grade in grades.values()} == {report.metric}
    for query in ("q0", "q1", "q2", "q4"):
        assert (grades[query, "big"].quality, grades[query, "small"].quality) == (0.75, 0.0)
    assert grades["q3", "small"].quality == 0.0
    assert grades["q3", "small"].note == "polite is breached"
    assert grades["q5", "small"].quality is None
    assert "better: the judge judge answered nonsense" in grades["q5", "small"].note
    details = grades["q1", "small"].details
    assert (details["better.judge_model"], details["better.as_first"], details["numeric"]) == ("strict-judge", "0", "0")
    assert len(calls) == 4 * 2 + 2 * 2  # both orders; twice each for nonsense; none for big, nor after a breach
    billed = sum(VERDICT.input_tokens * 1 + VERDICT.output_tokens * 10 for _ in calls) / 1e6
    assert sum(grade.cost_usd for grade in grades.values()) == pytest.approx(billed)


def test_judging_never_spends_more_than_the_budget(tmp_path: Path) -> None:
    with FakeUpstream(answers) as upstream:
        pilot, report = judged(tmp_path, upstream, BUDGET_USD)
    records = read_journal(pilot)
    paid = [record for record in records if isinstance(record, Begun) and record.purpose == "grade"]
    assert paid
    assert report.unpaid + report.left > 0
    assert report.spent_usd <= BUDGET_USD
    by_call = {record.call_id: record.reserve_usd for record in paid}
    for record in records:
        if isinstance(record, Graded) and record.call_id is not None:
            assert record.cost_usd <= by_call[record.call_id]


class Longer(Lengths):
    """A judge whose bound for the answers that come is above what was set aside for them."""

    def reserve_usd(self, answered: Answered) -> float:
        return 0.001 if answered.answer == LONG_ANSWER else 0.3


def test_gradings_that_wait_for_money_hold_up_nobody_who_has_it(tmp_path: Path) -> None:
    with FakeUpstream() as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(30), budget_usd=0.7)
        report = run(pilot, Longer(0.05))
    assert report.ended == "budget"
    assert report.spent_usd <= 0.7
    assert len(records(pilot, Graded)) > 4


def test_a_metric_that_never_ends_holds_up_neither_the_journal_nor_ctrl_c(tmp_path: Path) -> None:
    never = Event()
    hangs = MetricGrader(FunctionMetric("hangs", lambda *_: float(never.wait())))
    told: list[int] = []

    def during(made: Run) -> None:
        def soon() -> None:
            told.append(made.report().to_grade)
            asyncio.get_running_loop().call_later(0.2, made.stop)

        once(lambda: made.report().bought > 16, soon, soon)

    with FakeUpstream() as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(30))
        report = run(pilot, hangs, during=during)
    never.set()
    # More than two gradings a call wait, then nobody is asked; all that was bought by then is written down.
    assert (report.ended, report.bought) == ("stopped", len(bought(pilot)))
    assert 16 < report.bought < 60
    assert told[0] >= 16  # whoever watches sees what is waited for


def test_what_the_disk_has_not_taken_when_a_run_is_cut_off_is_counted_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, sync = Event(), os.fsync
    disk.set()
    monkeypatch.setattr(os, "fsync", lambda fd: disk.wait() and sync(fd))

    def answers(_: UpstreamRequest) -> Answer:
        disk.clear()  # that the call is made, the disk holds; its answer has to wait
        return Answer()

    def during(made: Run) -> None:
        later = partial(asyncio.get_running_loop().call_later, 0.1)
        once(lambda: made.report().spent_usd > 0.0, made.stop, made.stop, partial(later, disk.set))

    with FakeUpstream(answers) as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(1), models=("big",))
        report = run(pilot, during=during)
    assert (report.ended, report.bought) == ("stopped", len(bought(pilot)))
    assert report.bought == 1
