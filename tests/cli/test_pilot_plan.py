"""`tenbin pilot plan` as a person meets it: a new pilot, its next stage, and every sentence of refusal."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from click.testing import Result

from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.journal import Journal
from tests.cli.test_json_schemas import schema
from tests.pilot.plan.made import World, made_world, write_config

Tenbin = Callable[..., Result]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a tenbin.toml, its prices, and prompts of which one id stands twice; the working directory."""
    write_config(tmp_path, "[profiles.bare]\nbest = true\n")
    lines = [json.dumps({"query_id": p.query_id, "prompt": p.prompt}) for p in made_world(300).prompts]
    (tmp_path / "prompts.jsonl").write_text("\n".join([*lines, lines[0]]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def no_space(_fd: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_pilot_is_planned_bought_and_planned_again(
    tenbin: Tenbin, asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (asked / "prompts.txt").write_text("".join(f"{p.prompt}\n" for p in made_world(300).prompts[:300] * 2))
    told = tenbin("pilot", "plan", "mine", "prompts.txt", "--budget", "30", "--profile", "auto")
    assert told.exit_code == 0, told.stderr
    assert "Pilot mine, stage 0: every candidate on the same prompts" in told.stdout
    assert (
        "600 prompts read, 300 different ones kept: 210 to learn from, 30 for calibration, 60 for the test."
        in told.stdout
    )
    assert "the prompts alone" in told.stdout
    assert "- 300 prompts have no reference, without which the metric tells nothing" in " ".join(told.stdout.split())
    assert "tenbin pilot run mine --dry-run" in told.stdout
    pilot = PilotFolder(asked / "pilots" / "mine")
    assert sorted(path.name for path in pilot.path.iterdir()) == [
        "plan.jsonl",
        "prompts.jsonl",
        "settings.json",
        "stages.json",
    ]
    prompts, pairs = pilot.read_prompts(), pilot.read_plan()
    assert {prompt.count for prompt in prompts} == {2}
    assert len(pairs) == 240
    settings = pilot.read_settings()
    assert (settings.reference, settings.metric_name, settings.budget_usd) == ("dear", "exact", 30.0)

    refused = tenbin("pilot", "plan", "mine")
    assert refused.exit_code == 2
    assert "240 of the 240 pairs of stage 0 are not bought yet; buy them first" in refused.stderr
    anew = tenbin("pilot", "plan", "mine", "--stage", "0", "--budget", "40")
    assert anew.exit_code == 0, anew.stderr
    assert (pilot.read_plan(), pilot.read_settings().budget_usd) == (pairs, 40.0)

    before = {path.name: path.read_bytes() for path in pilot.path.iterdir()}
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", no_space)
        told = tenbin("pilot", "plan", "mine", "--stage", "0", "--budget", "50")
    assert (told.exit_code, {path.name: path.read_bytes() for path in pilot.path.iterdir()}) == (12, before)
    assert "settings.json: cannot be written (No space left on device); make room" in told.stderr

    world = made_world(300)
    index = {prompt.prompt: i for i, prompt in enumerate(world.prompts)}
    kept = World(prompts, world.quality[[index[prompt.prompt] for prompt in prompts]])
    with Journal.open(pilot) as journal:
        journal.append(*kept.records(pairs))
        locked = tenbin("pilot", "plan", "mine")
    assert "another command is writing this pilot" in locked.stderr
    told = tenbin("pilot", "plan", "mine", "--json", "--queries-per-day", "500")
    assert told.exit_code == 0, told.stderr
    found = json.loads(told.stdout)
    jsonschema.Draft202012Validator(schema("pilot-plan")).validate(found)
    assert (found["stage"]["stage"], found["stage"]["kind"]) == (1, "paired")
    assert found["stage"]["high_usd"] <= 40.0 - found["spent_usd"]
    assert pilot.read_settings().queries_per_day == 500.0
    stages = json.loads(pilot.stages.read_text())
    assert [stage["stage"] for stage in stages] == [0, 1]
    assert len(pilot.read_plan()) == 240 + found["stage"]["pairs"]


def test_what_a_pilot_was_planned_with_stays(tenbin: Tenbin, asked: Path) -> None:
    (asked / "many.txt").write_text("".join(f"{p.prompt}\n" for p in made_world(60).prompts))
    assert tenbin("pilot", "plan", "mine", "many.txt", "--budget", "30", "--profile", "auto").exit_code == 0
    for flag, value in (("--seed", "0"), ("--reference", "dear")):
        told = tenbin("pilot", "plan", "mine", "--stage", "0", flag, value)
        assert (told.exit_code, told.stdout) == (2, "")
        assert f"{flag} was fixed when the pilot was planned" in told.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("new prompts.jsonl --budget 5", 6, "does not say which profile is meant"),
        ("new prompts.jsonl --budget 5 --profile bare", 6, "the profile bare does not say how its answers are graded"),
        ("new prompts.jsonl --budget 5 --profile aut", 6, 'did you mean "auto"?'),
        ("new prompts.jsonl --profile auto", 2, "a new pilot needs a budget"),
        ("new prompts.jsonl --profile auto --budget 0", 2, "--budget 0 is not above 0"),
        ("new prompts.jsonl --profile auto --budget 5", 3, 'query_id "q0" was already given'),
        ("new none.jsonl --profile auto --budget 5", 3, "none.jsonl: cannot be read"),
        ("new few.txt --profile auto --budget 5", 3, "3 different prompts are too few for a pilot"),
        ("new many.txt --profile auto --budget 0.0001", 2, "give a larger --budget"),
        ("new many.txt --profile auto --budget 5 --reference deer", 2, 'did you mean "dear"?'),
        ("new many.txt --profile auto --budget 5 --prices empty.toml", 4, 'no price for "dear"'),
        ("new many.txt --profile auto --budget 5 --stage 1", 2, "a new pilot begins with stage 0"),
        ("new many.txt --from-store --profile auto --budget 5", 2, "PROMPTS and --from-store are two sources"),
        ("new --from-store --profile auto --budget 5", 12, "there is no store here yet"),
        ("../new many.txt --profile auto --budget 5", 2, "is no name for a folder"),
        ("new --budget 5", 2, "a new pilot needs prompts"),
    ],
)
def test_what_cannot_be_planned_is_said_in_one_sentence(
    tenbin: Tenbin, asked: Path, words: str, code: int, said: str
) -> None:
    (asked / "few.txt").write_text("one\ntwo\nthree\n")
    (asked / "many.txt").write_text("".join(f"{p.prompt}\n" for p in made_world(60).prompts))
    (asked / "empty.toml").write_text("")
    told = tenbin("pilot", "plan", *words.split())
    assert (told.exit_code, told.stdout) == (code, "")
    assert said in told.stderr
    assert not (asked / "pilots").exists() or not list((asked / "pilots").iterdir())
