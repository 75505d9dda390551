"""What few labels are worth: routers fitted on random small training sets of the demo's data, held to its holdout.

    python runs/few_labels.py [--rows 50 100 200 300 1785] [--draws 10]

Needs the package `paretobandit` for its data. Prints one JSON document per size, without and with group labels: the
gain over Z_test (mean AIQ and AIQ-log, least and largest draw), and what `--min-quality 0.97` kept and saved.
"""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np

from tenbin.cli.demo import outcome_files
from tenbin.evaluate.evaluation import evaluate
from tenbin.evaluate.result import Evaluation
from tenbin.outcomes import read_outcomes
from tenbin.router.fit import FitSettings, fit
from tenbin.types import Panel

PROMISE = 0.97


def main() -> None:
    """Every size, without and with group labels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[50, 100, 200, 300, 1785])
    parser.add_argument("--draws", type=int, default=10)
    asked = parser.parse_args()
    source, held_out = outcome_files()
    train, test = read_outcomes(source), read_outcomes(held_out)
    for rows in asked.rows:
        for groups in (False, True):
            draws = 1 if rows >= len(train) else asked.draws
            json.dump(
                {"rows": rows, "groups": groups, "draws": draws} | measured(train, test, rows, groups, draws),
                sys.stdout,
            )
            print(flush=True)


def measured(train: Panel, test: Panel, rows: int, groups: bool, draws: int) -> dict[str, list[float]]:
    """Mean, least and largest over the draws of each figure."""
    found = []
    for seed in range(draws):
        inside = np.sort(np.random.default_rng(seed).permutation(len(train))[:rows])
        router = fit(train.take(inside), None, FitSettings(groups=groups, learning_curve=False, seed=seed))
        found.append(figures(evaluate(router, test, resamples=2)))
    return {
        name: [round(float(f([one[name] for one in found])), 4) for f in (np.mean, np.min, np.max)] for name in found[0]
    }


def figures(evaluation: Evaluation) -> dict[str, float]:
    """The figures of one draw."""
    gain = next(d for d in evaluation.differences if d.baseline == "z_test")
    point = next(p for p in evaluation.operating_points if p.kind == "min_quality" and p.target == PROMISE)
    return {
        "gain_aiq": gain.aiq.value,
        "gain_aiq_log": gain.aiq_log.value,
        "kept": point.quality_ratio.value,
        "saving": point.saving.value,
    }


if __name__ == "__main__":
    main()
