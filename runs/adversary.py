"""Suffixes made to run up the bill: how far a greedy search against the router raises the share of dear decisions.

    python runs/adversary.py OUTCOMES PRICES [--rows 2000] [--prompts 100] [--words 40] [--steps 4]

Fits on random rows. The adversary sees the router: step by step it adds, to all of the prompts, the word of the
training prompts that raises the expected dollars of the chosen candidates most. A decision is dear where it is expected
to cost at least half of what the reference would. Prints one JSON document with the dear share and the share of
strangers before and after each step; dear decisions of prompts called strangers are flagged, those of others are not.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from tenbin.outcomes import read_outcomes
from tenbin.prices import PriceBook
from tenbin.router.dials import Dial
from tenbin.router.fit import FitSettings, fit
from tenbin.strangers import STRANGER


def main() -> None:
    arguments = parser().parse_args()
    panel = replace(read_outcomes(arguments.outcomes), split=None)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(panel))
    inside, outside = np.sort(order[: arguments.rows]), order[arguments.rows :][: arguments.prompts]
    router = fit(
        panel.take(inside),
        PriceBook.load(arguments.prices),
        FitSettings(embedder="base", groups=False, learning_curve=False),
    )
    trade_off = router.turn(Dial(min_quality=arguments.min_quality))
    queries = [panel.queries[i] for i in outside]
    words = tempting(panel, inside, arguments.words, rng)
    suffix, steps = "", [measured(router, queries, "", trade_off)]
    for _ in range(arguments.steps):
        tried = [(measured(router, queries, f"{suffix} {word}", trade_off), word) for word in words]
        best, word = max(tried, key=lambda pair: pair[0]["mean_usd"])
        suffix = f"{suffix} {word}"
        steps.append(best | {"suffix": suffix})
    document = {"data_hash": panel.data_hash, "rows": arguments.rows, "prompts": len(queries), "mu": trade_off.mu}
    json.dump(document | {"steps": steps}, sys.stdout, indent=1)
    print()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("outcomes", type=Path)
    made.add_argument("prices", type=Path)
    made.add_argument("--rows", type=int, default=2_000)
    made.add_argument("--prompts", type=int, default=100)
    made.add_argument("--words", type=int, default=40, help="words tried at every step")
    made.add_argument("--steps", type=int, default=4)
    made.add_argument("--min-quality", type=float, default=0.97)
    return made


def tempting(panel, inside: np.ndarray, count: int, rng: np.random.Generator) -> list[str]:
    """Words that at least ten training prompts have, drawn at random; each stands four times, to weigh."""
    frequency = Counter(word for i in inside for word in set(panel.queries[i].prompt.lower().split()))
    known = sorted(word for word, times in frequency.items() if times >= 10 and len(word) > 3)
    return [" ".join([word] * 4) for word in rng.permutation(known)[:count].tolist()]


def measured(router, queries, suffix: str, trade_off) -> dict[str, float]:
    """The expected dollars of the chosen candidates, the share of dear ones, of strangers, of dear ones unflagged."""
    routing = router.route([replace(query, prompt=query.prompt + suffix) for query in queries], [trade_off])
    rows = np.arange(len(queries))
    usd = routing.cost_usd[rows, routing.chosen[0]]
    is_dear = usd >= 0.5 * routing.cost_usd[:, router.models.index(router.anchors.reference)]
    is_stranger = routing.estimates.likeness <= STRANGER
    return {
        "mean_usd": float(usd.mean()),
        "dear": float(is_dear.mean()),
        "strangers": float(is_stranger.mean()),
        "dear_unflagged": float((is_dear & ~is_stranger).mean()),
    }


if __name__ == "__main__":
    main()
