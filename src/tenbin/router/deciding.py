"""Many queries decided at once, each at several trade-offs: what `Router.route` does."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tenbin.errors import DecisionError, UsageError
from tenbin.policy import listed, output_caps, safe_default
from tenbin.reasons import Reason
from tenbin.risk import cautious_quality, choose, losses
from tenbin.router.attachments import attached_to_each, with_attached
from tenbin.router.excess import Excess
from tenbin.router.explain import headline
from tenbin.router.new_subject import followed
from tenbin.router.routing import Routing
from tenbin.strangers import SentTo, Stranger, sent_in_turn, strange, strangers_among
from tenbin.types import Bools, Estimates, Features, Floats, Ints, Query, TradeOff

if TYPE_CHECKING:
    from tenbin.router.router import Router

Bars = Sequence[str | None]
RULED_OUT = frozenset({"not_allowed", "not_in_profile", "not_for_caller"})
"""The keys of the bars that a list of a profile, a key or a request puts up."""
MOST_TOLD = 500


def route(
    router: Router,
    queries: Sequence[Query],
    trade_offs: Sequence[TradeOff],
    *,
    allow: Collection[str] | None = None,
    deny: Collection[str] | None = None,
    stranger_budget_usd: float | Sequence[float] | None = None,
    stream: Excess | None = None,
) -> Routing:
    """The decisions of n queries at k trade-offs; see `Router.route`."""
    for trade_off in trade_offs:
        router.check_trade_off(trade_off)
    budgets = _budgets(stranger_budget_usd, len(trade_offs))
    features = router.features(queries)
    estimates, cost = _expected(router, features, queries)
    barred = _all_bars(router.models, queries, listed(router.models, allow, deny), router.bars(queries, estimates))
    eligible = np.array([[bar is None for bar in row] for row in barred], dtype=np.bool_).reshape(cost.shape)
    grounds = router.grounds(queries, estimates)
    strangers: list[Stranger] = []
    if estimates.novelty is not None and any(budget is not None for budget in budgets):
        of_new_subject = followed(stream or Excess(), estimates.novelty).nonzero()[0].tolist()
        asked = {**dict.fromkeys(of_new_subject, False), **dict.fromkeys(strange(estimates.likeness), True)}
        strangers = strangers_among(asked, cost, barred, router.models, router.reference)
    chosen = np.empty((len(trade_offs), len(queries)), dtype=np.int64)
    loss, stranger_usd = np.empty(chosen.shape), np.zeros(chosen.shape)
    sent_to: list[tuple[SentTo | None, ...]] = []
    reasons = []
    for t, (trade_off, budget) in enumerate(zip(trade_offs, budgets, strict=True)):
        weighed = losses(cautious_quality(estimates, trade_off), cost, estimates.latency_s, trade_off, router.anchors)
        chosen[t], fell_back = _choose(router, weighed, cost, eligible)
        places: dict[int, SentTo | None] = {}
        if budget is not None:
            for stranger, place in zip(strangers, sent_in_turn(strangers, trade_off.mu, budget), strict=True):
                i = stranger.row
                places[i] = place
                if place == "cheapest":
                    chosen[t, i] = stranger.cheapest
                elif place is not None:
                    chosen[t, i], stranger_usd[t, i] = router.reference, stranger.extra_usd
        loss[t] = weighed[np.arange(len(queries)), chosen[t]]
        sent_to.append(tuple(places.get(i) for i in range(len(queries))))
        reasons.append(
            tuple(
                headline(trade_off, row, bool(back), ground, sent)
                for row, back, ground, sent in zip(barred, fell_back, grounds, sent_to[-1], strict=True)
            )
        )
    return Routing(
        models=router.models,
        trade_offs=tuple(trade_offs),
        chosen=chosen,
        loss=loss,
        estimates=estimates,
        cost_usd=cost,
        barred=tuple(barred),
        reasons=tuple(reasons),
        sent=tuple(sent_to),
        stranger_usd=stranger_usd,
    )


def _expected(router: Router, features: Features, queries: Sequence[Query]) -> tuple[Estimates, Floats]:
    """What is expected of every candidate, what is attached and how long answers may be with it, and the dollars."""
    estimates = with_attached(router.estimate(features), router.candidates, attached_to_each(queries))
    caps = output_caps(router.candidates, queries)
    return estimates.capped(caps), router.cost_usd(estimates, output_caps=caps)


def _budgets(given: float | Sequence[float] | None, count: int) -> list[float | None]:
    """The stranger budget of every trade-off, None where none is told (UsageError for what is no amount)."""
    found: list[float | None] = [given] * count if given is None or isinstance(given, float | int) else [*given]
    for usd in found:
        if usd is not None and not usd >= 0.0:
            raise UsageError(f"a stranger budget of {usd} dollars is none", fix="give 0 or more")
    return found


def _choose(router: Router, loss: Floats, cost: Floats, eligible: Bools) -> tuple[Ints, Bools]:
    """The choice [n], the safe default where no eligible candidate has a loss, and where that was so [n]."""
    lost: Bools = np.asarray((np.isnan(loss) | ~eligible).all(axis=1))
    chosen = choose(loss, cost, router.rank, eligible)
    for i in lost.nonzero()[0].tolist():
        chosen[i] = safe_default(router.models, router.manifest.reference, eligible[i])
    return chosen, lost


def _all_bars(
    models: Sequence[str], queries: Sequence[Query], left: Bools, rows: Sequence[Bars]
) -> list[list[str | None]]:
    """The bars [n][M] of the lists and of the queries; DecisionError where nobody is left for one."""
    by_lists: list[str | None] = [None if ok else Reason("not_allowed") for ok in left.tolist()]
    barred = [[a or b for a, b in zip(by_lists, row, strict=True)] for row in rows]
    for query, row in zip(queries, barred, strict=True):
        if None not in row:
            raise nobody_left(query, models, row)
    return barred


def nobody_left(query: Query, models: Sequence[str], barred: Bars) -> DecisionError:
    """What to say of a query that all candidates are barred from."""
    what = f"no candidate can answer it: {why_nobody(models, barred)}"
    return DecisionError(what, where=f"query {query.query_id}", fix="allow more candidates, or ask for less")


def why_nobody(models: Sequence[str], barred: Bars) -> str:
    """Why each candidate is barred, as far as there is room; whom a list rules out is not named, for a key that may not
    use a candidate learns nothing of it.
    """
    told = [f"{model} {bar}" for model, bar in zip(models, barred, strict=True) if not _is_by_list(bar)]
    return "; ".join(told)[:MOST_TOLD] or "none is allowed"


def _is_by_list(bar: str | None) -> bool:
    return isinstance(bar, Reason) and bar.key in RULED_OUT
