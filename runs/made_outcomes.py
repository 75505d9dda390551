"""Made prompts and outcomes for timings: realistic, distinct, as many as asked for; no claim of quality rests on them.

Prompts are sentences of the demo's real prompts (package `paretobandit`) mixed anew with a seed, about 100 tokens each.
Each model's quality and output tokens depend on the words, on one factor that all models share, and on luck.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import numpy as np

from tenbin.cli.demo import outcome_files
from tenbin.prices import PriceBook
from tenbin.types import Panel, Query

CHARACTERS = 400


def written(n: int, seed: int, most: int = 10**9) -> list[str]:
    """`n` distinct prompts: sentences of real ones mixed anew up to about 400 characters, at most `most`."""
    with outcome_files()[0].open(encoding="utf-8") as lines:
        prompts = [json.loads(line)["prompt"] for line in lines]
    sentences = [part.strip() for p in prompts for part in re.split(r"(?<=[.?!])\s+|\n+", p) if part.strip()]
    rng, found = np.random.default_rng(seed), {}
    while len(found) < n:
        text, length = [], rng.uniform(0.6, 1.4) * CHARACTERS
        while sum(map(len, text)) < length:
            text.append(sentences[rng.integers(len(sentences))])
        found[" ".join(text)[: min(int(1.5 * CHARACTERS), most)]] = None
    return list(found)


def simulated(n: int, m: int) -> Panel:
    """A panel whose qualities and lengths follow the words, a factor that all models share, and luck."""
    prompts, rng = written(n, 1), np.random.default_rng(2)
    words: dict[str, int] = {}
    bags = [[words.setdefault(word, len(words)) for word in p.lower().split()] for p in prompts]
    effect = rng.normal(0.0, 1.0, (len(words), 4))
    topic = np.array([effect[bag].sum(axis=0) / np.sqrt(len(bag)) for bag in bags])
    skill = 0.5 + topic @ rng.normal(0.0, 0.3, (4, m)) + topic[:, :1] + rng.normal(0.0, 1.0, (n, 1))
    quality = (rng.random((n, m)) < 1.0 / (1.0 + np.exp(-skill - np.linspace(-0.5, 0.5, m)))).astype(float)
    length = 5.0 + 0.4 * topic[:, :1] + rng.normal(0.0, 0.4, (n, 1)) + rng.normal(0.0, 0.5, (n, m))
    inputs = np.array([len(p) / 4.0 for p in prompts])[:, None] * np.ones(m)
    unknown = np.full((n, m), np.nan)
    return Panel(
        queries=tuple(Query(str(i), prompt) for i, prompt in enumerate(prompts)),
        models=names(m),
        quality=quality,
        input_tokens=inputs,
        output_tokens=np.exp(length).round() + 1.0,
        cost_usd=unknown,
        latency_s=unknown,
        label_propensity=np.ones((n, m)),
    )


def names(m: int) -> tuple[str, ...]:
    return tuple(f"model-{k:02d}" for k in range(m))


def book(m: int) -> PriceBook:
    """Prices that rise with the model's number, through the door that users take."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prices.toml"
        path.write_text(
            "\n".join(
                f'[models."{name}"]\ninput_usd_per_mtok = {0.1 * 1.4**k:.4f}\noutput_usd_per_mtok = {0.4 * 1.4**k:.4f}'
                for k, name in enumerate(names(m))
            )
        )
        return PriceBook.load(path)


def write_batch(path: Path, n: int) -> None:
    """Prompts of at most 100 tokens as lines of JSON."""
    path.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in written(n, 3, most=CHARACTERS)))
