"""An evaluation as it is told in one language: what every section of the page is given."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tenbin.evaluate.result import ROUTER, Curve, CurvePoint, Evaluation, Figure, SingleModel
from tenbin.report.catalogue import Catalogue
from tenbin.report.numbers import MISSING, Numbers


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
        """The router's points along the dial, from mu = 0 on."""
        return tuple(sorted((p for p in self.router.points if math.isfinite(p.mu)), key=lambda p: p.mu))

    @property
    def between_sentences(self) -> str:
        """What stands between two sentences: nothing in Japanese, where the full stop is as wide as a letter."""
        return "" if self.words.lang == "ja" else " "

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
        """The index along the dial at which the page opens.

        The setting nearest to the one that was chosen on training data for the verdict's quality (99 % where the
        verdict rests on none); without such a setting the cheapest that keeps this quality on the test queries. Where
        the verdict is to route for the best quality, it speaks of mu = 0.
        """
        verdict = self.evaluation.verdict
        if verdict.kind == "route" and not math.isfinite(verdict.ratio):
            return 0
        wanted = verdict.ratio if math.isfinite(verdict.ratio) else 0.99
        kept = [p.mu for p in self.evaluation.operating_points if p.kind == "min_quality" and p.target == wanted]
        if kept and math.isfinite(kept[0]):
            return min(range(len(self.dial)), key=lambda i: abs(_odds(self.dial[i].mu) - _odds(kept[0])))
        keeping = [i for i, p in enumerate(self.dial) if self.quality_ratio(p.quality.value) >= wanted]
        if keeping:
            return min(keeping, key=lambda i: (self.dial[i].cost_usd.value, i))
        return max(range(len(self.dial)), key=lambda i: (self.dial[i].quality.value, -i))

    def interval(self, low: float, high: float, decimals: int = 1) -> str:
        """An interval of shares as a range of percentages; empty where there is none."""
        written = self.numbers.between(self.numbers.percent(low, decimals), self.numbers.percent(high, decimals))
        return "" if written == MISSING else written

    def cost_of(self, figure: Figure) -> tuple[str, str]:
        """A figure in dollars per query: dollars per 1,000 queries and their interval, empty where there is none."""
        low, high = (self.numbers.per_thousand_usd(end) for end in (figure.low, figure.high))
        written = self.numbers.between(low, high)
        return self.numbers.per_thousand_usd(figure.value), "" if written == MISSING else written

    def share_of(self, figure: Figure, decimals: int = 1) -> tuple[str, str]:
        """A figure that is a share: its percentage and its interval."""
        value = self.numbers.percent(figure.value, decimals)
        return value, self.interval(figure.low, figure.high, decimals)


def _odds(mu: float) -> float:
    """The logarithm of mu / (1 - mu), in which the dial is evenly spaced; its two ends are put just beyond the grid."""
    inside = min(max(mu, 5e-4), 1.0 - 5e-4)
    return math.log(inside / (1.0 - inside))


__all__ = ["ROUTER", "Edition"]
