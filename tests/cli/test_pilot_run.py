"""`tenbin pilot run` as a person meets it: words, JSON, signals, and the exit code."""

from __future__ import annotations

import io
import json
import shlex
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from click.testing import Result

from tenbin.cli.output import words_of
from tenbin.cli.pilot_run_progress import RunProgress
from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.run.report import RunReport
from tenbin.testing import Answer, FakeUpstream, UpstreamRequest
from tests.cli.test_json_schemas import schema
from tests.pilot.run.made import bought, failures, graded, made, prompts, run

Tenbin = Callable[..., Result]
Spawn = Callable[..., subprocess.Popen[bytes]]


def test_the_whole_of_it(tenbin: Tenbin, tmp_path: Path) -> None:
    with FakeUpstream(Answer(text="It is 4.")) as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(4), metric="contains")
        told = tenbin("pilot", "run", "mine", "--root", tmp_path / "pilots", "--dry-run")
        assert told.exit_code == 0, told.stderr
        assert "Nothing was asked. A run would ask 8 pairs" in told.stdout
        assert (upstream.received_count, pilot.journal.exists()) == (0, False)
        told = tenbin("pilot", "run", "mine", "--root", tmp_path / "pilots", "--budget", "3")
        assert told.exit_code == 0, told.stderr
    assert "8 answers bought and 8 gradings" in told.stdout
    assert "of $3.00 spent in all" in told.stdout
    assert "Everything that was planned for these candidates is bought." in told.stdout
    assert f"tenbin pilot status mine --root {shlex.quote(str(tmp_path / 'pilots'))}" in told.stdout
    assert pilot.read_settings().budget_usd == 3.0
    assert {(it.query_id, it.quality) for it in graded(pilot)} == {
        ("q0", 0.0),
        ("q1", 0.0),
        ("q2", 1.0),
        ("q3", 0.0),
    }


def test_another_metric_of_the_profile_is_heard_of_and_grades_anew(tenbin: Tenbin, tmp_path: Path) -> None:
    with FakeUpstream(Answer(text="It is 4.")) as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(4), metric="contains")
        root = ("--root", tmp_path / "pilots")
        assert tenbin("pilot", "run", "mine", *root).exit_code == 0
        config = Path(pilot.read_settings().config)
        config.write_text(config.read_text().replace('metric = "contains"', 'metric = "exact"'))
        told = tenbin("pilot", "run", "mine", *root)
        assert (told.exit_code, 'and now it is "exact"' in told.stderr) == (2, True)
        before = upstream.received_count
        assert tenbin("pilot", "run", "mine", *root, "--regrade").exit_code == 0
        assert upstream.received_count == before
    assert [it.metric for it in graded(pilot)][-8:] == ["exact"] * 8


@pytest.mark.parametrize(("name", "flags"), [("pilot-run", ()), ("pilot-run-dry", ("--dry-run",))])
def test_the_documents_keep_to_their_schemas(tenbin: Tenbin, tmp_path: Path, name: str, flags: tuple[str, ...]) -> None:
    with FakeUpstream([Answer.error(503)]) as upstream:
        made(tmp_path, upstream, metric="exact")
        told = tenbin("pilot", "run", "mine", "--root", tmp_path / "pilots", "--json", *flags)
    assert told.exit_code == 0, told.stderr
    jsonschema.Draft202012Validator(schema(name)).validate(json.loads(told.stdout))


