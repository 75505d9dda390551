"""A made panel with known truth: easy prompts any model answers, hard ones only the large one; words tell which."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tenbin.router.router import Router
from tenbin.types import Panel, Query

EASY = ("greet", "colour", "capital", "rhyme", "spell", "count", "name", "repeat")
HARD = ("integral", "theorem", "kernel", "tensor", "proof", "entropy", "lattice", "quorum")
MODELS = ("large", "mid", "small")
PRICES = """
[models.large]
input_usd_per_mtok = 10.0
output_usd_per_mtok = 30.0
[models.mid]
input_usd_per_mtok = 1.0
output_usd_per_mtok = 3.0
[models.small]
input_usd_per_mtok = 0.1
output_usd_per_mtok = 0.3
"""


def with_names(panel: Panel) -> Panel:
    """The same panel, where every fourth prompt ends with a name of its own."""
    draw = np.random.default_rng(1)
    letters = list("abcdefghijklmnopqrstuvwxyz")
    named = [
        query if i % 4 else replace(query, prompt=f"{query.prompt} for {''.join(draw.choice(letters, 7))}")
        for i, query in enumerate(panel.queries)
    ]
    return replace(panel, queries=tuple(named))


def make_panel(n: int = 300, seed: int = 0, *, telling: bool = True, latency: bool = False) -> Panel:
    """n prompts x 3 models; with `telling` False the words say nothing about who answers well."""
    draw = np.random.default_rng(seed)
    hard = draw.random(n) < 0.5
    queries = []
    for i in range(n):
        words = HARD if (hard[i] if telling else draw.random() < 0.5) else EASY
        text = " ".join(draw.choice(words, 12)) + f" number {draw.integers(1_000_000)}"
        queries.append(Query(f"q{i:05d}", text, group="hard" if hard[i] else "easy"))
    chance = np.where(hard[:, None], [0.9, 0.5, 0.1], [0.92, 0.9, 0.9])
    quality = (draw.random((n, 3)) < chance).astype(float)
    output = np.exp(np.where(hard[:, None], 5.5, 4.0) + 0.3 * draw.standard_normal((n, 3)))
    missing = np.full((n, 3), np.nan)
    return Panel(
        queries=tuple(queries),
        models=MODELS,
        quality=quality,
        input_tokens=np.full((n, 3), 60.0) + draw.integers(0, 5, (n, 3)),
        output_tokens=np.round(output),
        cost_usd=missing,
        latency_s=np.round(output) * np.array([0.05, 0.02, 0.01]) if latency else missing,
        label_propensity=np.ones((n, 3)),
        data_hash="made",
    )


def without_tokens(router: Router) -> Router:
    """A router whose candidates have no output tokens, hence no cost."""
    estimator = replace(router._estimator, output_tokens=None)
    return Router(router.manifest, router._encoder, estimator, router._parts, router.prices, "")
