"""A new pilot: what its folder says of itself, and what is no ground for one."""

from __future__ import annotations

import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tenbin.errors import DataError, UsageError
from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.plan.hold_out import draw_splits
from tenbin.pilot.plan.new import NewPilot, plan_new
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.settings import PilotSettings
from tests.pilot.plan.made import MODELS, made_world, write_config

WORLD = [f"{prompt.prompt}" for prompt in made_world(60).prompts]


def asked(folder: Path, prompts: list[str]) -> NewPilot:
    path = folder / "prompts.txt"
    path.write_text("\n".join(prompts))
    return NewPilot(path, write_config(folder), 1.0)


def test_a_new_pilot_says_what_it_was_made_of(tmp_path: Path) -> None:
    new = replace(asked(tmp_path, [*WORLD, WORLD[0]]), reference="good", seed=5, queries_per_day=9.0)
    progress: list[tuple[str, float]] = []
    before = time.time()
    found = plan_new(PilotFolder(tmp_path / "p"), new, {}, lambda what, share: progress.append((what, share)))
    folder = PilotFolder(tmp_path / "p")
    settings = folder.read_settings()
    assert before <= settings.created_at == found.stage.planned_at <= time.time()
    assert settings == found.settings
    assert settings == PilotSettings(
        profile="auto",
        candidates=MODELS,
        reference="good",
        metric="exact",
        metric_name="exact",
        budget_usd=1.0,
        config=str(tmp_path / "tenbin.toml"),
        prompts_source="prompts.txt",
        prompts_hash=sha256((tmp_path / "prompts.txt").read_bytes()).hexdigest(),
        seed=5,
        queries_per_day=9.0,
        prices=str(tmp_path / "prices.toml"),
        created_at=settings.created_at,
    )
    assert (found.n_read, found.is_sample, found.spent_usd, found.stage.stage) == (61, False, 0.0, 0)
    assert found.n_ungradable == 60  # plain text has no references, and "exact" grades by them
    prompts = folder.read_prompts()
    assert [prompt.count for prompt in prompts] == [2] + [1] * 59
    assert {split: sum(p.split == split for p in prompts) for split in found.splits} == found.splits
    assert found.splits == {"train": 42, "calibration": 6, "test": 12}
    assert progress == [
        ("reading prompts", 0.0),
        ("clustering prompts", 0.3),
        ("planning", 0.6),
        ("planning", 1.0),
    ]
    for name, seed, is_same in (("again", 5, True), ("other", 6, False)):
        other = PilotFolder(tmp_path / name)
        plan_new(other, replace(new, seed=seed), {}, lambda *_: None)
        assert (other.read_plan() == folder.read_plan()) is is_same


def test_what_is_no_ground_for_a_pilot_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    folder = PilotFolder(tmp_path / "p")
    with pytest.raises(UsageError, match='the reference "god" is no candidate of the profile; did you mean "good"'):
        plan_new(folder, replace(asked(tmp_path, WORLD), reference="god"), {}, lambda *_: None)
    few = "prompts.txt: 19 different prompts are too few for a pilot .fewer than 20"
    with pytest.raises(DataError, match=few):
        plan_new(folder, asked(tmp_path, WORLD[:19] * 2), {}, lambda *_: None)
    alike = [*(f"the same but for number {i}" for i in range(20)), "another prompt"]
    read = [PilotPrompt(str(i), text) for i, text in enumerate(alike)]
    seed = next(
        seed for seed in range(99) if draw_splits(read, seed=seed).count("train") < 10
    )  # both kinds are one lot
    with pytest.raises(DataError, match=r"prompts\.txt: nearly all prompts are alike"):
        plan_new(folder, replace(asked(tmp_path, alike), seed=seed), {}, lambda *_: None)
    assert not folder.path.exists()
    folder.path.mkdir()
    with pytest.raises(UsageError, match="is there already"):
        plan_new(folder, asked(tmp_path, WORLD), {}, lambda *_: None)
