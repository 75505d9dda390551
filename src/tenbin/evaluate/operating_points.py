"""Dials set on training rows alone, and what they did on the test rows: promises held against facts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from tenbin.errors import DecisionError
from tenbin.evaluate.baselines import Arena
from tenbin.evaluate.blind_mixture import blind_mixtures
from tenbin.evaluate.comparison import kept_of, shares_of
from tenbin.evaluate.curve import Contender
from tenbin.evaluate.intervals import amount_interval, quality_interval, standard_error
from tenbin.evaluate.metrics import arena_score
from tenbin.evaluate.prospects import Prospects
from tenbin.evaluate.result import OperatingPoint
from tenbin.evaluate.training import Training
from tenbin.evaluate.trial import POINTS, SINGLES, Ground, Trial
from tenbin.router.crossfit import DialCurve
from tenbin.router.dials import Dial, turn

MIN_QUALITY = (0.95, 0.97, 0.99, 1.0)
MUS = (0.0, 0.1, 0.25, 0.5, 0.75)
SLACK = 0.01
"""One point of quality: what a promise may miss besides one standard error."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A dial as it was set on training rows: what was asked, the mu that came out, what was promised there."""

    kind: str
    target: float
    mu: float
    reached: bool
    promised_quality: float
    promised_cost_usd: float


def settings_of(curve: DialCurve) -> tuple[Setting, ...]:
    """The settings from the out-of-fold dial curve of the training rows; mu 0 where a promise cannot be kept."""
    made = []
    for ratio in MIN_QUALITY:
        try:
            mu, reached = turn(Dial(min_quality=ratio), curve).mu, True
        except DecisionError:
            mu, reached = 0.0, False
        made.append(_setting("min_quality", ratio, mu, reached, curve))
    return (*made, *(_setting("mu", mu, mu, True, curve) for mu in MUS))


def contend(settings: tuple[Setting, ...], arena: Arena) -> Contender:
    """The settings as a contender on the test rows, so that they are resampled with everything else."""
    at_settings = replace(arena, mus=np.array([setting.mu for setting in settings]))
    found = at_settings.contender(POINTS, "Operating points", None, None)
    return replace(found, labels=tuple(f"{setting.kind} {setting.target:g}" for setting in settings), ladder=None)


def operating_points(
    trial: Trial,
    settings: tuple[Setting, ...],
    contender: Contender,
    ground: Ground,
    arena: Arena,
    training: Training,
) -> tuple[OperatingPoint, ...]:
    """What every setting realised, against the reference model on the same queries; `arena` is where they contend."""
    reference = arena.models.index(arena.anchors.reference)
    quality, cost = trial.means.of(f"{POINTS} quality"), trial.means.of(f"{POINTS} cost")
    reference_quality = trial.means.of(f"{SINGLES} quality")[:, reference]
    shares = shares_of(contender.choices, ground)
    dial = arena.anchors, contender.mus, contender.choices, reference
    prospects = Prospects.along(arena.estimates, arena.cost_usd, *dial)
    tails = training.tails(contender.mus, ground.variance_share)
    tail = tails.dollars * trial.means.of(f"{SINGLES} cost")[0, reference]
    which = np.arange(len(settings)), ground, reference
    kept = kept_of(trial.means, POINTS, contender.choices, *which, prospects, tail=tails.share)
    blind = blind_mixtures(trial, contender, ground, arena.models, reference)
    points = []
    for k, setting in enumerate(settings):
        ratio, saving = kept[k]
        asked = setting.kind == "min_quality"
        promise = setting.target * reference_quality if asked else np.full(len(quality), setting.promised_quality)
        shortfall = quality[:, k] - promise
        noise = standard_error(shortfall)
        points.append(
            OperatingPoint(
                kind=setting.kind,
                target=setting.target,
                mu=setting.mu,
                reached=setting.reached,
                promised_quality=setting.promised_quality,
                promised_cost_usd=setting.promised_cost_usd,
                quality=quality_interval(quality[:, k], variance_share=ground.variance_share),
                cost_usd=amount_interval(cost[:, k], tail=tail[k]),
                quality_ratio=ratio,
                saving=saving,
                overshoot=ratio.value - setting.target if asked else math.nan,
                kept=bool(shortfall[0] >= -SLACK - (0.0 if math.isnan(noise) else noise)),
                shares=tuple(shares[k].tolist()),
                arena_score=arena_score(float(quality[0, k]), float(cost[0, k])),
                blind_saving=blind[k].saving,
                blind_note=blind[k].note,
            )
        )
    return tuple(points)


def _setting(kind: str, target: float, mu: float, reached: bool, curve: DialCurve) -> Setting:
    at = int(np.argmin(np.abs(curve.mu - mu)))
    return Setting(kind, target, mu, reached, float(curve.quality[at]), float(curve.cost_usd[at]))
