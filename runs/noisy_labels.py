"""What knowing the noise of labels is worth: routers fitted on labels of mixed noise, told of it or not.

    python runs/noisy_labels.py [--rows 400] [--draws 4] [--sd 0.5]

Random parts of the demo's val set (package `paretobandit`); seven tenths of the training rows get noise of that
standard deviation, the others of 0.05; 500 other rows of val are held out, with their labels as they are. Prints R2 of
predicted quality, mean over models, without and with the column `label_noise_sd`, of every draw. The demo's holdout is
not looked at.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

import numpy as np

from tenbin.cli.demo import outcome_files
from tenbin.outcomes import read_outcomes
from tenbin.router.fit import FitSettings, fit
from tenbin.types import Panel

HELD_OUT = 500


def main() -> None:
    """One line of JSON per draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--sd", type=float, default=0.5)
    asked = parser.parse_args()
    panel = read_outcomes(outcome_files()[0])
    for seed in range(asked.draws):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(panel))
        inside, outside = (
            panel.take(np.sort(order[: asked.rows])),
            panel.take(order[asked.rows : asked.rows + HELD_OUT]),
        )
        noise = np.where(rng.random((asked.rows, 1)) < 0.7, asked.sd, 0.05) * np.ones_like(inside.quality)
        noisy = replace(inside, quality=inside.quality + rng.normal(size=noise.shape) * noise)
        plain, told = (r2(one, outside) for one in (noisy, replace(noisy, label_noise_sd=noise)))
        print(json.dumps({"draw": seed, "without": round(plain, 4), "with": round(told, 4)}), flush=True)


def r2(train: Panel, test: Panel) -> float:
    """R2 of the quality that a router fitted on `train` predicts on `test`, mean over models."""
    router = fit(train, None, FitSettings(embedder="base", learning_curve=False))
    predicted = router.estimate(router.features(test.queries)).quality
    return float(np.mean(1.0 - ((test.quality - predicted) ** 2).mean(axis=0) / test.quality.var(axis=0)))


if __name__ == "__main__":
    main()
