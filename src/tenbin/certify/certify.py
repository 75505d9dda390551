"""From a router and its calibration to a certificate, at the prices of the moment."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace
from statistics import NormalDist

import numpy as np

from tenbin.certify.bets import best_growth
from tenbin.certify.certificate import Certificate, GroupCertificate, NextStep
from tenbin.certify.observed import observed_quality, observed_saving
from tenbin.certify.pairs import Pairs, advantages, pair_up
from tenbin.certify.path import Path, decide, draw_path
from tenbin.certify.sequence import bets_like, steps_by_group, steps_proved
from tenbin.errors import DecisionError, EvaluationError, UsageError, near_or_known
from tenbin.policy import listed
from tenbin.router.calibration import Calibration
from tenbin.router.router import Router
from tenbin.types import Bools, Floats, TradeOff

ALPHA = 0.05
POWER = 0.8
"""How often the next setting shall be proved with the labels that are asked for."""
LEAST_MORE = 0.0005
"""What a further setting must save beyond the proved one to be worth naming: it is told to a tenth of a per cent."""
CALIBRATE = "fit with rows of split = calibration, or: tenbin certify ROUTER OUTCOMES"


def certify(
    router: Router,
    min_quality: float,
    *,
    alpha: float = ALPHA,
    trade_off: TradeOff | None = None,
    allow: Collection[str] | None = None,
    deny: Collection[str] | None = None,
    group: str | None = None,
    by_group: bool = False,
) -> Certificate:
    """The setting that saves most among those proved to keep `min_quality` of the reference's mean quality.

    The proof holds with confidence 1 - alpha for traffic like the router's calibration rows (of one `group`, where one
    is named). All but mu of `trade_off` is held. `by_group` says how far each group walks the path, all these claims
    together with the same confidence. The same router, prices and calibration give the same certificate.

    Raises UsageError (a share or level that makes no sense), DecisionError (the reference may not answer here),
    EvaluationError (no calibration rows, no paired labels), ArtifactError (a calibration that is damaged or void).
    """
    trade_off = trade_off or TradeOff(0.0)
    _check(min_quality, alpha)
    router.check_trade_off(trade_off)
    reference = router.reference
    allowed = listed(router.models, allow, deny)
    if not allowed[reference]:
        raise DecisionError(
            f'the reference "{router.manifest.reference}" may not answer here, so nothing can be certified against it',
            fix="allow it, or fit again with another --reference",
        )
    calibration = router.calibration
    if calibration is None or not len(calibration):
        raise EvaluationError("the router has no calibration rows to certify on", fix=CALIBRATE)
    path = draw_path(router, router.crossfit, trade_off, allowed)
    pairs = _pairs(router, calibration, path, allowed, min_quality, group)
    training = _training(path, pairs, reference, min_quality)
    apart = _pairs(router, _group_by_group(calibration), path, allowed, min_quality, group) if by_group else None
    values = pairs.values[:, 1:]
    step = int(steps_proved(values, bets_like(training, values, min_quality), alpha))
    return Certificate(
        min_quality=min_quality,
        alpha=alpha,
        finding="certified" if step else "too_few" if len(path) else "no_choice",
        reference=router.manifest.reference,
        trade_off=path.trade_offs[step - 1] if step else replace(trade_off, mu=0.0),
        allow=tuple(np.array(router.models)[allowed].tolist()) if step else (router.manifest.reference,),
        step=step,
        n_steps=len(path),
        n_prompts=len(values),
        n_pairs=int(pairs.counts[step]),
        largest_weight=pairs.largest_weight,
        quality=observed_quality(pairs, step, min_quality),
        saving=observed_saving(pairs, step),
        next_step=_next_step(path, pairs, training, step, min_quality, alpha),
        group=group,
        groups=() if apart is None else _groups(apart, path, training, step, min_quality, alpha),
        versions={**router.versions(), "calibration": calibration.digest[:12]},
    )


def _check(min_quality: float, alpha: float) -> None:
    if min_quality > 1.0:
        raise UsageError(
            f"a certificate starts from the reference itself, which keeps 1 of its quality and not {min_quality:g}",
            fix="ask for at most 1, e.g. 0.97",
        )
    if not min_quality > 0.0:
        raise UsageError(f"a minimum quality of {min_quality} is no share of the reference's", fix="give e.g. 0.97")
    if not 0.0 < alpha <= 0.5:
        raise UsageError(f"alpha = {alpha} is no chance of being wrong", fix="give more than 0 and at most 0.5")


def _pairs(
    router: Router, calibration: Calibration, path: Path, allowed: Bools, min_quality: float, group: str | None
) -> Pairs:
    """The pairs of the calibration at the reference itself and at every setting of the path."""
    ground, keys, groups = calibration.ground, calibration.keys, calibration.groups
    if group is not None:
        rows = np.flatnonzero(np.array(groups) == group)
        if not rows.size:
            fix = near_or_known(group, filter(None, groups)) or "the rows have no groups: leave it out"
            raise EvaluationError(f'no calibration row is of the group "{group}"', fix=fix)
        ground, keys, groups = ground.take(rows), tuple(keys[i] for i in rows), tuple(groups[i] for i in rows)
    reference = router.reference
    alone = np.full((1, len(keys)), reference, dtype=np.int64)
    mus = np.array([each.mu for each in path.trade_offs])
    routed = decide(router, ground, path.trade_offs[0], allowed, mus) if len(path) else alone[:0]
    measured = router.observed_cost_usd(ground.observed)
    dollars = np.where(np.isnan(measured), router.cost_usd(ground.estimates), measured)
    chosen = np.concatenate([alone, routed])
    pairs = pair_up(ground.observed, dollars, chosen, reference, min_quality, keys, groups)
    if len(path) and not pairs.counts.all():
        raise EvaluationError(
            f"none of the {len(keys)} calibration rows has the quality of both the reference and what would be chosen",
            fix="label some prompts for every candidate",
        )
    return pairs


def _group_by_group(calibration: Calibration) -> Calibration:
    """The same where copies of a prompt in two groups are two prompts: each group answers for its own outcomes."""
    keys = zip(calibration.keys, calibration.groups, strict=True)
    return replace(calibration, keys=tuple(f"{key} {group}" for key, group in keys))


def _training(path: Path, pairs: Pairs, reference: int, min_quality: float) -> Floats:
    """The values [m, K] of the training rows, scaled as those of the calibration are: what stakes are planned for."""
    found = advantages(path.ground.observed, path.chosen, reference, min_quality)
    return found * np.resize(pairs.weight.max(axis=1), len(found))[:, None]


def _next_step(
    path: Path, pairs: Pairs, training: Floats, step: int, min_quality: float, alpha: float
) -> NextStep | None:
    """The first setting beyond those proved that saves more, judged by calibration and training rows together.

    Every setting in front of it has to be proved as well: it takes the labels of the most demanding of them.
    """
    proved = observed_saving(pairs, step).value
    needed: list[int | None] = []
    for k in range(step, len(path)):
        seen = np.concatenate([pairs.values[:, k + 1], training[:, k]])
        own = _labels_needed(seen[~np.isnan(seen)], min_quality, alpha)
        needed.append(None if own is None else max(own, int(pairs.counts[k + 1]) + 1))
        saving = observed_saving(pairs, k + 1).value
        if saving > proved + LEAST_MORE:
            n_labels = max((n for n in needed if n is not None), default=0)
            return NextStep(path.trade_offs[k].mu, saving, None if None in needed else n_labels)
    return None


def _labels_needed(seen: Floats, min_quality: float, alpha: float) -> int | None:
    """About how many values like those `seen` prove that their mean is above 0; None where it is not.

    As many as a normal test of that power takes, and no fewer than a bettor: each value is small beside the share that
    it may fall below 0, so that wealth grows slowly however alike the values are.
    """
    mean, spread = float(seen.mean()), float(seen.std())
    if not mean > 0.0:
        return None
    normal = NormalDist()
    errors = normal.inv_cdf(1.0 - alpha) + normal.inv_cdf(POWER)
    return math.ceil(max((errors * spread / mean) ** 2, -math.log(alpha) / best_growth(seen, min_quality)))


def _groups(
    pairs: Pairs, path: Path, training: Floats, step: int, min_quality: float, alpha: float
) -> tuple[GroupCertificate, ...]:
    """What each named group proves on the same path; the level is shared among them."""
    names = sorted({group for group in pairs.groups if group})
    if not names:
        raise EvaluationError("no calibration row has a group", fix="leave out --by-group, or give the rows a group")
    own = {name: pairs.take(np.array([group == name for group in pairs.groups])) for name in names}
    steps = dict.fromkeys(names, 0)
    if len(path):
        values = {name: part.values[:, 1:] for name, part in own.items()}
        bets = {name: bets_like(training, part, min_quality) for name, part in values.items()}
        steps = steps_by_group(values, bets, alpha)
    return tuple(
        GroupCertificate(
            group=name,
            n_prompts=len(own[name].values),
            step=steps[name],
            mu=path.trade_offs[steps[name] - 1].mu if steps[name] else None,
            quality=observed_quality(own[name], step, min_quality),
            holds=steps[name] >= step,
        )
        for name in names
    )
