"""A made world to plan in: prompts of two kinds, four candidates, and what each would answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tenbin.pilot.pair import Pair
from tenbin.pilot.plan.ground import Ground
from tenbin.pilot.prompt import PilotPrompt
from tenbin.pilot.records import Bought, Graded, Record
from tenbin.prices import PriceBook
from tenbin.types import Bools, Floats, Panel, Usage

MODELS = ("dear", "good", "cheap", "poor")
BOOK = """
[models.dear]
input_usd_per_mtok = 10
output_usd_per_mtok = 30
[models.good]
input_usd_per_mtok = 2
output_usd_per_mtok = 6
[models.cheap]
input_usd_per_mtok = 0.2
output_usd_per_mtok = 0.6
[models.poor]
input_usd_per_mtok = 1
output_usd_per_mtok = 3
"""
CHANCE = {True: (0.9, 0.85, 0.3, 0.1), False: (0.95, 0.9, 0.9, 0.5)}
"""Of a right answer, on hard prompts and on easy ones."""
OUTPUT_TOKENS = (300, 200, 150, 250)
HARD = ["prove", "theorem", "lemma", "integral", "manifold", "recursion", "compiler"]
EASY = ["colour", "animal", "weather", "greeting", "recipe", "holiday", "song"]


@dataclass(frozen=True)
class World:
    """The prompts and what everybody would answer them."""

    prompts: list[PilotPrompt]
    quality: Floats

    def panel(self, bought: Bools, propensity: Floats | None = None) -> Panel:
        """What is known once these cells [n, M] are bought."""
        shape = bought.shape
        tokens = np.tile(np.array(OUTPUT_TOKENS, dtype=np.float64), (shape[0], 1))
        cost = PriceBook.loads(BOOK).rates(MODELS).cost_usd(np.full(shape, 40.0), tokens)
        cells = (self.quality, np.full(shape, 40.0), tokens, cost, np.full(shape, 2.0))
        quality, into, out, dollars, seconds = (np.where(bought, cell, np.nan) for cell in cells)
        return Panel(
            queries=tuple(prompt.query() for prompt in self.prompts),
            models=MODELS,
            quality=quality,
            input_tokens=into,
            output_tokens=out,
            cost_usd=dollars,
            latency_s=seconds,
            label_propensity=np.ones(shape) if propensity is None else propensity,
            split=tuple(prompt.split for prompt in self.prompts),
        )

    def ground(self, bought: Bools, propensity: Floats | None = None) -> Ground:
        """The ground for the next stage."""
        panel = self.panel(bought, propensity)
        dollars = self.panel(np.ones_like(bought)).cost_usd
        return Ground(
            panel=panel,
            planned=bought,
            cluster=np.array([prompt.cluster for prompt in self.prompts]),
            answer_usd=dollars,
            grading_usd=np.zeros(bought.shape),
            reference=0,
            prices=PriceBook.loads(BOOK),
            promise=0.97,
        )

    def records(self, pairs: Sequence[Pair]) -> list[Record]:
        """The journal once these pairs are bought and graded."""
        row = {prompt.query_id: i for i, prompt in enumerate(self.prompts)}
        rates = PriceBook.loads(BOOK).rates(MODELS)
        found: list[Record] = []
        for k, pair in enumerate(pairs):
            m = MODELS.index(pair.model)
            usage = Usage(40, OUTPUT_TOKENS[m])
            who = (pair.query_id, pair.model)
            cost, drawn = rates.bill_usd(m, usage), (pair.repeat, pair.stage, pair.label_propensity)
            found.append(Bought(f"c{k}", *who, 1.0, "yes", usage, cost, 2.0, *drawn))
            found.append(Graded(*who, 1.0, float(self.quality[row[pair.query_id], m]), "exact", pair.repeat))
        return found


def made_world(n: int, seed: int = 0, *, held_out: bool = False) -> World:
    """So many prompts, every third one hard; a fifth of them held out where wanted."""
    rng = np.random.default_rng(seed)
    prompts, chance = [], []
    for i in range(n):
        hard = i % 3 == 0
        words = rng.choice(HARD if hard else EASY, size=5)
        split = "test" if held_out and i % 10 == 0 else "calibration" if held_out and i % 10 == 5 else "train"
        prompts.append(PilotPrompt(f"q{i}", f"{' '.join(words)} {i}", cluster=int(hard), split=split))
        chance.append(CHANCE[hard])
    return World(prompts, (rng.uniform(size=(n, len(MODELS))) < np.array(chance)).astype(np.float64))


def write_config(folder: Path, extra: str = "") -> Path:
    """A tenbin.toml with these candidates, and their prices beside it."""
    tables = [f'[candidates.{model}]\nbase_url = "http://127.0.0.1:9/v1"\nmax_output_tokens = 1000' for model in MODELS]
    profile = '[profiles.auto]\nmetric = "exact"\nmin_quality = 0.97\n[gateway]\nprices = "prices.toml"\nrouter = "r"\n'
    (folder / "prices.toml").write_text(BOOK)
    path = folder / "tenbin.toml"
    path.write_text("\n".join([*tables, profile, extra]))
    return path
