"""An evaluation made by hand for these tests: round numbers, nothing measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tenbin.evaluate.result import (
    AmountCalibration,
    Calibration,
    Curve,
    CurvePoint,
    DataSummary,
    Difference,
    Evaluation,
    LearningPoint,
    NoHarm,
    OperatingPoint,
    Payback,
    QualityCalibration,
    ReliabilityBin,
    Saving,
    SingleModel,
    Summary,
    Verdict,
    VerdictKind,
)
from tenbin.risk import mu_grid
from tenbin.types import CandidateView, Decision, Figure, TradeOff

NAN = math.nan
UNKNOWN = Figure(NAN, NAN, NAN)
SENTENCES: Mapping[str, tuple[str, ...]] = {
    "en": ("Route: it saves 60.0% [55.0%, 65.0%] of the cost.", "Made for a test."),
    "ja": ("ルーティングは有効です。費用を60.0%（95%信頼区間 55.0%〜65.0%）削減します。", "テスト用です。"),
}
HOSTILE = "</script><img src=x onerror=alert(1)>\"'&\u202e\x00\ud800<svg/onload=alert(2)>"
DENSE = ("group_table", "carrot_knn", "mean_cost", "best_pair", "oracle")


def figure(value: float, half: float = 0.01) -> Figure:
    return Figure(value, value - half, value + half)


def sweep(n_models: int, points: int, lift: float = 0.0) -> tuple[CurvePoint, ...]:
    """From the last model alone (dear) to the first alone (cheap)."""
    found = []
    for k, mu in enumerate(mu_grid(points)):
        left = 1.0 - k / (points - 1)
        shares = [0.0] * n_models
        shares[-1] += left * 0.9
        shares[0] += (1.0 - left) * 0.9
        for m in range(n_models):
            shares[m] += 0.1 / n_models
        quality, cost = 0.6 + 0.25 * left**0.5 + lift, 0.0002 + 0.0123456789 * left**2
        found.append(
            CurvePoint(
                float(mu),
                "",
                figure(quality, 0.0123456),
                figure(cost, cost / 10),
                NAN,
                tuple(shares),
                quality,
                cost,
                figure(quality / 0.84, 0.015),
                figure(1.0 - cost / 0.0125, cost / 0.125),
            )
        )
    return tuple(found)


def hull_of(points: Sequence[CurvePoint]) -> tuple[tuple[float, float], ...]:
    return tuple((p.cost_usd.value, p.quality.value) for p in reversed(points))


def make_curves(models: Sequence[str], points: int) -> tuple[Curve, ...]:
    router = sweep(len(models), points)
    straight = ((0.0002, 0.6), (0.0125, 0.84))
    return (
        Curve("router", "Router", True, router, hull_of(router)),
        Curve("z_test", "Zero router", False, (), straight),
        Curve("z_train", "Zero router (train)", True, (), straight),
        *(Curve(name, name, name != "oracle", p := sweep(len(models), points, -0.02), hull_of(p)) for name in DENSE),
    )


def make_singles(models: Sequence[str]) -> tuple[SingleModel, ...]:
    last = max(len(models) - 1, 1)
    return tuple(
        SingleModel(
            model, figure(0.6 + 0.24 * k / last), figure(0.0002 + 0.0123 * k / last, 1e-5), UNKNOWN, 1.0, 60.0 + k, True
        )
        for k, model in enumerate(models)
    )


def make_calibration(models: Sequence[str]) -> Calibration:
    bins = tuple(ReliabilityBin(100, k / 10, k / 10 + 0.01) for k in range(1, 10))
    quality = tuple(QualityCalibration(model, 900, bins, 0.15, 0.02, 0.11, 0.5, 0.51) for model in ("", *models))
    amounts = tuple(AmountCalibration(model, 900, 0.47, 0.3, 1.01) for model in ("", *models))
    return Calibration(quality, (), amounts, amounts, ())


def make_point(models: Sequence[str], target: float, kept: bool) -> OperatingPoint:
    shares = tuple(1.0 / len(models) for _ in models)
    return OperatingPoint(
        "min_quality", target, 0.2, True, 0.83, 0.004, figure(0.82), figure(0.005, 0.001), figure(0.985), figure(0.6),
        0.985 - target, kept, shares, 70.0,
    )  # fmt: skip


def make_evaluation(
    models: Sequence[str] = ("small", "medium", "large"), *, points: int = 11, kind: VerdictKind = "route",
    sentences: Mapping[str, tuple[str, ...]] = SENTENCES, group: str = "maths", note: str = "a note",
) -> Evaluation:  # fmt: skip
    """A whole evaluation of these models, the last being the best and dearest."""
    gain = figure(0.02)
    names = ("z_test", "z_train", *DENSE)
    summaries = [Summary(name, *(figure(v) for v in (0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.85)), UNKNOWN) for name in names]
    verdict = Verdict(
        kind,
        None if kind == "collect" else models[-1],
        1731 if kind == "collect" else None,
        kind != "route",
        0.99 if kind == "route" else NAN,
        Figure(0.6, 0.55, 0.65) if kind == "route" else UNKNOWN,
        figure(0.985) if kind == "route" else UNKNOWN,
        sentences,
    )
    return Evaluation(
        models=tuple(models),
        reference=models[-1],
        best_single=models[-1],
        cost_range_usd=(0.0002, 0.0125),
        level=0.95,
        resamples=1000,
        seed=7,
        data=DataSummary(1200, 100, 30, 20, 1050, 1040, 4000, ((group, 600), ("law", 450)), "ab" * 32, "tokens", True,
                         {"tenbin": "0.1.0", "artifact": "f00", "date": "2026-11-23"}),
        singles=make_singles(models),
        curves=make_curves(models, points),
        summaries=(Summary("router", *(figure(0.5) for _ in range(7)), UNKNOWN), *summaries),
        differences=tuple(Difference(name, gain, gain, gain, figure(-0.1), gain, 0.004, 0.005) for name in names),
        savings=(
            Saving(1.0, 0.84, UNKNOWN, UNKNOWN, UNKNOWN),
            *(Saving(r, r * 0.84, figure(0.004, 0.0005), figure(0.612), figure(0.2)) for r in (0.99, 0.97, 0.95)),
        ),
        no_harm=NoHarm(gain, gain, 0.004, 0.005, True),
        calibration=make_calibration(models),
        operating_points=(make_point(models, 0.97, True), make_point(models, 0.99, False)),
        learning_curve=tuple(LearningPoint(n, {"gain_log": 0.001 * n**0.5, "aiq": 0.8}) for n in (500, 1000, 2000)),
        payback=Payback(412.5, 0.99, figure(0.003, 0.0001), Figure(137500.0, 133000.0, 142000.0)),
        oracle_note="the oracle is not identifiable",
        verdict=verdict,
        notes=(note,),
    )  # fmt: skip


def make_decision(model: str, reason: str) -> Decision:
    views = (
        CandidateView(model, 0.8, 0.05, 100.0, 200.0, 0.0012, NAN, 0.2, True, reason),
        CandidateView("other", 0.7, 0.05, 100.0, 200.0, 0.0002, NAN, 0.3, True, "costs less and answers worse"),
    )
    return Decision("q1", TradeOff(0.2), model, views, reason)
