"""Pilots made for tests: prompts whose difficulty stands in their words, three candidates, a journal as it would be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from tenbin.pilot.folder import PilotFolder
from tenbin.pilot.pair import Pair
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import Begun, Bought, Graded, Record
from tenbin.pilot.settings import PilotSettings
from tenbin.types import Usage

MODELS = ("big", "mid", "small")
COST_USD = {"big": 0.01, "mid": 0.004, "small": 0.0005}
EASY = ("add two small numbers", "spell a short word", "name a colour")
HARD = ("prove a deep theorem", "debug a data race", "plan a long voyage")


def made_settings(**changes: object) -> PilotSettings:
    settings = PilotSettings(
        profile="default",
        candidates=MODELS,
        reference="big",
        metric="exact",
        metric_name="exact-1",
        budget_usd=10.0,
        config="tenbin.toml",
        prompts_source="prompts.jsonl",
        prompts_hash="0" * 64,
        queries_per_day=1000.0,
    )
    return msgspec.structs.replace(settings, **changes)


def made_prompts(n: int, *, test_share: float = 0.0, seed: int = 0) -> list[PilotPrompt]:
    """Half easy, half hard; easy ones are those that the small candidate answers as well as the big one."""
    rng = np.random.default_rng(seed)
    prompts = []
    for i in range(n):
        text = str(rng.choice(EASY if rng.random() < 0.5 else HARD))
        split = "test" if rng.random() < test_share else "train"
        prompts.append(PilotPrompt(f"q{i:04}", f"{text}, case {i} of {rng.integers(1000)}", split=split))  # type: ignore[arg-type]
    return prompts


def right(prompt: PilotPrompt, model: str) -> float:
    """How often `model` is right."""
    if model == "big":
        return 0.9
    easy = prompt.prompt.startswith(EASY)
    return (0.9 if easy else 0.55) if model == "mid" else (0.88 if easy else 0.1)


def made_records(prompts: Sequence[PilotPrompt], pairs: Sequence[Pair], *, seed: int = 0) -> list[Record]:
    """Every pair begun, bought and graded, one a second."""
    rng = np.random.default_rng(seed)
    by_id = {prompt.query_id: prompt for prompt in prompts}
    records: list[Record] = []
    for i, pair in enumerate(pairs):
        quality = float(rng.random() < right(by_id[pair.query_id], pair.model))
        cost = COST_USD[pair.model] * float(rng.uniform(0.8, 1.2))
        key = {"query_id": pair.query_id, "model": pair.model, "at": 1_700_000_000.0 + i, "repeat": pair.repeat}
        records.append(Begun(f"c{i}", reserve_usd=2 * cost, stage=pair.stage, **key))  # type: ignore[arg-type]
        usage = Usage(20, int(rng.integers(50, 150)))
        records.append(
            Bought(f"c{i}", answer="an answer", usage=usage, cost_usd=cost, latency_s=1.0, stage=pair.stage, **key)  # type: ignore[arg-type]
        )
        records.append(Graded(quality=quality, metric="exact-1", **key))  # type: ignore[arg-type]
    return records


def every_pair(prompts: Sequence[PilotPrompt], models: Sequence[str] = MODELS, stage: int = 0) -> list[Pair]:
    return [Pair(p.query_id, m, stage=stage, expected_usd=COST_USD[m]) for p in prompts for m in models]


def written(
    path: Path,
    prompts: Sequence[PilotPrompt],
    pairs: Sequence[Pair],
    records: Sequence[Record],
    settings: PilotSettings | None = None,
) -> PilotFolder:
    """The folder of a pilot with these files."""
    path.mkdir(parents=True)
    folder = PilotFolder(path)
    folder.settings.write_bytes(msgspec.json.encode(settings or made_settings()))
    for place, lines in ((folder.prompts, prompts), (folder.plan, pairs), (folder.journal, records)):
        place.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    return folder
