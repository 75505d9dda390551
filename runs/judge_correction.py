"""Judges of known bias and noise, corrected by a few people: does the interval cover the truth, and is it narrower?

    python runs/judge_correction.py [--drawn simply|shown] [--times 200] [--queries 250] [--seed 0]

Made worlds, so that the truth is known: models answer queries of varying difficulty; people grade an answer in
quarters, or as wrong and right; the judge sees what people see, with noise, and is fonder of all answers, of long ones
or of its own family's, or says anything at all. The labelled answers are a simple random part of each model's, or drawn
as `tenbin pilot label` shows them: spread over the judge's grades, which makes means better than their intervals say.
Prints one JSON document per setting: the share of intervals that cover the truth (of means, and of differences of two
models), and their mean width beside that of people's labels alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np

from tenbin.pilot.label.sample import draw
from tenbin.quality.correction import Correction, correct
from tenbin.types import Figure, Floats

LONG_RUN = 400_000
BIASES = ("constant", "length", "family")
NOISES = (0.1, 0.3)
LABELS = {1: (10, 20, 50), 4: (20, 48)}


@dataclass(frozen=True, slots=True)
class Setting:
    """One world and judge; `labels` is how many answers of all models people label."""

    models: int
    scale: str
    labels: int
    bias: str
    noise: float


def settings() -> Iterator[Setting]:
    """All settings: one model or four, both scales, three biases at two noises, and a judge that says anything."""
    for models, counts in LABELS.items():
        for scale in ("quarters", "right or wrong"):
            for labels in counts:
                for bias in BIASES:
                    for noise in NOISES:
                        yield Setting(models, scale, labels, bias, noise)
                yield Setting(models, scale, labels, "worthless", 0.3)


def world(rng: np.random.Generator, queries: int, setting: Setting) -> tuple[Floats, Floats]:
    """What the judge and what people say of every answer, [queries, models] each."""
    shape = (queries, setting.models)
    skill = 0.8 + np.linspace(-0.4, 0.6, setting.models)
    expected = 1.0 / (1.0 + np.exp(-skill - rng.normal(0.0, 1.0, (queries, 1)) - rng.normal(0.0, 0.9, shape)))
    if setting.scale == "quarters":
        human = np.clip(np.round(4.0 * (expected + rng.normal(0.0, 0.1, shape))) / 4.0, 0.0, 1.0)
        seen = human
    else:
        human = (rng.random(shape) < expected).astype(np.float64)
        seen = 0.2 + 0.6 * human
    if setting.bias == "worthless":
        seen = rng.permutation(seen.ravel()).reshape(shape)
    longer = rng.normal(0.0, 1.0, shape) + np.linspace(-0.5, 0.5, setting.models)
    fonder = {"constant": np.full(shape, 0.15), "length": 0.1 * longer, "family": np.zeros(shape)}
    fonder["family"][:, 0] = 0.2
    judged = seen + fonder.get(setting.bias, np.full(shape, 0.1)) + rng.normal(0.0, setting.noise, shape)
    return np.clip(judged, 0.0, 1.0), human


def labelled(judged: Floats, human: Floats, count: int, seed: int, drawn: str) -> tuple[Floats, Floats]:
    """People's labels of the answers drawn, NaN elsewhere, and the chance of each."""
    if drawn == "simply":
        judged = np.full_like(judged, 0.5)  # one band of grades
    grades = [((str(i), str(m), 0), float(judged[i, m])) for i, m in np.ndindex(judged.shape)]
    labels, chance = np.full_like(human, np.nan), np.ones_like(human)
    for shown in draw(grades, count, seed):
        at = int(shown.key[0]), int(shown.key[1])
        labels[at], chance[at] = human[at], shown.propensity
    return labels, chance


def measured(setting: Setting, times: int, queries: int, seed: int, drawn: str) -> dict[str, float]:
    """Shares covered and mean widths over the repetitions."""
    truth = world(np.random.default_rng(seed + 1), LONG_RUN, setting)[1].mean(axis=0)
    rng = np.random.default_rng(seed)
    found: list[Correction] = []
    for time in range(times):
        judged, human = world(rng, queries, setting)
        labels, chance = labelled(judged, human, setting.labels, time, drawn)
        found.append(correct(judged, labels, human_propensity=chance))
    means = [(arm, float(truth[m])) for one in found for m, arm in enumerate(one.arms)]
    alone, corrected = (
        float(np.mean([interval.width for interval in part]))
        for part in ([arm.labelled for arm, _ in means], [arm.corrected for arm, _ in means])
    )
    figures = {
        "judge_off": float(np.mean([arm.judged - t for arm, t in means])),
        "covered": float(np.mean([_covers(arm.corrected, t) for arm, t in means])),
        "people_covered": float(np.mean([_covers(arm.labelled, t) for arm, t in means])),
        "width": corrected,
        "people_width": alone,
        "ratio": corrected / alone,
    }
    if setting.models > 1:
        gap = float(truth[-1] - truth[0])
        figures["difference_covered"] = float(
            np.mean([_covers(one.difference(setting.models - 1, 0), gap) for one in found])
        )
    return figures


def _covers(interval: Figure, truth: float) -> bool:
    return interval.low <= truth <= interval.high


def main() -> None:
    """Every setting, one line each, and a last line that sums them up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drawn", choices=("simply", "shown"), default="simply")
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--queries", type=int, default=250)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rows = []
    for setting in settings():
        rows.append(asdict(setting) | measured(setting, asked.times, asked.queries, asked.seed, asked.drawn))
        json.dump({key: round(v, 4) if isinstance(v, float) else v for key, v in rows[-1].items()}, sys.stdout)
        print(flush=True)
    telling = [row for row in rows if row["bias"] != "worthless"]
    summary = {
        "settings": len(rows),
        "within_92_98": sum(0.92 <= row["covered"] <= 0.98 for row in rows),
        "covered": [round(float(f([row["covered"] for row in rows])), 4) for f in (np.mean, np.min, np.max)],
        "ratio": [round(float(f([row["ratio"] for row in telling])), 3) for f in (np.mean, np.min, np.max)],
        "worthless_ratio": round(max(row["ratio"] for row in rows if row["bias"] == "worthless"), 3),
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
