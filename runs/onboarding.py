"""A candidate more from 32 or 64 labels: every model held back in turn, and what taking it in then brings.

    python runs/onboarding.py OUTCOMES.parquet PRICES.toml [--folds 0 1 2 3 4] [--labels 32 64] [--models NAME ...]

Needs a set with a `fold` column: each fold is held out once, with a draw of prompts of its own. On the other folds one
router is fitted with all labels, and one without each model in turn; that one is asked which prompts the model should
answer, gets these labels, and takes it in if it would by itself. All are scored on the held-out fold, in AIQ-log over
the range of its zero router. The full gain is the router with all labels minus the one without the model.

Prints one JSON document: per model the full gain and what was reached, with the pooled share over models whose full
gain is .005 or more (interval: bootstrap over folds), and the worst that happened to all others.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np

from tenbin.evaluate.curve import PLAIN, chosen
from tenbin.evaluate.metrics import Scale, curve_hull, scale_of
from tenbin.online.onboard import add_model, suggest
from tenbin.outcomes import read_outcomes
from tenbin.prices import PriceBook
from tenbin.risk import mu_grid
from tenbin.router.choose_embedder import Opening, choose_embedder
from tenbin.router.fit import FitSettings, fit_encoded
from tenbin.router.router import Router
from tenbin.router.sweep import Sweep
from tenbin.router.training_rows import near_folds
from tenbin.types import Candidate, Panel

MUS = mu_grid(121)
WORTH = 0.005
SEED_OF_DRAWS = 11_000
RESAMPLES = 2_000


def main() -> None:
    """All folds, models and numbers of labels."""
    asked = parser().parse_args()
    panel = replace(read_outcomes(asked.outcomes), split=None)
    fold = folds_of(asked.outcomes, panel)
    prices = PriceBook.load(asked.prices)
    found = []
    for k in asked.folds:
        found += one_fold(panel, fold, k, prices, asked)
    document = {"data_hash": panel.data_hash, "n": len(panel), "groups": not asked.no_group, "folds": asked.folds}
    json.dump({**document, "pooled": [pooled(found, n) for n in asked.labels], "draws": found}, sys.stdout, indent=1)
    print()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("outcomes", type=Path)
    made.add_argument("prices", type=Path)
    made.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    made.add_argument("--labels", type=int, nargs="+", default=[32, 64])
    made.add_argument("--models", nargs="+", default=[], help="hold back only these")
    made.add_argument("--no-group", action="store_true", help="ignore group labels")
    return made


def folds_of(path: Path, panel: Panel) -> np.ndarray:
    """The `fold` column of the file, in the order of the panel's queries."""
    rows = duckdb.execute("SELECT query_id, any_value(fold) FROM read_parquet(?) GROUP BY 1", [str(path)]).fetchall()
    by_id = dict(rows)
    return np.array([by_id[query.query_id] for query in panel.queries])


def without(panel: Panel, model: str) -> Panel:
    """The panel without one model."""
    return panel.of_models([name for name in panel.models if name != model])


def one_fold(panel: Panel, fold: np.ndarray, k: int, prices: PriceBook, asked: argparse.Namespace) -> list[dict]:
    """Every model held back, scored on fold k."""
    settings = FitSettings(embedder="base", groups=not asked.no_group, learning_curve=False)
    train = panel.take(np.flatnonzero(fold != k))
    complete = ~(np.isnan(panel.quality) | np.isnan(panel.cost_usd)).any(axis=1)
    test = panel.take(np.flatnonzero((fold == k) & complete))
    scale = scale_of(test.quality.mean(axis=0), test.cost_usd.mean(axis=0))
    choice = choose_embedder("base", train, near_folds(train), Opening(0, None, ()), quiet)
    features = choice.encoder.encode(train.queries, with_groups=settings.groups)
    unseen = choice.encoder.encode(test.queries, with_groups=settings.groups)
    full = aiq_log(fit_encoded(choice, features, train, prices, settings, quiet), unseen, test, scale)
    draws = []
    for model in asked.models or panel.models:
        router = fit_encoded(choice, features, without(train, model), prices, settings, quiet)
        base = aiq_log(router, unseen, test, scale)
        for labels in asked.labels:
            draw = {"fold": k, "model": model, "labels": labels, "full_gain": full - base}
            draws.append(draw | one_draw(router, train, model, labels, prices, unseen, test, scale, base, 100 * k))
            print(json.dumps(draws[-1]), file=sys.stderr, flush=True)
    return draws


