"""Newcomers by group: how many prompts of a group that training never saw have new words, and how many usual ones.

    python runs/newcomers.py OUTCOMES [--rows 5000] [--least 150] [--most 12]

Each of the largest groups is left out of training in turn, the embedder and the p-value of new words are fitted on 85 %
of at most `--rows` other prompts, and the shares called newcomers are counted among 500 prompts of the group ("away")
and 700 of the other 15 % ("home"). No quality is looked at. Prints one JSON document.
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
from tenbin.router.novelty import Novelty
from tenbin.strangers import NEWCOMER


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("outcomes", type=Path)
    made.add_argument("--rows", type=int, default=5_000)
    made.add_argument("--least", type=int, default=150, help="prompts that a group must have")
    made.add_argument("--most", type=int, default=12, help="groups to leave out in turn")
    arguments = made.parse_args()
    panel = read_outcomes(arguments.outcomes)
    groups = np.array([str(query.group) for query in panel.queries])
    texts = np.array([text_of(conversation_of(query)) for query in panel.queries], dtype=object)
    largest = Counter(groups.tolist()).most_common(arguments.most)
    found = {group: one(texts, groups == group, arguments.rows) for group, count in largest if count >= arguments.least}
    means = {name: float(np.mean([shares[name] for shares in found.values()])) for name in ("away", "home")}
    json.dump({"data_hash": panel.data_hash, "groups": found, "mean": means}, sys.stdout, indent=1)
    print()


def one(texts: np.ndarray, is_away: np.ndarray, rows: int) -> dict[str, float]:
    """The shares of newcomers among prompts of the group that was left out, and of the others."""
    others = np.random.default_rng(0).permutation(np.flatnonzero(~is_away))[:rows]
    count = int(0.85 * len(others))
    inside = texts[np.sort(others[:count])].tolist()
    embedder = HashedEmbedder().fit(inside)
    novelty = Novelty.learn(embedder.left_out_novelty_, embedder.embed(inside))

    def share(some: np.ndarray) -> float:
        vectors, _, new = embedder.read(some.tolist())
        return float((novelty.p(new, vectors) <= NEWCOMER).mean())

    return {"away": share(texts[is_away][:500]), "home": share(texts[others[count:][:700]])}


if __name__ == "__main__":
    main()
