"""Suffixes made to run up the bill: how far a greedy search against the router raises the share of dear decisions.

    python runs/adversary.py OUTCOMES PRICES [--rows 4000] [--search 60] [--prompts 300] [--words 120] [--steps 8]

Fits on random rows. The adversary sees the router: step by step it adds, to the prompts of the search, what makes most
decisions dear (then what makes the bill largest) of `--words` candidates drawn anew: words of the training prompts (one
to eight times), whole training prompts, random letters, other scripts. A decision is dear where it is expected to cost
at least half of what the reference would. Two adversaries search: one while strangers go to the reference
("in_budget"), one once the stranger budget is used up and they go to the cheapest ("beyond"), which is the bill that
nothing but the key's budget bounds.

Prints one JSON document: for each the suffixes, and on other prompts the dear share before and after, its rise with its
standard error, the share of strangers, and how many such prompts a dollar of stranger budget lasts.
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

SCRIPTS = "次の積分を計算してください。", "мне нужен точный перевод", "احسب التكامل التالي", "∫∑√∞≈≠≤≥∂∇"


def main() -> None:
    arguments = parser().parse_args()
    panel = replace(read_outcomes(arguments.outcomes), split=None)
    panel = panel.take(~np.isnan(panel.quality).any(axis=1))
    rng = np.random.default_rng(arguments.seed)
    order = rng.permutation(len(panel))
    inside, outside = np.sort(order[: arguments.rows]), order[arguments.rows :]
    settings = FitSettings(embedder="base", groups=False, learning_curve=False)
    router = fit(panel.take(inside), PriceBook.load(arguments.prices), settings)
    trade_off = router.turn(Dial(min_quality=arguments.min_quality))
    shown = [panel.queries[i] for i in outside[: arguments.search]]
    others = [panel.queries[i] for i in outside[arguments.search :][: arguments.prompts]]
    prompts = [panel.queries[i].prompt for i in inside]
    document = {"data_hash": panel.data_hash, "rows": arguments.rows, "mu": trade_off.mu}
    for name, budget in (("in_budget", np.inf), ("beyond", 0.0)):
        suffixes = searched(router, shown, prompts, trade_off, budget, arguments, rng)
        before = Bill(router, others, "", trade_off, budget)
        steps = [Bill(router, others, suffix, trade_off, budget).document(before) for suffix in suffixes]
        searched_on = Bill(router, shown, "", trade_off, budget)
        document[name] = {
            "worst": max(steps, key=lambda step: step["unflagged_rise"]),
            "steps": [
                step | {"on_the_search": Bill(router, shown, suffix, trade_off, budget).document(searched_on)}
                for step, suffix in zip(steps, suffixes, strict=True)
            ],
        }
    json.dump(document, sys.stdout, indent=1)
    print()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("outcomes", type=Path)
    made.add_argument("prices", type=Path)
    made.add_argument("--rows", type=int, default=4_000)
    made.add_argument("--search", type=int, default=60, help="prompts that the adversary tries its suffixes on")
    made.add_argument("--prompts", type=int, default=300, help="other prompts that it is measured on")
    made.add_argument("--words", type=int, default=120, help="additions tried at every step")
    made.add_argument("--steps", type=int, default=8)
    made.add_argument("--min-quality", type=float, default=0.97)
    made.add_argument("--seed", type=int, default=0)
    return made


def searched(router, queries, prompts, trade_off, budget, arguments, rng: np.random.Generator) -> list[str]:
    """The suffix after every step of the search."""
    suffix, found = "", []
    for _ in range(arguments.steps):
        tried = []
        for addition in additions(prompts, arguments.words, rng):
            bill = Bill(router, queries, f"{suffix} {addition}", trade_off, budget)
            tried.append((float(bill.is_dear.mean()), float(bill.usd.mean()), addition))
        suffix = f"{suffix} {max(tried)[2]}"
        found.append(suffix)
    return found


def additions(prompts: list[str], count: int, rng: np.random.Generator) -> list[str]:
    """What an adversary may add: half of it known words, a third whole prompts, the rest letters and scripts."""
    frequency = Counter(word for prompt in prompts for word in set(prompt.lower().split()))
    known = sorted(word for word, times in frequency.items() if times >= 10 and len(word) > 3)
    words = [" ".join([word] * int(rng.choice([1, 2, 4, 8]))) for word in rng.permutation(known)[: count // 2].tolist()]
    whole = [prompts[i] for i in rng.permutation(len(prompts))[: count // 3].tolist()]
    letters = ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz "), 30)) for _ in range(count // 12)]
    return words + whole + letters + list(SCRIPTS)


class Bill:
    """What prompts with a suffix are expected to cost, which are dear, and which are strangers."""

    def __init__(self, router, queries, suffix: str, trade_off, budget: float) -> None:
        asked = [replace(query, prompt=query.prompt + suffix) for query in queries]
        routing = router.route(asked, [trade_off], stranger_budget_usd=budget)
        self.suffix = suffix
        self.usd = routing.cost_usd[np.arange(len(queries)), routing.chosen[0]]
        self.is_dear = self.usd >= 0.5 * routing.cost_usd[:, router.models.index(router.anchors.reference)]
        self.is_stranger = routing.estimates.likeness <= STRANGER
        self.extra_usd = routing.stranger_usd[0]

    def document(self, before: Bill) -> dict[str, object]:
        """The figures, beside those of the same prompts without the suffix."""
        unflagged, usual = self.is_dear & ~self.is_stranger, before.is_dear & ~before.is_stranger
        rise = unflagged.astype(float) - usual.astype(float)
        extra = float(self.extra_usd.mean())
        return {
            "suffix": self.suffix[:400],
            "characters": len(self.suffix),
            "dear_before": float(before.is_dear.mean()),
            "dear": float(self.is_dear.mean()),
            "strangers": float(self.is_stranger.mean()),
            "unflagged_dear_before": float(usual.mean()),
            "unflagged_dear": float(unflagged.mean()),
            "unflagged_rise": float(rise.mean()),
            "unflagged_rise_se": float(rise.std(ddof=1) / np.sqrt(len(rise))),
            "mean_usd_before": float(before.usd.mean()),
            "mean_usd": float(self.usd.mean()),
            "prompts_per_stranger_dollar": 1.0 / extra if extra > 0.0 else None,
        }


if __name__ == "__main__":
    main()
