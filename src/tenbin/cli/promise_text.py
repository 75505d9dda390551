"""What a setting of the dial promises, with its intervals, for `fit`, `router show` and `route`."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from tenbin.cli.evaluate_text import bracketed, per_thousand
from tenbin.cli.output import number, percent

if TYPE_CHECKING:
    from tenbin.evaluate.promise import Promise
    from tenbin.report.catalogue import Catalogue
    from tenbin.router.router import Router
    from tenbin.types import TradeOff


def promises_at(router: Router, mus: Sequence[float]) -> list[Promise | None]:
    """What the router promises at each mu; None where that is NaN: nothing is promised there."""
    from tenbin.evaluate.promise import promises_of  # noqa: PLC0415 (only when a dial is shown)
    from tenbin.types import TradeOff  # noqa: PLC0415

    found = iter(promises_of(router, [TradeOff(mu) for mu in mus if not math.isnan(mu)]))
    return [None if math.isnan(mu) else next(found) for mu in mus]


def promise_of(router: Router, at: TradeOff, allow: Collection[str], deny: Collection[str]) -> Promise:
    """What the router promises at one setting, among the models that may be chosen."""
    from tenbin.evaluate.promise import promises_of  # noqa: PLC0415

    return promises_of(router, [at], allow=allow, deny=deny)[0]


def promise_cells(promise: Promise | None) -> list[str]:
    """The cells of one setting: share of the reference's quality, dollars per 1,000, saving, each with its interval."""
    if promise is None:
        return ["–", "–", "–"]
    return [
        bracketed(promise.quality_ratio, percent),
        bracketed(promise.cost_usd, per_thousand),
        bracketed(promise.saving, percent),
    ]


def promise_line(promise: Promise, router: Router, words: Catalogue) -> str:
    """The same as a sentence under a decision: what is saved, or how many times the reference's dollars it costs."""
    told = {
        "kept": bracketed(promise.quality_ratio, percent),
        "model": router.anchors.reference,
        "n": f"{router.manifest.n_train:,}",
    }
    if math.isnan(promise.saving.value):
        return words("decision.promise_free", cost=bracketed(promise.cost_usd, per_thousand), **told)
    if percent(promise.saving.value).startswith("-"):
        return words("decision.promise_dearer", times=bracketed(promise.saving.flipped, number_of_times), **told)
    return words("decision.promise", saving=bracketed(promise.saving, percent), **told)


def number_of_times(value: float) -> str:
    """How many times a cost is another one."""
    return number(value, 2)
