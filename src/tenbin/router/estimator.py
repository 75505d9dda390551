"""Everything a router expects of its candidates: quality, tokens or dollars, seconds, each by its own predictor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.predictors.group import GroupMeans
from tenbin.predictors.input_tokens import InputTokens
from tenbin.predictors.lengths import LengthHead
from tenbin.predictors.parts import part, prefixed
from tenbin.predictors.stack import StackPredictor
from tenbin.protocols import Arrays, Predictor
from tenbin.reasons import Reason
from tenbin.router.gap import gap_sd
from tenbin.router.roster import Roster
from tenbin.types import Estimates, Features, Floats, Prediction

STRANGE = 0.5
"""A text that keeps less than this share of its deviation from the means is said to be decided by the means."""


@dataclass(frozen=True, slots=True)
class Familiarity:
    """How far the estimates of a strange text fall back to means: its group's, or the candidates' own.

    Below `floor`, a familiarity that training texts exceed, the deviation from `means` shrinks in proportion and the
    standard deviation grows towards `spread` [M], that of the estimates in training.
    """

    floor: float
    means: GroupMeans
    spread: Floats

    def kept(self, familiarity: Floats) -> Floats:
        """The share [n] of the deviation from the means that is kept."""
        if self.floor <= 0.0:
            return np.ones_like(familiarity)
        return np.minimum(np.maximum(familiarity / self.floor, 0.0), 1.0)

    def shrink(self, prediction: Prediction, features: Features) -> Prediction:
        """The prediction, drawn to the means as far as the text is unfamiliar."""
        kept = self.kept(features.familiarity)[:, None]
        if (kept == 1.0).all():
            return prediction
        mean = kept * prediction.mean + (1.0 - kept) * self.means.predict(features.groups).mean
        return Prediction(mean, np.hypot(kept * prediction.sd, (1.0 - kept) * self.spread))


@dataclass(frozen=True, slots=True)
class Estimator:
    """The predictors of one router, fitted together.

    `gap_correlation` [M] is that of each candidate's residuals with the reference's: errors that candidates share do
    not blur the gap between them. `roster` says who is served, None where it is who was fitted.
    """

    quality: Predictor
    input_tokens: InputTokens | None
    output_tokens: LengthHead | None
    recorded_cost: LengthHead | None
    latency: LengthHead | None
    familiarity: Familiarity
    gap_correlation: Floats
    reference: int
    roster: Roster | None = None

    def __post_init__(self) -> None:
        """Let heads see with the eyes of the quality's stack where they are equal, as after any fit on full tables."""
        for head in self._heads():
            if head is not None and isinstance(self.quality, StackPredictor):
                head.stack_.see_with(self.quality)

    def estimate(self, features: Features) -> Estimates:
        """What is expected of every candidate for each of n queries."""
        stack = self.quality if isinstance(self.quality, StackPredictor) else None
        seen = None if stack is None else stack.see(features)
        prediction = self.quality.predict(features) if stack is None else stack.predict(features, seen)
        means = (
            None
            if head is None
            else head.mean(features, seen if stack is not None and head.stack_.sees_with(stack) else None)
            for head in self._heads()
        )
        of_fit = self.assemble(
            self.familiarity.shrink(prediction, features),
            None if self.input_tokens is None else self.input_tokens.mean(features),
            *means,
        )
        return of_fit if self.roster is None else self.roster.serve(of_fit, features.input_tokens)

    def grounds(self, features: Features, uses_groups: bool) -> list[Reason | None]:
        """What each query's estimates [n] lack: a text like those in training, a known group, or nothing (None)."""
        strange = self.familiarity.kept(features.familiarity) < STRANGE
        known = self.familiarity.means.index
        return [
            Reason("strange_text")
            if odd
            else Reason("guessed_group")
            if uses_groups and (group is None or group not in known)
            else None
            for odd, group in zip(strange.tolist(), features.groups, strict=True)
        ]

    def assemble(
        self,
        quality: Prediction,
        input_tokens: Floats | None,
        output_tokens: Floats | None,
        recorded_cost_usd: Floats | None,
        latency_s: Floats | None,
    ) -> Estimates:
        """Estimates of the predictors' means; what was never recorded is NaN."""
        missing = np.full_like(quality.mean, np.nan)
        return Estimates(
            quality=np.minimum(np.maximum(quality.mean, 0.0), 1.0),
            quality_sd=quality.sd,
            gap_sd=gap_sd(quality.sd, self.gap_correlation, self.reference),
            input_tokens=missing if input_tokens is None else input_tokens,
            output_tokens=missing if output_tokens is None else output_tokens,
            latency_s=missing if latency_s is None else latency_s,
            recorded_cost_usd=recorded_cost_usd,
        )

    def _heads(self) -> tuple[LengthHead | None, LengthHead | None, LengthHead | None]:
        return self.output_tokens, self.recorded_cost, self.latency

    def save(self) -> dict[str, dict[str, NDArray[Any]]]:
        """The state as parts of an artifact."""
        heads = {"output_tokens": self.output_tokens, "recorded_cost": self.recorded_cost, "latency": self.latency}
        parts = {name: head.save() for name, head in heads.items() if head is not None}
        if self.input_tokens is not None:
            parts["input_tokens"] = self.input_tokens.save()
        parts["quality"] = dict(self.quality.save())
        parts["estimator"] = {
            "gap_correlation": self.gap_correlation,
            "familiarity_floor": np.array(self.familiarity.floor),
            **prefixed("familiarity_means", self.familiarity.means.save()),
            "familiarity_spread": self.familiarity.spread,
            "reference": np.array(self.reference),
        }
        if self.roster is not None:
            parts["roster"] = self.roster.save()
        return parts

    @classmethod
    def load(cls, predictor: type[Predictor], parts: Mapping[str, Arrays]) -> Estimator:
        """The estimator of saved parts, its quality predictor being of the class given."""
        own = parts["estimator"]
        heads = {
            k: LengthHead.load(parts[k]) if k in parts else None for k in ("output_tokens", "recorded_cost", "latency")
        }
        return cls(
            quality=predictor.load(parts["quality"]),
            input_tokens=InputTokens.load(parts["input_tokens"]) if "input_tokens" in parts else None,
            **heads,
            familiarity=Familiarity(
                float(own["familiarity_floor"]),
                GroupMeans.load(part(own, "familiarity_means")),
                own["familiarity_spread"],
            ),
            gap_correlation=own["gap_correlation"],
            reference=int(own["reference"]),
            roster=Roster.load(parts["roster"]) if "roster" in parts else None,
        )
