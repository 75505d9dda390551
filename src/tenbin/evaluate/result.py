"""What an evaluation found: a tree of frozen values, read by the report and the command line.

Money is in dollars per query, time in seconds, quality in [0, 1]. NaN means "not reached", "not measured" or "not
identifiable" and becomes null in JSON. Intervals are paired bootstrap intervals over queries, 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

from tenbin.types import UNKNOWN, Figure

SCHEMA_VERSION = 1
ROUTER = "router"
"""The name of the router itself among `Evaluation.curves` and `Evaluation.summaries`."""
USUAL_RATIO = 0.99
"""The promise that is looked at where nothing else is asked: the default of the dial."""

VerdictKind = Literal["route", "single", "collect"]


@dataclass(frozen=True, slots=True)
class DataSummary:
    """What was evaluated, and what was left out of it.

    `n_rows` queries were given, `n_other_split` were not of split "test", `n_seen_dropped` had been seen in training,
    `n_incomplete` lacked a quality or a cost for some model; `n_test` were left and every curve is over these.
    `n_clusters` counts the independent units of the bootstrap (near-duplicates together). `cost_source` is
    "tokens" (at the router's prices), "observed" (the table's cost_usd) or "mixed" (cost_usd where tokens are unknown).
    """

    n_rows: int
    n_other_split: int
    n_seen_dropped: int
    n_incomplete: int
    n_test: int
    n_clusters: int
    n_train: int
    groups: tuple[tuple[str, int], ...]
    data_hash: str
    cost_source: str
    weighted: bool
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SingleModel:
    """One model asked for every test query. `label_share` is the share of test queries with its quality known."""

    model: str
    quality: Figure
    cost_usd: Figure
    latency_s: Figure
    label_share: float
    arena_score: float
    on_hull: bool


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One setting of a dial, realised on the test queries.

    `mu` is NaN where the point is not of a sweep (a model of the zero router). `shares` is in the order of
    `Evaluation.models` and sums to 1. `predicted_…` are the means promised by the estimates of the chosen models
    (NaN for what predicts nothing). `quality_ratio` and `saving` are against the reference on the same queries, as in
    an `OperatingPoint`.
    """

    mu: float
    label: str
    quality: Figure
    cost_usd: Figure
    latency_s: float
    shares: tuple[float, ...]
    predicted_quality: float
    predicted_cost_usd: float
    quality_ratio: Figure = UNKNOWN
    saving: Figure = UNKNOWN


@dataclass(frozen=True, slots=True)
class Curve:
    """The router or one baseline: its points, and the hull that is measured as (dollars, quality) vertices.

    `name` is one of "router", "z_test", "z_train", "group_table", "carrot_knn", "mean_cost", "best_pair", "oracle";
    `title` names it for people. `deployable` is False for what looks at the test outcomes.
    """

    name: str
    title: str
    deployable: bool
    points: tuple[CurvePoint, ...]
    hull: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of one curve (FIELD definitions, docs/explanation/metrics.md).

    `qnc` and `cost_at_…` are shares of the best single model's cost (1 = as dear; NaN = quality not reached).
    `apgr` is NaN unless there are exactly two models.
    """

    name: str
    aiq: Figure
    aiq_log: Figure
    qnc: Figure
    cost_at_99: Figure
    cost_at_97: Figure
    cost_at_95: Figure
    peak_quality: Figure
    apgr: Figure


@dataclass(frozen=True, slots=True)
class Difference:
    """The router minus one baseline, paired over queries; positive `aiq`, `aiq_log`, `peak_quality` are better.

    For `qnc` and `cost_at_…` negative is better (cheaper). `…_se` are bootstrap standard errors.
    """

    baseline: str
    aiq: Figure
    aiq_log: Figure
    qnc: Figure
    cost_at_97: Figure
    peak_quality: Figure
    aiq_se: float
    aiq_log_se: float


@dataclass(frozen=True, slots=True)
class Saving:
    """What the router saves at `ratio` of the best single model's quality, on the curve's hull.

    `saving` is 1 - cost / the best single model's cost; `zero_saving` the same for mixing models blindly (z_test);
    `cost_usd` the router's dollars per query there. NaN where the quality is not reached, or that model is free.
    """

    ratio: float
    quality: float
    cost_usd: Figure
    saving: Figure
    zero_saving: Figure


@dataclass(frozen=True, slots=True)
class NoHarm:
    """Whether the router keeps up with the zero router chosen on training data, within one standard error.

    `aiq` and `aiq_log` are router minus z_train; `passed` = both >= minus their standard error.
    """

    aiq: Figure
    aiq_log: Figure
    aiq_se: float
    aiq_log_se: float
    passed: bool


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One equal-mass bin: `n` predictions, their mean, and the mean that was observed."""

    n: int
    predicted: float
    observed: float


@dataclass(frozen=True, slots=True)
class QualityCalibration:
    """Calibration of quality for one model ("" = all); `r2` is over the constant that is the model's test mean."""

    model: str
    n: int
    bins: tuple[ReliabilityBin, ...]
    brier: float
    ece: float
    r2: float
    mean_predicted: float
    mean_observed: float


