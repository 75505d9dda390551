"""An evaluation as it is told in one language: what every section of the page is given."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tenbin.evaluate.result import Curve, CurvePoint, Evaluation, SingleModel
from tenbin.report.catalogue import Catalogue
from tenbin.report.numbers import Numbers
from tenbin.types import Figure


@dataclass(frozen=True, slots=True)
class Edition:
    """The evaluation, the words and the numbers of one language."""

    evaluation: Evaluation
    words: Catalogue
    numbers: Numbers

    @property
    def best(self) -> SingleModel:
        """The best single model on the test queries: what savings are measured against."""
        return self.single(self.evaluation.best_single)

    @property
    def reference(self) -> SingleModel:
        """The router's reference: what its dial is held against."""
        return self.single(self.evaluation.reference)

    @property
    def router(self) -> Curve:
        """The router's own curve."""
        return self.evaluation.curves[0]

    @property
    def dial(self) -> tuple[CurvePoint, ...]:
        """The router's settings along the dial, from mu = 0 on: those of its curve and the chosen one between them."""
        swept = [point for point in self.router.points if math.isfinite(point.mu)]
        at = self.evaluation.chosen
        if at is not None and all(point.mu != at.mu for point in swept):
            promised = at.promised_quality, at.promised_cost_usd
            swept.append(
                CurvePoint(
                    at.mu, "", at.quality, at.cost_usd, math.nan, at.shares, *promised, at.quality_ratio, at.saving
                )
            )
        return tuple(sorted(swept, key=lambda point: point.mu))

    def single(self, model: str) -> SingleModel:
        """The row of one model."""
        return next(single for single in self.evaluation.singles if single.model == model)

    def curve(self, name: str) -> Curve | None:
        """The baseline of that name, where it was evaluated."""
        return next((curve for curve in self.evaluation.curves if curve.name == name), None)

    def curve_title(self, name: str) -> str:
        """A curve's name for people, in the language of the page where the catalogue knows it."""
        curve = self.curve(name)
        return self.words.get(f"curve.{name}", curve.title if curve else name)

    def saving(self, cost_usd: float, against: SingleModel) -> float:
        """1 - cost / a single model's cost; NaN where that model is free."""
        whole = against.cost_usd.value
        return 1.0 - cost_usd / whole if whole > 0.0 else math.nan

    def quality_ratio(self, quality: float) -> float:
        """Quality as a share of the reference's; NaN where that is 0."""
        whole = self.reference.quality.value
        return quality / whole if whole > 0.0 else math.nan

    def default_setting(self) -> int:
        """The index along the dial at which the page opens: where the verdict speaks.

        That is the chosen setting; without one the cheapest that keeps the verdict's quality on the test queries. Where
        the verdict is to route for the best quality, it speaks of mu = 0.
        """
        verdict, dial = self.evaluation.verdict, self.dial
        if verdict.kind == "route" and math.isnan(verdict.ratio):
            return 0
        if (at := self.evaluation.chosen) is not None:
            return next(i for i, point in enumerate(dial) if point.mu == at.mu)
        wanted = self.evaluation.asked_ratio
        keeping = [i for i, point in enumerate(dial) if self.quality_ratio(point.quality.value) >= wanted]
        if keeping:
            return min(keeping, key=lambda i: (dial[i].cost_usd.value, i))
        return max(range(len(dial)), key=lambda i: (dial[i].quality.value, -i))

    def interval(self, low: float, high: float, decimals: int = 1) -> str:
        """An interval of shares as a range of percentages; empty where there is none."""
        return self.numbers.range(self.numbers.percent(low, decimals), self.numbers.percent(high, decimals))

    def cost_of(self, figure: Figure) -> tuple[str, str]:
        """A figure in dollars per query: dollars per 1,000 queries and their interval, empty where there is none."""
        value, low, high = (self.numbers.per_thousand_usd(each) for each in (figure.value, figure.low, figure.high))
        return value, self.numbers.range(low, high)

    def share_of(self, figure: Figure, decimals: int = 1) -> tuple[str, str]:
        """A figure that is a share: its percentage and its interval."""
        value = self.numbers.percent(figure.value, decimals)
        return value, self.interval(figure.low, figure.high, decimals)
