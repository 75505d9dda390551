"""Which stage of a pilot may be planned next, and what it takes from who plans it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from tenbin.errors import ConfigError, DataError, UsageError
from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.pair import Pair
from tenbin.pilot.plan.new import NewPilot, plan_new
from tenbin.pilot.plan.next import _number, plan_next
from tenbin.pilot.standing import Standing
from tests.pilot.plan.made import BOOK, made_world, write_config

FIRST = [Pair(f"q{i}", "a", stage=0) for i in range(10)]
SECOND = [Pair(f"q{i}", model, stage=1) for model in "ab" for i in range(10, 20)]


def number(bought: int, *, given_up: int = 0, down: Collection[str] = (), asked: int | None = None) -> int:
    """Which stage comes once so many of the twenty pairs of stage 1 are settled."""
    keys = [pair.key for pair in SECOND]
    standing = Standing({pair.key for pair in FIRST} | set(keys[:bought]), set(keys[bought : bought + given_up]))
    return _number(PilotFolder(Path("pilots/my pilot")), [*FIRST, *SECOND], standing, down, asked)


def test_the_next_stage_comes_once_nine_tenths_of_the_last_one_are_settled() -> None:
    assert [number(18), number(20), number(12, given_up=6), number(18, asked=2)] == [2, 2, 2, 2]
    assert number(8, down=("b",)) == 2  # nobody waits for who is down
    said = "^3 of the 20 pairs of stage 1 are not bought yet; buy them first: tenbin pilot run 'my pilot'$"
    with pytest.raises(UsageError, match=said):
        number(17)
    with pytest.raises(
        UsageError, match=r"^20 of the 20 .* tenbin pilot run 'my pilot', or plan it anew with --stage 1$"
    ):
        number(0)
    assert _number(PilotFolder(Path("p")), [], Standing(), (), None) == 0


def test_a_stage_is_planned_anew_only_while_nothing_of_it_is_settled() -> None:
    assert number(0, asked=1) == 1
    refused = "^stage 1 cannot be planned: the last one is 1, of which 1 pair is bought; plan stage 2, the next one$"
    for settled in ({"bought": 1}, {"bought": 0, "given_up": 1}):
        with pytest.raises(UsageError, match=refused):
            number(**settled, asked=1)
    for asked in (0, 3):
        with pytest.raises(UsageError, match=f"^stage {asked} cannot be planned: .* of which 0 pairs are bought"):
            number(0, asked=asked)


def test_a_stage_that_is_planned_anew_takes_budget_prices_and_volume_and_keeps_what_is_not_given(
    tmp_path: Path,
) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("\n".join(prompt.prompt or "" for prompt in made_world(60).prompts))
    folder = PilotFolder(tmp_path / "pilot")
    first = plan_new(folder, NewPilot(prompts, write_config(tmp_path), 1.0), {}, lambda *_: None)
    dearer = tmp_path / "dearer.toml"
    dearer.write_text(BOOK.replace("= 30", "= 60"))
    progress: list[tuple[str, float]] = []
    anew = plan_next(
        folder,
        {},
        lambda what, share: progress.append((what, share)),
        stage=0,
        budget_usd=5.0,
        prices=dearer,
        queries_per_day=70.0,
    )
    settings = folder.read_settings()
    assert (settings.budget_usd, settings.prices, settings.queries_per_day) == (5.0, str(dearer), 70.0)
    assert anew.settings == settings
    assert anew.stage.expected_usd > first.stage.expected_usd
    assert (anew.stage.stage, anew.splits, anew.n_read, anew.spent_usd) == (0, first.splits, 60, 0.0)
    assert {pair.stage for pair in folder.read_plan()} == {0}
    assert len(folder.read_plan()) == anew.stage.pairs
    assert progress == [("reading what was bought", 0.0), ("planning", 0.3), ("planning", 1.0)]
    plan_next(folder, {}, lambda *_: None, stage=0)
    assert folder.read_settings() == settings
    folder.stages.write_bytes(b"{")
    with pytest.raises(DataError, match=r"stages\.json: is damaged"):
        plan_next(folder, {}, lambda *_: None, stage=0, budget_usd=9.0)
    assert folder.read_settings() == settings  # nothing of it is changed
    dearer.unlink()
    with pytest.raises(ConfigError, match=r"dearer\.toml: is not there"):
        plan_next(folder, {}, lambda *_: None, stage=0)
