"""The demo set, val to holdout, without and with group labels: what the default router reaches there.

    python runs/demo_set.py

Reads the outcomes of the installed package `paretobandit` and prints one JSON document. Every run is a look
at the holdout: log it in docs/LOG.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tenbin.evaluate.evaluation import evaluate
from tenbin.evaluate.result import Evaluation
from tenbin.outcomes import read_outcomes
from tenbin.router.fit import FitSettings, fit


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--embedder", default="base")
    arguments = made.parse_args()
    found = importlib.util.find_spec("pareto_bandit")
    if found is None or found.origin is None:
        sys.exit("runs/demo_set.py: pip install paretobandit first")
    folder = Path(found.origin).parent / "data" / "examples"
    val, holdout = (read_outcomes(folder / name) for name in ("val.jsonl", "test_holdout.jsonl"))
    document: dict[str, object] = {"data_hash": val.data_hash, "holdout_hash": holdout.data_hash}
    for groups in (False, True):
        router = fit(val, None, FitSettings(embedder=arguments.embedder, groups=groups, learning_curve=False))
        document["with groups" if groups else "without groups"] = shown(evaluate(router, holdout))
    json.dump(document, sys.stdout, indent=1)
    print()


def shown(evaluation: Evaluation) -> dict[str, object]:
    """The figures that the results page quotes."""
    whole = next(row for row in evaluation.calibration.quality if not row.model)
    return {
        "figures": {s.name: {f: asdict(getattr(s, f)) for f in FIGURES} for s in evaluation.summaries},
        "router minus": {d.baseline: {f: asdict(getattr(d, f)) for f in FIGURES[:2]} for d in evaluation.differences},
        "quality": {"r2": whole.r2, "ece": whole.ece},
        "dollars": [asdict(row) for row in evaluation.calibration.cost_usd],
        "dials": [
            {"asked": point.target, "kept": point.quality_ratio.value, "saving": asdict(point.saving)}
            for point in evaluation.operating_points
            if point.kind == "min_quality"
        ],
        "no harm": evaluation.no_harm.passed,
    }


FIGURES = ("aiq", "aiq_log", "cost_at_95", "cost_at_97")


if __name__ == "__main__":
    main()
