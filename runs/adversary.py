"""Suffixes made to run up the bill: how far a greedy search against the router raises the share of dear decisions.

    python runs/adversary.py OUTCOMES PRICES [--rows 4000] [--search 60] [--prompts 1000] [--words 120] [--steps 8]
        [--orders 200]

Fits on random rows. The adversary sees the router: step by step it adds, to the prompts of the search, what makes most
decisions dear (then what makes the bill largest) of `--words` candidates drawn anew: words of the training prompts (one
to eight times), whole training prompts, random letters, other scripts. A decision is dear where it is expected to cost
at least half of what the reference would. Two adversaries search: one while strangers go to the reference
("in_budget"), one once the stranger budget is used up and they go to the cheapest ("beyond"), which is the bill that
nothing but the key's budget bounds.

The gateway's watch over each key's share of dear decisions looks on: a key that sends the prompts with the worst
suffix, in `--orders` random orders and after 1,000 usual ones, is flagged after so many decisions; keys that send all
the other rows, or those of one group only, in random orders, are honest. Strangers have a budget, and are not watched.

Prints one JSON document: how often the watch flags honest keys; for each adversary the suffixes, and on other prompts
the dear share before and after, its rise with its standard error, the share of strangers, how many such prompts a
dollar of stranger budget lasts, and after how many decisions the watch flags.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np

from tenbin.outcomes import read_outcomes
from tenbin.prices import PriceBook
from tenbin.router.dearness import DEAR, dear_curve
from tenbin.router.dials import Dial
from tenbin.router.excess import QUERIES, Excess
from tenbin.router.fit import FitSettings, fit

USUAL_BEFORE = 1_000
"""Usual decisions of a key before the attack begins."""
MOST = 10_000
"""A key that was not flagged after so many decisions counts as never flagged."""
LEAST_GROUP = 50
GROUP_MOST = 1_000
CHUNK = 500
SCRIPTS = "次の積分を計算してください。", "мне нужен точный перевод", "احسب التكامل التالي", "∫∑√∞≈≠≤≥∂∇"


def main() -> None:
    arguments = parser().parse_args()
    panel = replace(read_outcomes(arguments.outcomes), split=None)
    panel = panel.take(~np.isnan(panel.quality).any(axis=1))
    rng, watching = np.random.default_rng(arguments.seed), np.random.default_rng(arguments.seed + 1)
    order = rng.permutation(len(panel))
    inside, outside = np.sort(order[: arguments.rows]), order[arguments.rows :]
    settings = FitSettings(embedder="base", groups=False, learning_curve=False)
    router = fit(panel.take(inside), PriceBook.load(arguments.prices), settings)
    trade_off = router.turn(Dial(min_quality=arguments.min_quality))
    shown = [panel.queries[i] for i in outside[: arguments.search]]
    others = [panel.queries[i] for i in outside[arguments.search :][: arguments.prompts]]
    prompts = [panel.queries[i].prompt for i in inside]
    usual = dear_curve(router, trade_off)
    place = usual.place(trade_off.mu)
    limit = usual.limit[place]
    document = {"data_hash": panel.data_hash, "rows": arguments.rows, "mu": trade_off.mu}
    rest = outside[arguments.search + arguments.prompts :]
    home = Bill(router, [panel.queries[i] for i in rest], "", trade_off, 0.0)
    document["honest"] = {
        "usual_share": usual.share[place],
        "limit": limit,
        "share": float(home.is_dear[~home.is_stranger].mean()),
        **honest(home, limit, arguments.orders, watching),
        "of_one_group": of_groups(home, [panel.queries[i].group for i in rest], limit, arguments.orders, watching),
    }
    for name, budget in (("in_budget", np.inf), ("beyond", 0.0)):
        suffixes = searched(router, shown, prompts, trade_off, budget, arguments, rng)
        before = Bill(router, others, "", trade_off, budget)
        steps = [Bill(router, others, suffix, trade_off, budget).document(before) for suffix in suffixes]
        searched_on = Bill(router, shown, "", trade_off, budget)
        worst = max(steps, key=lambda step: step["unflagged_rise"])
        attacked = Bill(router, others, suffixes[steps.index(worst)], trade_off, budget)
        document[name] = {
            "worst": worst,
            "watch": flagged_after(attacked, home, limit, arguments.orders, watching),
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
    made.add_argument("--prompts", type=int, default=1_000, help="other prompts that it is measured on")
    made.add_argument("--words", type=int, default=120, help="additions tried at every step")
    made.add_argument("--steps", type=int, default=8)
    made.add_argument("--orders", type=int, default=200, help="random orders of a key's prompts")
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
        stream = Excess()
        parts = [
            router.route(asked[start : start + CHUNK], [trade_off], stranger_budget_usd=budget, stream=stream)
            for start in range(0, len(asked), CHUNK)
        ]
        cost = np.concatenate([part.cost_usd for part in parts])
        chosen = np.concatenate([part.chosen[0] for part in parts])
        self.suffix = suffix
        self.usd = cost[np.arange(len(queries)), chosen]
        self.is_dear = self.usd >= DEAR * cost[:, router.models.index(router.anchors.reference)]
        # As at the gateway: where a stranger budget sent them, new subjects among them while it lasts.
        self.is_stranger = np.array([place is not None for part in parts for place in part.sent[0]])
        self.extra_usd = np.concatenate([part.stranger_usd[0] for part in parts])

    def take(self, rows: np.ndarray) -> Bill:
        """The bill of some of the prompts."""
        part = copy(self)
        for name in ("usd", "is_dear", "is_stranger", "extra_usd"):
            setattr(part, name, getattr(self, name)[rows])
        return part

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


def orders_of(bill: Bill, count: int, rng: np.random.Generator) -> list[bool | None]:
    """`count` decisions of a key that sends the prompts in random orders, one after the other; None: a stranger."""
    rounds = -(-count // len(bill.is_dear))
    drawn = np.concatenate([rng.permutation(len(bill.is_dear)) for _ in range(rounds)])[:count]
    return [None if bill.is_stranger[i] else bool(bill.is_dear[i]) for i in drawn]


def flags(key: Excess, decisions: list[bool | None], limit: float) -> list[int]:
    """After which decisions, counted from 1, a key was flagged."""
    found = []
    for i, dear in enumerate(decisions, 1):
        if dear is not None and key.met(dear, limit) and key.is_flagged:
            found.append(i)
    return found


def flagged_after(attacked: Bill, home: Bill, limit: float, orders: int, rng: np.random.Generator) -> dict[str, object]:
    """How many decisions a key under attack makes until it is flagged."""
    found = []
    for _ in range(orders):
        key = Excess()
        while key.is_flagged or not key.seen:  # a flag of before is none for the attack
            key = Excess()
            flags(key, orders_of(home, USUAL_BEFORE, rng), limit)
        found.append(min(flags(key, orders_of(attacked, MOST, rng), limit), default=np.inf))
    return told(found)


def told(found: list[float]) -> dict[str, object]:
    """Decisions until the flag, null where it did not come."""
    median, most = (float(q) for q in np.quantile(found, [0.5, 0.9], method="higher"))
    return {
        "median_decisions": median if np.isfinite(median) else None,
        "decisions_90_percent": most if np.isfinite(most) else None,
        "never": float(np.isinf(found).mean()),
    }


def honest(home: Bill, limit: float, orders: int, rng: np.random.Generator) -> dict[str, object]:
    """How often keys are flagged that send all the rows, each in an order of its own."""
    count = len(home.is_dear)
    times = sum(len(flags(Excess(), orders_of(home, count, rng), limit)) for _ in range(orders))
    return {"decisions": count * orders, "flags": times, "flags_if_at_the_limit": count * orders / QUERIES}


def of_groups(home: Bill, groups: list[str | None], limit: float, orders: int, rng: np.random.Generator) -> object:
    """Keys that send one group only: how many of them are flagged within GROUP_MOST decisions, and the hardest one."""
    found = {}
    for group in sorted(set(groups) - {None}):
        rows = np.flatnonzero([other == group for other in groups])
        if len(rows) >= LEAST_GROUP:
            own = home.take(rows)
            first = [min(flags(Excess(), orders_of(own, MOST, rng), limit), default=np.inf) for _ in range(orders)]
            found[group] = {"dear": float(own.is_dear.mean()), **told(first)}
    if not found:
        return None
    soon = sum((one["median_decisions"] or MOST) <= GROUP_MOST for one in found.values())
    hardest = max(found, key=lambda group: found[group]["dear"])
    return {"groups": len(found), f"flagged_within_{GROUP_MOST}": soon, "hardest": {"group": hardest, **found[hardest]}}


if __name__ == "__main__":
    main()