def one_draw(router, train, model, labels, prices, unseen, test, scale, base, seed) -> dict[str, object]:
    """Ask, label, learn, and what taking it in would bring and did bring."""
    seed += SEED_OF_DRAWS + labels
    asked = suggest(router, train.queries, labels, seed=seed)
    found = add_model(router, train.take(asked.places), Candidate(model), prices, seed=seed)
    gain = aiq_log(found.router, unseen, test, scale) - base
    taken = found.evidence.suffices
    return {
        "quality": found.quality,
        "quality_sd": found.quality_sd,
        "true_quality": float(np.nanmean(train.quality[:, train.models.index(model)])),
        "expected_gain": found.evidence.gain,
        "low": found.evidence.low,
        "certainty": found.evidence.certainty,
        "taken_in": taken,
        "gain_if_taken_in": gain,
        "gain": gain if taken else 0.0,
    }


def aiq_log(router: Router, unseen, test: Panel, scale: Scale) -> float:
    """AIQ-log of a router on the held-out rows over the range of all models' zero router."""
    columns = [test.models.index(model) for model in router.models]
    estimates = router.estimate(unseen)
    everyone = np.ones(len(columns), dtype=np.bool_)
    expected_usd = router.cost_usd(estimates)
    choices = Sweep.of(estimates, expected_usd, router.models, router.anchors, PLAIN, everyone).choices(MUS)
    quality, cost = test.quality[:, columns], test.cost_usd[:, columns]
    own = scale_of(quality.mean(axis=0), cost.mean(axis=0))
    hull = curve_hull(chosen(cost, choices).mean(axis=1), chosen(quality, choices).mean(axis=1), own)
    return hull.mean_height_log(scale.low_usd, scale.high_usd)


def pooled(found: list[dict], labels: int) -> dict[str, object]:
    """The share of the full gain over models worth having, and the worst of the others, at one number of labels."""
    draws = [draw for draw in found if draw["labels"] == labels]
    models = sorted({draw["model"] for draw in draws})
    full = {m: np.array([d["full_gain"] for d in draws if d["model"] == m]) for m in models}
    got = {m: np.array([d["gain"] for d in draws if d["model"] == m]) for m in models}
    worth = [m for m in models if full[m].mean() >= WORTH]
    others = [m for m in models if m not in worth]
    error = np.array([(d["quality"] - d["true_quality"]) / d["quality_sd"] for d in draws])
    return {
        "labels": labels,
        "share": sum(got[m].sum() for m in worth) / sum(full[m].sum() for m in worth) if worth else None,
        "share_95": share_interval([full[m] for m in worth], [got[m] for m in worth]) if worth else None,
        "worth_having": {
            m: {"full_gain": full[m].mean(), "gain": got[m].mean(), "taken_in": taken(draws, m)} for m in worth
        },
        "others": {
            m: {"full_gain": full[m].mean(), "worst": got[m].min(), "taken_in": taken(draws, m)} for m in others
        },
        "worst_of_others": min((float(got[m].min()) for m in others), default=None),
        "quality_rmse": float(np.sqrt(np.mean([(d["quality"] - d["true_quality"]) ** 2 for d in draws]))),
        "quality_rms_in_sd": float(np.sqrt((error**2).mean())),
    }


def quiet(_what: str, _done: float) -> None:
    """Nobody listens."""


def taken(draws: list[dict], model: str) -> str:
    """How often a model was taken in."""
    own = [draw["taken_in"] for draw in draws if draw["model"] == model]
    return f"{sum(own)} of {len(own)}"


def share_interval(full: list[np.ndarray], got: list[np.ndarray]) -> list[float]:
    """95 % percentile interval of the pooled share, folds resampled together for all models."""
    rng = np.random.default_rng(0)
    whole, part = np.array(full), np.array(got)
    picked = rng.integers(whole.shape[1], size=(RESAMPLES, whole.shape[1]))
    shares = part[:, picked].sum(axis=(0, 2)) / whole[:, picked].sum(axis=(0, 2))
    return [float(v) for v in np.quantile(shares, [0.025, 0.975])]


if __name__ == "__main__":
    main()
