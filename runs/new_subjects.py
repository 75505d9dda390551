"""Subjects that training never saw: how soon a key that asks about one is known by its new words, and who else is.

    python runs/new_subjects.py OUTCOMES [--rows 5000] [--least 150] [--most 12] [--orders 100]

"away": each of the largest groups is left out of training in turn, the embedder and the p-value of new words are fitted
on at most `--rows` other prompts, and keys send the group's prompts in random orders: the share of them that are new
texts, and after how many prompts the watch flags a key. "home": all prompts, each judged by a fit on at most `--rows`
of other folds: flags on keys that send all of them, and on keys that send one known group only (at least 50 prompts),
within 1,000 prompts. No quality is looked at. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from tenbin.features import HashedEmbedder, text_of
from tenbin.outcomes import read_outcomes
from tenbin.router.encoder import conversation_of
from tenbin.router.excess import QUERIES, Excess
from tenbin.router.new_subject import LIMIT, is_new
from tenbin.router.novelty import Novelty

FOLDS = 5
MOST = 1_000
"""A key that was not flagged after so many prompts counts as never flagged; prompts come again until then."""
LEAST_GROUP = 50


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("outcomes", type=Path)
    made.add_argument("--rows", type=int, default=5_000)
    made.add_argument("--least", type=int, default=150, help="prompts that a group must have to be left out")
    made.add_argument("--most", type=int, default=12, help="groups to leave out in turn")
    made.add_argument("--orders", type=int, default=100, help="random orders of a key's prompts")
    arguments = made.parse_args()
    panel = read_outcomes(arguments.outcomes)
    rng = np.random.default_rng(0)
    groups = np.array([str(query.group) for query in panel.queries])
    texts = np.array([text_of(conversation_of(query)) for query in panel.queries], dtype=object)
    largest = Counter(groups.tolist()).most_common(arguments.most)
    away = {}
    for group, count in largest:
        if count >= arguments.least:
            new = judged(texts[groups != group], texts[groups == group], arguments.rows, rng)
            away[group] = {"new_texts": float(new.mean()), **flagged_after(new, arguments.orders, rng)}
    document = {"data_hash": panel.data_hash, "away": away, "home": at_home(texts, groups, arguments, rng)}
    json.dump(document, sys.stdout, indent=1)
    print()


def judged(known: np.ndarray, asked: np.ndarray, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Which of the texts asked are new to a fit on some of those known."""
    inside = known[np.sort(rng.permutation(len(known))[:rows])].tolist()
    embedder = HashedEmbedder().fit(inside)
    shares, vectors = embedder.left_out_novelty_, embedder.embed(inside)
    own = ~np.isnan(shares)
    found, _, new = embedder.read(asked.tolist())
    return is_new(Novelty.learn(shares[own], vectors[own]).p(new, found))


def flags(new: np.ndarray, order: np.ndarray) -> list[int]:
    """After which prompts, counted from 1, a key is flagged."""
    key, found = Excess(), []
    for i, each in enumerate(new[order].tolist(), 1):
        if key.met(each, LIMIT) and key.is_flagged:
            found.append(i)
    return found


def flagged_after(new: np.ndarray, orders: int, rng: np.random.Generator) -> dict[str, object]:
    """After how many prompts keys are flagged that send these in random orders, over and over; null: never."""
    rounds = -(-MOST // len(new))
    found = []
    for _ in range(orders):
        order = np.concatenate([rng.permutation(len(new)) for _ in range(rounds)])[:MOST]
        found.append(min(flags(new, order), default=np.inf))
    median, most = (float(q) for q in np.quantile(found, [0.5, 0.9], method="higher"))
    return {
        "median_prompts": median if np.isfinite(median) else None,
        "prompts_90_percent": most if np.isfinite(most) else None,
        "never": float(np.isinf(found).mean()),
    }


def at_home(texts: np.ndarray, groups: np.ndarray, arguments, rng: np.random.Generator) -> dict[str, object]:
    """Keys that ask what training knows: all of it, or one group only."""
    fold, new = rng.integers(0, FOLDS, len(texts)), np.zeros(len(texts), dtype=bool)
    for k in range(FOLDS):
        new[fold == k] = judged(texts[fold != k], texts[fold == k], arguments.rows, rng)
    count = sum(len(flags(new, rng.permutation(len(new)))) for _ in range(arguments.orders))
    of_one_group = {}
    for group, n in Counter(groups.tolist()).most_common():
        if n >= LEAST_GROUP:
            own = new[groups == group]
            of_one_group[group] = {"new_texts": float(own.mean()), **flagged_after(own, arguments.orders, rng)}
    return {
        "new_texts": float(new.mean()),
        "prompts": len(new) * arguments.orders,
        "flags": count,
        "flags_if_at_the_limit": len(new) * arguments.orders / QUERIES,
        "groups": len(of_one_group),
        "groups_flagged": {g: one for g, one in of_one_group.items() if one["median_prompts"] is not None},
    }


if __name__ == "__main__":
    main()
