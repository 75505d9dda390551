"""What knowing the noise of labels is worth: routers fitted on labels of mixed noise, told of it or not.

    python runs/noisy_labels.py [--rows 400] [--draws 20]

Random parts of the demo's val set (package `paretobandit`); of seven tenths of the training rows the label is a yes or
no that is right on average, of the others what it was, and both kinds' noise is told; 500 other rows of val are held
out, with their labels as they are. Prints R2 of predicted quality, mean over models, without and with the column
`label_noise_sd`, of every draw, and at last the mean of their differences with its standard error. The demo's holdout
is not looked at.
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
FINE_SD = 0.05


def main() -> None:
    """One line of JSON per draw, and one of them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--draws", type=int, default=20)
    asked = parser.parse_args()
    panel = read_outcomes(outcome_files()[0])
    gains = []
    for seed in range(asked.draws):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(panel))
        inside, outside = (
            panel.take(np.sort(order[: asked.rows])),
            panel.take(order[asked.rows : asked.rows + HELD_OUT]),
        )
        quality = inside.quality
        is_rough = rng.random((asked.rows, 1)) < 0.7
        verdicts = (rng.random(quality.shape) < quality).astype(float)
        # One for all of a kind: told label by label it would say which of them are large.
        sd = np.where(is_rough, np.sqrt((quality * (1.0 - quality)).mean()), FINE_SD) * np.ones_like(quality)
        noisy = replace(inside, quality=np.where(is_rough, verdicts, quality))
        plain, told = (r2(one, outside) for one in (noisy, replace(noisy, label_noise_sd=sd)))
        gains.append(told - plain)
        print(json.dumps({"draw": seed, "without": round(plain, 4), "with": round(told, 4)}), flush=True)
    se = float(np.std(gains, ddof=1)) / len(gains) ** 0.5 if len(gains) > 1 else None
    print(json.dumps({"draws": len(gains), "gain": float(np.mean(gains)), "se": se}))


def r2(train: Panel, test: Panel) -> float:
    """R2 of the quality that a router fitted on `train` predicts on `test`, mean over models."""
    router = fit(train, None, FitSettings(embedder="base", learning_curve=False))
    predicted = router.estimate(router.features(test.queries)).quality
    return float(np.mean(1.0 - ((test.quality - predicted) ** 2).mean(axis=0) / test.quality.var(axis=0)))


if __name__ == "__main__":
    main()
