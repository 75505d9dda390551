"""Groups of prompts that training never saw: what a dial keeps there, and what caution costs at home.

    python runs/strangers.py OUTCOMES PRICES [--rows 2500] [--groups law math] [--caution 1]

Each group is left out of training in turn. On its prompts, the trade-off chosen on the others is held against the
reference: mean quality over the reference's with its standard error and the one-sided 95 % lower bound (delta method
on paired differences), and whether a share below `--share` is shown, by Holm over the groups. `--rows` bounds the rows
to fit on. "by the dial" is without the rule of strangers and new subjects, "served" with it as for one key that sends
the group in `--orders` random orders, no budget ending (figures are means over the orders), "beyond the budget" with
nothing left. At home stand rows of the other groups that were not fitted on, one key again. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist

import numpy as np

from tenbin.outcomes import read_outcomes
from tenbin.prices import PriceBook
from tenbin.router.dials import Dial
from tenbin.router.fit import FitSettings, fit
from tenbin.router.new_subject import is_new
from tenbin.strangers import STRANGER
from tenbin.types import Panel

RULES = ("by_the_dial", "served", "beyond_the_budget")
ONE_SIDED = NormalDist().inv_cdf(0.95)


def main() -> None:
    arguments = parser().parse_args()
    panel = replace(read_outcomes(arguments.outcomes), split=None)
    whole = ~(np.isnan(panel.quality) | np.isnan(panel.cost_usd)).any(axis=1)
    panel = panel.take(whole)
    prices = PriceBook.load(arguments.prices)
    groups = np.array([query.group for query in panel.queries])
    found = []
    for group in arguments.groups or sorted(set(groups.tolist())):
        found.append(one(panel, groups, group, prices, arguments))
        print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    document = {
        "data_hash": panel.data_hash,
        "rows": arguments.rows,
        "groups": found,
        **together(found, arguments.share),
    }
    json.dump(document, sys.stdout, indent=1)
    print()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("outcomes", type=Path)
    made.add_argument("prices", type=Path)
    made.add_argument("--rows", type=int, default=0, help="fit on so many random rows of the other groups (0: all)")
    made.add_argument("--groups", nargs="+", help="leave out only these in turn (default: every group)")
    made.add_argument("--min-quality", type=float, default=0.97)
    made.add_argument("--share", type=float, default=0.95, help="of the reference's quality, to be kept on strangers")
    made.add_argument("--orders", type=int, default=20, help="random orders of a key's prompts")
    made.add_argument("--caution", type=float, default=0.0)
    made.add_argument("--embedder", default="base")
    return made


def one(panel: Panel, groups: np.ndarray, group: str, prices: PriceBook, arguments) -> dict[str, object]:
    """Fit without one group; the dial's decisions on that group and on other rows that were not fitted on either."""
    others = np.random.default_rng(0).permutation(np.flatnonzero(groups != group))
    count = min(arguments.rows or int(0.85 * len(others)), int(0.85 * len(others)))
    inside, home = np.sort(others[:count]), others[count : count + 1_000]
    settings = FitSettings(embedder=arguments.embedder, groups=False, learning_curve=False)
    router = fit(panel.take(inside), prices, settings)
    trade_off = router.turn(Dial(min_quality=arguments.min_quality, caution=arguments.caution))
    return {
        "group": group,
        "mu": trade_off.mu,
        "strange": held(router, panel.take(np.flatnonzero(groups == group)), trade_off, arguments),
        "home": held(router, panel.take(home), trade_off, arguments),
    }


def held(router, panel: Panel, trade_off, arguments) -> dict[str, float]:
    """Quality and cost over the reference's: by the dial alone, as served, and beyond the stranger budget."""
    alone = router.route(panel.queries, [trade_off])
    orders = [np.random.default_rng(seed).permutation(len(panel)) for seed in range(arguments.orders)]
    served, first = zip(*(in_order(router, panel, trade_off, order) for order in orders), strict=True)
    beyond = router.route(panel.queries, [trade_off], stranger_budget_usd=0.0)
    new = is_new(alone.estimates.novelty)
    document: dict[str, float] = {
        "n": len(panel),
        "strangers": float((alone.estimates.likeness <= STRANGER).mean()),
        "new_texts": float(np.mean(new)),
        "sheltered_from": float(np.median(first)),
        "never_sheltered": float(np.mean([at == len(panel) for at in first])),
    }
    reference = router.models.index(router.anchors.reference)
    decided = ([alone.chosen[0]], served, [beyond.chosen[0]])
    for name, choices in zip(RULES, decided, strict=True):
        figures = [kept(panel, chosen, reference, arguments.share) for chosen in choices]
        mean = {key: float(np.mean([one[key] for one in figures])) for key in figures[0]}
        document |= {f"{name}_{key}": value for key, value in mean.items()}
        document[f"{name}_p_below"] = NormalDist().cdf(mean["above"] / mean["above_se"])
    return document


def in_order(router, panel: Panel, trade_off, order: np.ndarray) -> tuple[np.ndarray, int]:
    """The choices [n] of one key that sends the rows in this order, and how many it had sent when it was found to ask
    about a new subject.
    """
    queries = [panel.queries[i] for i in order]
    routing = router.route(queries, [trade_off], stranger_budget_usd=np.inf)
    chosen = np.empty(len(panel), dtype=np.int64)
    chosen[order] = routing.chosen[0]
    return chosen, next((i for i, sent in enumerate(routing.sent[0]) if sent == "sheltered"), len(panel))


def kept(panel: Panel, chosen: np.ndarray, reference: int, share: float) -> dict[str, float]:
    """The share of the reference's quality, how far quality lies above the share to be kept, and the saving."""
    rows = np.arange(len(panel))
    own, quality = panel.quality[:, reference], panel.quality[rows, chosen]
    ratio, excess = quality.mean() / own.mean(), quality - share * own
    se = float((quality - ratio * own).std(ddof=1) / np.sqrt(len(panel)) / own.mean())
    return {
        "share": float(ratio),
        "se": se,
        "lower": float(ratio - ONE_SIDED * se),
        "above": float(excess.mean()),
        "above_se": max(float(excess.std(ddof=1) / np.sqrt(len(panel))), 1e-12),
        "saving": float(1.0 - panel.cost_usd[rows, chosen].sum() / panel.cost_usd[:, reference].sum()),
    }


def together(found: list[dict], share: float) -> dict[str, object]:
    """Groups shown to be below the share, by Holm at 5 %, and not shown to be above; the saving at home."""
    document: dict[str, object] = {}
    for name in RULES:
        chances = sorted((one["strange"][f"{name}_p_below"], one["group"]) for one in found)
        violated = []
        for rank, (p, group) in enumerate(chances):
            if p > 0.05 / (len(chances) - rank):
                break
            violated.append(group)
        document[f"{name}_violated"] = violated
        lower = {one["group"]: one["strange"][f"{name}_lower"] for one in found}
        document[f"{name}_not_shown_to_keep"] = [group for group, low in lower.items() if low < share]
        document[f"{name}_saving_at_home"] = float(np.mean([one["home"][f"{name}_saving"] for one in found]))
    return document


if __name__ == "__main__":
    main()
