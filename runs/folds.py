"""Five folds on a set that has a `fold` column: what the default router reaches out of fold, beside every baseline.

    python runs/folds.py OUTCOMES.parquet PRICES.toml [--without-models gemini-] [--embedder base] [--train-rows 50]

Prints one JSON document: figures with 95 % intervals over queries for each contender, without and with group labels,
gains over Z_test, paired differences, no harm, calibration, and what `--min-quality` 0.97 and 0.99 realised.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import duckdb
import numpy as np

from tenbin.evaluate.baselines import Arena, contenders
from tenbin.evaluate.calibration import LEAST_VARIANCE
from tenbin.evaluate.comparison import difference_of, no_harm_of, summary_of
from tenbin.evaluate.curve import Contender, chosen, swept
from tenbin.evaluate.subject import trained_baselines
from tenbin.evaluate.trial import Ground, run_trial
from tenbin.outcomes import read_outcomes
from tenbin.prices import PriceBook
from tenbin.risk import mu_grid
from tenbin.router.crossfit import DIAL_POINTS
from tenbin.router.dials import Dial
from tenbin.router.fit import FitSettings, fit
from tenbin.types import Estimates, Panel

MUS = mu_grid(DIAL_POINTS)
PROMISES = (0.97, 0.99)


@dataclass(frozen=True)
class FoldResult:
    """What one fold gave on its held-out rows."""

    rows: np.ndarray
    met: tuple[Contender, ...]
    estimates: Estimates
    cost_usd: np.ndarray
    promised: np.ndarray


def main() -> None:
    arguments = parser().parse_args()
    panel = read_outcomes(arguments.outcomes)
    panel = replace(panel, split=None)
    fold = folds_of(arguments.outcomes, panel)
    if arguments.without_models:
        panel = without(panel, arguments.without_models)
    prices = PriceBook.load(arguments.prices)
    document = {"data_hash": panel.data_hash, "n": len(panel), "models": list(panel.models)}
    for groups in (False, True):
        settings = FitSettings(
            embedder=arguments.embedder, predictor=arguments.predictor, groups=groups, learning_curve=False
        )
        document["with groups" if groups else "without groups"] = run(
            panel, fold, prices, settings, arguments.train_rows, arguments.seeds
        )
    json.dump(document, sys.stdout, indent=1)
    print()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("outcomes", type=Path)
    made.add_argument("prices", type=Path)
    made.add_argument("--without-models", default="", help="leave out models whose name starts so")
    made.add_argument("--embedder", default="base")
    made.add_argument("--predictor", default="stack")
    made.add_argument("--train-rows", type=int, default=0, help="train on so many random rows per fold (0: all)")
    made.add_argument("--seeds", type=int, default=1, help="repeat with so many random choices of training rows")
    return made


def folds_of(path: Path, panel: Panel) -> np.ndarray:
    """The `fold` column of the file, in the order of the panel's queries."""
    rows = duckdb.execute("SELECT query_id, any_value(fold) FROM read_parquet(?) GROUP BY 1", [str(path)]).fetchall()
    by_id = dict(rows)
    return np.array([by_id[query.query_id] for query in panel.queries])


def without(panel: Panel, prefix: str) -> Panel:
    """The panel without the models whose name starts with `prefix`."""
    return panel.of_models([model for model in panel.models if not model.startswith(prefix)])


def run(panel, fold, prices, settings, train_rows, seeds) -> object:
    """All folds, once per seed; a list of documents where there are several seeds."""
    documents = []
    for seed in range(seeds):
        draw = np.random.default_rng(seed)
        start = time.perf_counter()
        results = []
        for k in np.unique(fold):
            inside = np.flatnonzero(fold != k)
            if train_rows:
                inside = np.sort(draw.choice(inside, train_rows, replace=False))
            print(f"seed {seed}, fold {k}", file=sys.stderr)
            results.append(one_fold(panel, inside, np.flatnonzero(fold == k), prices, settings))
        documents.append({**pooled(panel, results), "seconds": round(time.perf_counter() - start, 1)})
    return documents[0] if seeds == 1 else documents


def one_fold(
    panel: Panel, inside: np.ndarray, outside: np.ndarray, prices: PriceBook, settings: FitSettings
) -> FoldResult:
    """Fit on the rows inside, decide the complete rows outside from prompts alone."""
    router = fit(panel.take(inside), prices, settings)
    complete = ~(np.isnan(panel.quality[outside]) | np.isnan(panel.cost_usd[outside])).any(axis=1)
    outside = outside[complete]
    held_out = panel.take(outside)
    features = router.features(held_out.queries)
    estimates = router.estimate(features)
    cost = router.cost_usd(estimates)
    arena = Arena(router.models, router.anchors, MUS, estimates, cost, np.ones(len(held_out)))
    met = contenders(arena, trained_baselines(router, features), held_out.quality, held_out.cost_usd, lambda _: None)
    mus = np.array([router.turn(Dial(min_quality=share)).mu for share in PROMISES])
    promised = swept("promised", "", estimates, cost, router.models, router.anchors, mus, arena.weight).choices
    return FoldResult(outside, met, estimates, cost, promised)


