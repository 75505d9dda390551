"""Everything a router expects of its candidates: quality, tokens or dollars, seconds, each by its own predictor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from tenbin.predictors.group import GroupMeans, Groups
from tenbin.predictors.input_tokens import InputTokens
from tenbin.predictors.lengths import LengthHead
from tenbin.predictors.parts import part, prefixed
from tenbin.predictors.sight import Sight
from tenbin.predictors.stack import StackPredictor
from tenbin.protocols import Arrays, Predictor
from tenbin.reasons import Reason
from tenbin.router.gap import gap_sd
from tenbin.router.likeness import Likeness
from tenbin.router.novelty import Novelty
from tenbin.router.outlook import Expected, Learnt, Outlook
from tenbin.router.roster import Roster
from tenbin.strangers import strange
from tenbin.types import Estimates, Features, Floats, Prediction

FADING = 0.02
"""Below this p-value of being like the training prompts estimates fade to the means, by the root of what is left."""

STRANGE_TEXT, GUESSED_GROUP = Reason("strange_text"), Reason("guessed_group")
"""What estimates may lack."""


@dataclass(frozen=True, slots=True)
class Familiarity:
    """How far the estimates of a strange text fall back to means: its group's, or the candidates' own.

    Where the p-value of `likeness` is below `FADING`, the deviation from `means` shrinks by its root and the standard
    deviation grows by `spread` [M], that of the estimates in training, as far as it shrinks.
    """

    likeness: Likeness
    means: GroupMeans
    spread: Floats

    def shrink(self, prediction: Prediction, groups: Groups, p: Floats) -> Prediction:
        """The prediction, drawn to the means as far as its p-values `p` [n] tell of strangers."""
        if np.count_nonzero(p < FADING) == 0:
            return prediction
        kept = np.sqrt(np.minimum(p / FADING, 1.0))[:, None]
        mean = kept * prediction.mean + (1.0 - kept) * self.means.predict(groups).mean
        return Prediction(mean, np.hypot(prediction.sd, (1.0 - kept) * self.spread))

    def save(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        likeness, means = prefixed("likeness", self.likeness.save()), prefixed("means", self.means.save())
        return {**likeness, **means, "spread": self.spread}

    @classmethod
    def load(cls, arrays: Arrays) -> Familiarity:
        """The familiarity of saved arrays."""
        likeness, means = Likeness.load(part(arrays, "likeness")), GroupMeans.load(part(arrays, "means"))
        return cls(likeness, means, arrays["spread"])


@dataclass(frozen=True, slots=True)
class Estimator:
    """The predictors of one router, fitted together.

    `gap_correlation` [M] is that of each candidate's residuals with the reference's: errors that candidates share do
    not blur the gap between them. `novelty` tells new words, for the rule of strangers alone. `roster` says who is
    served, None where it is who was fitted.
    """

    quality: Predictor
    input_tokens: InputTokens | None
    output_tokens: LengthHead | None
    recorded_cost: LengthHead | None
    latency: LengthHead | None
    familiarity: Familiarity
    gap_correlation: Floats
    reference: int
    novelty: Novelty
    roster: Roster | None = None
    sight: Sight | None = field(init=False, repr=False, compare=False)
    """The eyes of the quality's stack, and of the heads that see with it: all, after any fit on full tables."""
    outlook: Outlook | None = field(init=False, repr=False, compare=False)
    """What the library makes of all that they see; None where it is not there, or some head sees otherwise."""

    def __post_init__(self) -> None:
        """Let heads see with the eyes of the quality's stack where they are equal."""
        sight, outlook = None, None
        if isinstance(self.quality, StackPredictor):
            for head in self._heads():
                if head is not None:
                    head.stack_.see_with(self.quality)
            alike = [head.stack_ for head in self._heads() if self._sees_alike(head)]
            sight = self.quality.sight(alike)
            if len(alike) == sum(head is not None for head in self._heads()):
                outlook = self._outlook(self.quality, sight)
        object.__setattr__(self, "sight", sight)
        object.__setattr__(self, "outlook", outlook)

    def _outlook(self, quality: StackPredictor, sight: Sight) -> Outlook | None:
        if quality.map_ is None:
            return None
        return Outlook.opened(
            Learnt(
                *(sight, quality.map_, quality.factors_.means, self._heads(), self.input_tokens),
                *(self.familiarity.likeness, self.novelty, self.gap_correlation, self.reference),
            )
        )

    def _sees_alike(self, head: LengthHead | None) -> TypeGuard[LengthHead]:
        return head is not None and isinstance(self.quality, StackPredictor) and head.stack_.sees_with(self.quality)

    def estimate(self, features: Features) -> Estimates:
        """What is expected of every candidate for each of n queries."""
        if self.outlook is not None:
            return self.estimates_of(self.outlook(features), features.groups, features.input_tokens.tolist())
        of_fit = self._estimate(features)
        return of_fit if self.roster is None else self.roster.serve(of_fit, features.input_tokens)

    def estimates_of(self, expected: Expected, groups: Groups, counted_tokens: Sequence[float]) -> Estimates:
        """The estimates of what the library expects of n queries of these groups; of some, input tokens are counted."""
        (quality, sd, gap, input_tokens, output_tokens, recorded, latency), (p, novelty) = expected
        recorded_cost = None if self.recorded_cost is None else recorded
        if any(one < FADING for one in p.tolist()):
            drawn = self.familiarity.shrink(Prediction(quality, sd), groups, p)
            of_fit = self.assemble(drawn, input_tokens, output_tokens, recorded_cost, latency, p, novelty)
        else:
            of_fit = Estimates(quality, sd, gap, input_tokens, output_tokens, latency, recorded_cost, p, novelty)
        return of_fit if self.roster is None else self.roster.serve(of_fit, np.array(counted_tokens, np.float64))

    def _estimate(self, features: Features) -> Estimates:
        sums: Iterator[Floats] = iter(())
        if self.sight is None or not isinstance(self.quality, StackPredictor):
            prediction = self.quality.predict(features)
        else:
            look = self.sight.look(features)
            sums = iter(look.sums)
            prediction = self.quality.prediction(next(sums), look.variance)
        output_tokens, recorded_cost, latency = (
            None if head is None else head.mean_of(next(sums)) if self._sees_alike(head) else head.mean(features)
            for head in self._heads()
        )
        p = self.familiarity.likeness.p(features.familiarity, prediction.sd[:, self.reference])
        return self.assemble(
            self.familiarity.shrink(prediction, features.groups, p),
            None if self.input_tokens is None else self.input_tokens.mean(features),
            output_tokens,
            recorded_cost,
            latency,
            p,
            self.novelty.p(features.novelty, features.vectors),
        )

    def grounds(self, groups: Groups, estimates: Estimates, uses_groups: bool) -> list[Reason | None]:
        """What each query's estimates [n] lack: a text like those in training, a known group, or nothing (None)."""
        odd, known = set(strange(estimates.likeness)), self.familiarity.means.index
        return [
            STRANGE_TEXT
            if i in odd
            else GUESSED_GROUP
            if uses_groups and (group is None or group not in known)
            else None
            for i, group in enumerate(groups)
        ]

    def assemble(
        self,
        quality: Prediction,
        input_tokens: Floats | None,
        output_tokens: Floats | None,
        recorded_cost_usd: Floats | None,
        latency_s: Floats | None,
        likeness: Floats | None = None,
        novelty: Floats | None = None,
    ) -> Estimates:
        """Estimates of the predictors' means; what was never recorded is NaN."""
        missing = np.full(quality.mean.shape, np.nan)
        return Estimates(
            quality=np.minimum(np.maximum(quality.mean, 0.0), 1.0),
            quality_sd=quality.sd,
            gap_sd=gap_sd(quality.sd, self.gap_correlation, self.reference),
            input_tokens=missing if input_tokens is None else input_tokens,
            output_tokens=missing if output_tokens is None else output_tokens,
            latency_s=missing if latency_s is None else latency_s,
            recorded_cost_usd=recorded_cost_usd,
            likeness=likeness,
            novelty=novelty,
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
            **prefixed("familiarity", self.familiarity.save()),
            **prefixed("novelty", self.novelty.save()),
            "reference": np.array(self.reference),
        }
        if self.roster is not None:
            parts["roster"] = self.roster.save()
        return parts

    @classmethod
    def load(cls, load_quality: Callable[[Arrays, int], Predictor], parts: Mapping[str, Arrays]) -> Estimator:
        """The estimator of saved parts; `load_quality` makes its predictor of what that saved, and of M."""
        own = parts["estimator"]
        heads = {
            k: LengthHead.load(parts[k]) if k in parts else None for k in ("output_tokens", "recorded_cost", "latency")
        }
        return cls(
            quality=load_quality(parts["quality"], len(own["gap_correlation"])),
            input_tokens=InputTokens.load(parts["input_tokens"]) if "input_tokens" in parts else None,
            **heads,
            familiarity=Familiarity.load(part(own, "familiarity")),
            gap_correlation=own["gap_correlation"],
            reference=int(own["reference"]),
            novelty=Novelty.load(part(own, "novelty")),
            roster=Roster.load(parts["roster"]) if "roster" in parts else None,
        )
