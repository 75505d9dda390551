"""How fast the excess risk of plug-in routers falls with training prompts, on made prompts whose truth is known.

    python runs/rates.py [--seeds 8] [--most 6400] [--figure docs/explanation/rates.svg]

Every prompt is a point x, uniform in the unit cube of dimension d. Quality and log cost of three models are sums of
waves that are Hoelder of order beta and no smoother anywhere; what is observed is right or wrong, and a cost with
log-normal noise. The excess risk at a trade-off is the loss of the chosen model minus the least loss, both by the
truth, in the mean over fresh prompts. The margin alpha is measured: P(gap of the two
best losses <= t) grows as t ** alpha. Prints one JSON document: the risks with their standard errors, the slopes in log
n, and the minimax slope -beta (1 + alpha) / (2 beta + d) beside them (Audibert and Tsybakov 2007; Somerstep et al.,
arXiv 2502.03261).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tenbin.predictors.knn import KnnPredictor
from tenbin.predictors.ridge import RidgePredictor
from tenbin.predictors.stack import StackPredictor
from tenbin.types import Features, Floats, Ints

MODELS = 3
OCTAVES = 12
BASE_COST_USD = np.array([0.1, 0.5, 1.0])
BASE_QUALITY = np.array([0.45, 0.5, 0.55])
SPREAD = 0.4
COST_NOISE = 0.5
MUS = (0.1, 0.2, 0.3, 0.5, 0.7)
FRESH = 4_000
FOLDS = 5
FIRST_N = 100
DRAWS = 500


@dataclass(frozen=True, slots=True)
class Setting:
    """One world: how smooth, how many dimensions."""

    beta: float
    dimension: int

    @property
    def name(self) -> str:
        return f"beta {self.beta:g}, d {self.dimension}"


SETTINGS = (Setting(1.0, 1), Setting(1.0, 2), Setting(1.0, 4), Setting(0.5, 2))


@dataclass(frozen=True, slots=True)
class World:
    """The truth of one setting: directions and phases of the waves of every quality and every log cost."""

    setting: Setting
    directions: Floats
    phases: Floats

    @classmethod
    def made(cls, setting: Setting) -> World:
        """The world of a setting, always the same one."""
        rng = np.random.default_rng([setting.dimension, round(100 * setting.beta)])
        directions = rng.standard_normal((2 * MODELS, OCTAVES, setting.dimension))
        directions /= np.linalg.norm(directions, axis=2, keepdims=True)
        return cls(setting, directions, rng.uniform(0.0, 2.0 * np.pi, (2 * MODELS, OCTAVES)))

    def waves(self, x: Floats) -> Floats:
        """The sums of waves [n, 2 M] at points [n, d], about within [-1, 1]."""
        octave = 2.0 ** np.arange(OCTAVES)
        sums = np.empty((len(x), 2 * MODELS))
        for i, (directions, phases) in enumerate(zip(self.directions, self.phases, strict=True)):
            angles = np.pi * octave * (x @ directions.T) + phases
            sums[:, i] = np.cos(angles) @ octave**-self.setting.beta
        return sums * (1.0 - 2.0**-self.setting.beta)

    def truth(self, x: Floats) -> tuple[Floats, Floats]:
        """Quality [n, M] and mean cost [n, M] at points [n, d]."""
        waves = self.waves(x)
        quality = np.clip(BASE_QUALITY + SPREAD * waves[:, :MODELS], 0.02, 0.98)
        return quality, BASE_COST_USD * np.exp(0.5 * waves[:, MODELS:])


def loss(quality: Floats, cost: Floats, mu: float) -> Floats:
    """The loss [n, M]; the scale of cost is 1."""
    return (1.0 - mu) * (1.0 - quality) + mu * cost


def features(x: Floats) -> Features:
    """Points as predictors see texts: a smooth map of the cube to unit vectors, and nothing else."""
    n, angles = len(x), 0.5 * np.pi * x
    vectors = np.hstack([np.cos(angles), np.sin(angles)]) / np.sqrt(x.shape[1])
    ones, nothing = np.ones(n), np.zeros((n, 0), np.float32)
    return Features(vectors.astype(np.float32), nothing, (None,) * n, ones, ones * np.nan, ones, 0.0 * ones)


def observed(world: World, x: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Right or wrong [n, M], and noisy costs [n, M] whose mean is the truth."""
    quality, cost = world.truth(x)
    noise = np.exp(COST_NOISE * rng.standard_normal(cost.shape) - 0.5 * COST_NOISE**2)
    return (rng.random(quality.shape) < quality).astype(np.float64), cost * noise


Losses = Callable[[float], Floats]
"""What a router expects every model to lose at a trade-off, [n, M]."""


def plug_in(make: Callable[[bool], KnnPredictor | RidgePredictor | StackPredictor]) -> Callable[..., Losses]:
    """Quality and cost predicted apart, each by a predictor of its own; told whether it is a quality."""

    def learn(x: Floats, right: Floats, cost: Floats, folds: Ints, fresh: Floats) -> Losses:
        found = []
        for target, is_quality in ((right, True), (cost, False)):
            predictor = make(is_quality)
            predictor.fit(features(x), target, np.ones_like(target), folds)
            found.append(predictor.predict(features(fresh)).mean)
        return lambda mu: loss(found[0], found[1], mu)

    return learn


def nearest_by_theory(setting: Setting) -> Callable[..., Losses]:
    """The mean of the k nearest, k growing as the theory says: n ** (2 beta / (2 beta + d))."""

    def learn(x: Floats, right: Floats, cost: Floats, folds: Ints, fresh: Floats) -> Losses:
        del folds
        n, beta = len(x), setting.beta
        k = max(1, round(2.0 * n ** (2.0 * beta / (2.0 * beta + setting.dimension))))
        near = nearest(x, fresh, min(k, n))
        quality, dollars = right[near].mean(axis=1), cost[near].mean(axis=1)
        return lambda mu: loss(quality, dollars, mu)

    return learn