def pooled(panel: Panel, results: list[FoldResult]) -> dict[str, object]:
    """The figures over the held-out rows of all folds together."""
    rows = np.concatenate([result.rows for result in results])
    truth = panel.take(rows)
    met = [joined([result.met[i] for result in results]) for i in range(len(results[0].met))]
    ground = Ground(
        truth.quality, truth.cost_usd, truth.latency_s, np.ones(len(truth)), np.arange(len(truth), dtype=np.int64)
    )
    points = replace(met[0], name="promised", choices=np.concatenate([r.promised for r in results], axis=1))
    trial = run_trial(ground, met, points, resamples=1000, seed=0, tick=lambda _: None)
    zero = next(c for c in met if c.name == "z_test").name
    estimates = joined_estimates([result.estimates for result in results])
    best = truth.quality.mean(axis=0).max()
    realised = chosen(truth.quality, points.choices)
    return {
        "n_test": len(truth),
        "gain over z_test": {
            figure: asdict(getattr(difference_of(trial, zero), figure)) for figure in ("aiq", "aiq_log")
        },
        "figures": {c.name: {k: asdict(v) for k, v in figures(summary_of(trial, c.name)).items()} for c in met},
        "router minus": {
            c.name: {f: asdict(getattr(difference_of(trial, c.name), f)) for f in ("aiq", "aiq_log")} for c in met[1:]
        },
        "no harm": asdict(no_harm_of(difference_of(trial, "z_train"))),
        "min_quality": [
            {
                "promised": share,
                "realised": float(quality.mean() / best),
                "se": float(quality.std() / np.sqrt(len(truth)) / best),
                "cost_share": float(
                    chosen(truth.cost_usd, points.choices)[i].mean()
                    / truth.cost_usd[:, truth.quality.mean(0).argmax()].mean()
                ),
            }
            for i, (share, quality) in enumerate(zip(PROMISES, realised, strict=True))
        ],
        "calibration": calibration(truth, estimates, np.concatenate([r.cost_usd for r in results])),
    }


def joined_estimates(parts: list[Estimates]) -> Estimates:
    """The estimates of all folds as one; what is not known of one fold is not known."""
    held = {each.name: [getattr(part, each.name) for part in parts] for each in fields(Estimates)}
    return Estimates(**{k: None if any(one is None for one in v) else np.concatenate(v) for k, v in held.items()})


def figures(summary) -> dict[str, object]:
    """The figures of a summary by name."""
    return {name: getattr(summary, name) for name in summary.__slots__ if name != "name"}


def joined(parts: list[Contender]) -> Contender:
    """One contender over the rows of all folds; shorter lists of settings repeat their last one."""
    most = max(len(part.choices) for part in parts)
    padded = [np.concatenate([p.choices, np.repeat(p.choices[-1:], most - len(p.choices), axis=0)]) for p in parts]
    longest = max(parts, key=lambda part: len(part.choices))
    ladder = None
    if longest.ladder is not None:
        rungs = max(len(part.ladder) for part in parts)
        steps = [np.linspace(0, len(part.ladder) - 1, rungs).round().astype(int) for part in parts]
        ladder = np.concatenate([part.ladder[step] for part, step in zip(parts, steps, strict=True)], axis=1)
    return replace(longest, choices=np.concatenate(padded, axis=1), ladder=ladder)


def calibration(truth: Panel, estimates: Estimates, cost: np.ndarray) -> dict[str, object]:
    """Mean R2 of quality, ECE, token and dollar figures over models, from arrays alone."""
    error = ((truth.quality - estimates.quality) ** 2).mean(axis=0)
    spread = truth.quality.var(axis=0)
    varies = spread > LEAST_VARIANCE
    document: dict[str, object] = {
        "quality_r2": float((1 - error[varies] / spread[varies]).mean()),
        "ece": expected_calibration_error(truth.quality, estimates.quality),
    }
    for name, observed, predicted in (
        ("output_tokens", truth.output_tokens, estimates.output_tokens),
        ("dollars", truth.cost_usd, cost),
    ):
        if np.isnan(observed).all() or np.isnan(predicted).all():
            continue
        ratio = predicted.mean(axis=0) / np.nanmean(observed, axis=0)
        logs, guess = np.log(np.maximum(observed, 1e-9)), np.log(np.maximum(predicted, 1e-9))
        guess = guess + (logs - guess).mean(axis=0)
        document[name] = {
            "log_r2": float((1 - ((logs - guess) ** 2).mean(0) / logs.var(axis=0)).mean()),
            "ratio": float(predicted.mean() / np.nanmean(observed)),
            "ratio_min": float(ratio.min()),
            "ratio_max": float(ratio.max()),
        }
    return document


def expected_calibration_error(observed: np.ndarray, predicted: np.ndarray, bins: int = 15) -> float:
    """Equal-mass ECE over all cells, model by model, averaged."""
    total = 0.0
    for m in range(observed.shape[1]):
        for part in np.array_split(np.argsort(predicted[:, m], kind="stable"), bins):
            total += abs(observed[part, m].mean() - predicted[part, m].mean()) * len(part) / len(observed)
    return float(total / observed.shape[1])


if __name__ == "__main__":
    main()