def test_everything_odd_is_said_in_both_languages(tenbin: Tenbin, tmp_path: Path) -> None:
    def script(request: UpstreamRequest) -> Answer | None:
        text = str(request.json)
        if request.model == "big":
            return Answer.error(401, message="bad key\x1b[2J")
        if "Question 0" in text:
            return Answer.content_filter()
        if "Question 1" in text:
            return Answer(text="", finish="length")
        return Answer.context_length_exceeded() if "Question 2" in text else None

    with FakeUpstream(script) as upstream:
        made(tmp_path, upstream, metric="exact")
        told = tenbin("pilot", "run", "mine", "--root", tmp_path / "pilots")
        again = tenbin("pilot", "run", "mine", "--root", tmp_path / "pilots", "--lang", "ja")
    for part in (
        "big: set aside: the upstream answered with status 401 (bad key",
        "small: failed calls that were tried again: 1 context",
        "small: 1 pair is given up",
        "small: 1 answer is a refusal",
        "small: 1 answer is empty",
        "small: 1 answer met the cap of 50 tokens",
        "6 pairs are left, for their candidates failed",
    ):
        assert part in told.stdout
    assert "\x1b[2J" not in told.stdout
    assert told.exit_code == 0
    # Now nobody answers, and something is left.
    assert again.exit_code == 10
    assert "除外しました" in again.stdout
    assert again.stderr.startswith("tenbin: no candidate answered; big: the upstream answered with status 401")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--budget", "0"), "--budget 0 is no budget"),
        (("--deadline", "nan"), "--deadline nan is no time"),
        (("--without", "nobody"), '--without "nobody": the pilot has no such candidate'),
    ],
)
def test_flags_that_make_no_sense(tenbin: Tenbin, tmp_path: Path, flags: tuple[str, ...], said: str) -> None:
    with FakeUpstream() as upstream:
        made(tmp_path, upstream)
    told = tenbin("pilot", "run", "mine", "--root", tmp_path / "pilots", *flags)
    assert (told.exit_code, said in told.stderr) == (2, True)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_cleanly(spawn: Spawn, tmp_path: Path, number: signal.Signals, code: int) -> None:
    with FakeUpstream(Answer.slow(first_byte_s=0.3)) as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(60), models=("big",), metric="exact")
        process = spawn("pilot", "run", "mine", "--root", tmp_path / "pilots", "--concurrency", "4")
        upstream.wait_for(6, timeout_s=60)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert b"Run it again to go on." in out
    assert b"Stopping: nobody is asked any more" in err
    assert failures(pilot) == []
    assert 0 < len(bought(pilot)) == len(graded(pilot)) < 60


def reports(tmp_path: Path) -> list[RunReport]:
    """The reports of a run that fails now and then, as its watcher sees them."""
    with FakeUpstream([Answer.error(503)] * 3) as upstream:
        pilot: PilotFolder = made(tmp_path, upstream)
        return [run(pilot)]


def test_progress_redraws_on_a_terminal_and_says_a_line_now_and_then_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    (report,) = reports(tmp_path)
    now = [0.0]

    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    live, plain = Screen(), io.StringIO()
    for stream in (live, plain):
        now[0] = 0.0
        progress = RunProgress(stream, words_of("en"), clock=lambda: now[0])
        for _ in range(100):
            now[0] += 1.0
            progress.show(report)
        progress.clear()
    assert plain.getvalue().count("\n") == 3
    assert "12 of 12 answers, $" in plain.getvalue()
    now[0] += 100.0
    progress.show(replace(report, to_grade=1200))
    assert "12 of 12 answers, 1,200 to grade, $" in plain.getvalue()
    assert live.getvalue().count("\x1b[3A\x1b[J") == 100
    assert "big                       6 of 6, 0 running, " in live.getvalue()


def test_the_profile_says_what_passes_and_must_still_be_there(tenbin: Tenbin, tmp_path: Path) -> None:
    with FakeUpstream(Answer(text="4")) as upstream:
        pilot = made(tmp_path, upstream, asked=prompts(3), models=("big",), metric="contains")
        config = tmp_path / "tenbin.toml"
        config.write_text(config.read_text() + "threshold = 0.5\n")
        assert tenbin("pilot", "run", "mine", "--root", tmp_path / "pilots").exit_code == 0
        assert {it.quality for it in graded(pilot)} == {0.0, 1.0}
        assert all("0.5" in it.metric for it in graded(pilot))
        config.write_text(config.read_text().replace("[profiles.auto]", "[profiles.other]"))
        told = tenbin("pilot", "run", "mine", "--root", tmp_path / "pilots")
    assert told.exit_code == 6
    assert 'has no profile "auto"' in told.stderr