@dataclass(frozen=True, slots=True)
class AmountCalibration:
    """Calibration of a positive amount for one model ("" = all): R2 of its log, median APE, ratio of means.

    `ratio_of_means` is mean predicted / mean observed; `median_ape` a share (0.2 = 20 %).
    """

    model: str
    n: int
    r2_log: float
    median_ape: float
    ratio_of_means: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Promised against observed, the overall row (model "") first; an amount that was not recorded has no rows."""

    quality: tuple[QualityCalibration, ...]
    input_tokens: tuple[AmountCalibration, ...]
    output_tokens: tuple[AmountCalibration, ...]
    cost_usd: tuple[AmountCalibration, ...]
    latency_s: tuple[AmountCalibration, ...]


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A dial set on training data alone, and what it did on the test queries.

    `kind` is "min_quality" (`target` = ratio of the reference's quality) or "mu" (`target` = mu). `promised_…` are
    out-of-fold means on the training queries; `reached` says whether the target was reachable there.
    `quality_ratio` is realised quality / the reference model's realised quality, `saving` 1 - realised cost / its
    realised cost; `overshoot` = quality_ratio - target (NaN for "mu").
    `kept` is realised >= promised - 1 point - 1 standard error, the promise of a ratio being that share of what the
    reference realised on the same queries. `blind_saving` is what the zero router (z_test) saves at the realised
    quality: what mixing models without reading the prompt would have brought. It is NaN where that does not get there,
    and where fewer than ten queries go elsewhere than most do; `blind_note` then says which, by language ("en", "ja").
    """

    kind: str
    target: float
    mu: float
    reached: bool
    promised_quality: float
    promised_cost_usd: float
    quality: Figure
    cost_usd: Figure
    quality_ratio: Figure
    saving: Figure
    overshoot: float
    kept: bool
    shares: tuple[float, ...]
    arena_score: float
    blind_saving: Figure = UNKNOWN
    blind_note: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """The cross-fitted learning curve stored at fit: figures by name at `n_train` training queries."""

    n_train: int
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Payback:
    """After how many routed queries the labelling has paid for itself; NaN where nothing is saved or known.

    `labelling_usd` is what the answers of the labelled training cells cost (judging not included);
    `saving_usd` is dollars per query against the reference model at the operating point `ratio`.
    """

    labelling_usd: float
    ratio: float
    saving_usd: Figure
    queries: Figure


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of the evaluation in words.

    `kind`: "route" (it pays), "single" (just use `model`) or "collect" (about `n_more` more labelled prompts to
    test on are needed).
    `sentences` by language ("en", "ja"), the first being the headline. `prompts_say_nothing`: the gain over the zero
    router is not above 0 by its intervals; `chance` is its p-value by permutation. `saving` and `quality_ratio` are
    against the reference, at the operating point that "route" rests on (`ratio` asked for, NaN: mu 0) or of `model`.
    """

    kind: VerdictKind
    model: str | None
    n_more: int | None
    prompts_say_nothing: bool
    ratio: float
    saving: Figure
    quality_ratio: Figure
    sentences: Mapping[str, tuple[str, ...]]
    chance: float = math.nan

    @property
    def asked_ratio(self) -> float:
        """The share of the reference's quality that is spoken of; 99 % where the verdict rests on none."""
        return self.ratio if math.isfinite(self.ratio) else USUAL_RATIO


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything an evaluation found. `models` fixes the order of every `shares`; `curves[0]` is the router.

    `reference` is the router's fixed reference (best in training), `best_single` the best on the test queries.
    `cost_range_usd` is [a, b], the dollars between which AIQ is taken. `oracle_note` says whether the oracle is
    identifiable; `head_room` is the mean quality by which the noise-corrected oracle stands above the zero router
    (z_test) at the same cost, NaN where it is not. `notes` are sentences about what was ignored or left out.
    """

    models: tuple[str, ...]
    reference: str
    best_single: str
    cost_range_usd: tuple[float, float]
    level: float
    resamples: int
    seed: int
    data: DataSummary
    singles: tuple[SingleModel, ...]
    curves: tuple[Curve, ...]
    summaries: tuple[Summary, ...]
    differences: tuple[Difference, ...]
    savings: tuple[Saving, ...]
    no_harm: NoHarm
    calibration: Calibration
    operating_points: tuple[OperatingPoint, ...]
    learning_curve: tuple[LearningPoint, ...]
    payback: Payback
    oracle_note: str
    verdict: Verdict
    notes: tuple[str, ...]
    head_room: Figure = UNKNOWN

    @property
    def asked_ratio(self) -> float:
        """The share of the reference's quality that the verdict speaks of; 99 % where it rests on none."""
        return self.verdict.asked_ratio

    @property
    def chosen(self) -> OperatingPoint | None:
        """The setting that was chosen on training data for that share; None where the verdict is to route at mu 0."""
        if self.verdict.kind == "route" and math.isnan(self.verdict.ratio):
            return None
        asked = ("min_quality", self.asked_ratio)
        told = (point for point in self.operating_points if math.isfinite(point.mu))
        return next((point for point in told if (point.kind, point.target) == asked), None)

    def to_json(self) -> dict[str, Any]:
        """The tree as JSON values with `schema_version`; NaN and infinities become None."""
        return {"schema_version": SCHEMA_VERSION, **plain(self)}


def plain(value: Any) -> Any:
    """The value as JSON knows it: dataclasses as objects, arrays as lists, NaN and infinities as None."""
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return plain(value.tolist()) if hasattr(value, "tolist") else value  # arrays, without importing NumPy here