def best_label(x: Floats, right: Floats, cost: Floats, folds: Ints, fresh: Floats) -> Losses:
    """What many routers learn: which model was observed to be best, by a vote of the nearest at every trade-off."""
    del folds
    near = nearest(x, fresh, max(1, round(2.0 * len(x) ** 0.5)))

    def losses(mu: float) -> Floats:
        best = np.eye(MODELS)[np.argmin(loss(right, cost, mu), axis=1)]
        return 1.0 - best[near].mean(axis=1)

    return losses


def nearest(x: Floats, fresh: Floats, k: int) -> Ints:
    """The k nearest training points [n, k] of fresh ones."""
    squares = (x * x).sum(axis=1) - 2.0 * fresh @ x.T
    near: Ints = np.argpartition(squares, k - 1, axis=1)[:, :k]
    return near


def routers(setting: Setting) -> Mapping[str, Callable[..., Losses]]:
    """Everybody that is compared."""
    return {
        "kNN, k by theory": nearest_by_theory(setting),
        "kNN, k by cross-validation": plug_in(lambda _is_quality: KnnPredictor()),
        "ridge": plug_in(lambda _is_quality: RidgePredictor()),
        "default": plug_in(lambda is_quality: StackPredictor(calibrated=is_quality)),
        "vote for the observed best": best_label,
    }


def margin(world: World) -> float:
    """alpha: the slope of log P(gap <= t) in log t for small gaps between the two best losses, over all trade-offs."""
    x = np.random.default_rng(1).random((100_000, world.setting.dimension))
    quality, cost = world.truth(x)
    gaps = [np.diff(np.sort(loss(quality, cost, mu), axis=1)[:, :2], axis=1)[:, 0] for mu in MUS]
    small = np.array([0.005, 0.01, 0.02, 0.04])
    mass = np.array([np.mean([np.mean(gap <= t) for gap in gaps]) for t in small])
    return float(np.polyfit(np.log(small), np.log(mass), 1)[0])


def excess(world: World, compared: Mapping[str, Callable[..., Losses]], n: int, seed: int) -> dict[str, float]:
    """The excess risk of every router after n training prompts, in the mean over trade-offs and fresh prompts."""
    rng = np.random.default_rng([seed, n, world.setting.dimension])
    x, fresh = rng.random((n, world.setting.dimension)), rng.random((FRESH, world.setting.dimension))
    right, cost = observed(world, x, rng)
    folds = np.arange(n, dtype=np.int64) % FOLDS
    quality, dollars = world.truth(fresh)
    found = {}
    for name, learn in compared.items():
        expected = learn(x, right, cost, folds, fresh)
        lost = []
        for mu in MUS:
            truth = loss(quality, dollars, mu)
            chosen = np.argmin(expected(mu), axis=1)
            lost.append(float(np.mean(truth[np.arange(FRESH), chosen] - truth.min(axis=1))))
        found[name] = float(np.mean(lost))
    return found


def slope(sizes: Sequence[int], risks: Floats) -> tuple[float, float]:
    """The slope of log mean risk ([seeds, sizes]) in log n over the larger sizes, and its bootstrap standard error."""
    late = len(sizes) // 2
    logs = np.log(np.array(sizes[late:], dtype=np.float64))

    def of(rows: Ints) -> float:
        return float(np.polyfit(logs, np.log(np.maximum(risks[rows, late:].mean(axis=0), 1e-12)), 1)[0])

    rng = np.random.default_rng(0)
    drawn_slopes = [of(rng.integers(len(risks), size=len(risks))) for _ in range(DRAWS)]
    return of(np.arange(len(risks))), float(np.std(drawn_slopes, ddof=1))


def measured(setting: Setting, sizes: Sequence[int], seeds: int) -> dict[str, object]:
    """All figures of one setting."""
    world = World.made(setting)
    alpha = margin(world)
    compared = routers(setting)
    runs = [[excess(world, compared, n, seed) for n in sizes] for seed in range(seeds)]
    found = {}
    for name in compared:
        risks = np.array([[at_n[name] for at_n in run] for run in runs])
        centre, error = slope(sizes, risks)
        found[name] = {
            "risk": risks.mean(axis=0).tolist(),
            "standard_error": (risks.std(axis=0, ddof=1) / np.sqrt(seeds)).tolist(),
            "slope": centre,
            "slope_standard_error": error,
        }
    minimax = -setting.beta * (1.0 + alpha) / (2.0 * setting.beta + setting.dimension)
    return {"setting": setting.name, "alpha": alpha, "minimax_slope": minimax, "sizes": sizes, "routers": found}


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--seeds", type=int, default=8)
    made.add_argument("--most", type=int, default=6_400, help="training prompts at the most; sizes double from 100")
    made.add_argument("--figure", type=Path, help="draw the risks into this SVG file")
    given = made.parse_args()
    if given.seeds < 2 or given.most < 4 * FIRST_N:
        sys.exit("rates: give at least 2 seeds and at least 400 prompts")
    sizes = [FIRST_N * 2**i for i in range(20) if FIRST_N * 2**i <= given.most]
    found = []
    for setting in SETTINGS:
        found.append(measured(setting, sizes, given.seeds))
        print(f"{setting.name}: done", file=sys.stderr, flush=True)
    if given.figure:
        from rates_figure import drawn  # noqa: PLC0415 (beside this script, when it is run as one)

        given.figure.write_text(drawn(found), encoding="utf-8")
    json.dump({"mus": MUS, "models": MODELS, "seeds": given.seeds, "settings": found}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
