"""Many requests weighed at once: what the gateway asks of a router, and the whole ranking that it gets back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np

from tenbin.errors import DecisionError, UsageError
from tenbin.features.attached import NOTHING, Attached
from tenbin.policy import output_caps, safe_default
from tenbin.reasons import Reason
from tenbin.risk import cautious_quality, in_steps, losses
from tenbin.router.attachments import with_attached
from tenbin.router.deciding import Bars, nobody_left
from tenbin.router.explain import SENT, headline
from tenbin.router.new_subject import is_new
from tenbin.router.router import Router
from tenbin.router.scales import Dials, Laid
from tenbin.strangers import strange, strangers_among
from tenbin.types import Estimates, Floats, Query, TradeOff

FIGURES = ("quality", "quality_sd", "gap_sd", "input_tokens", "output_tokens", "cost_usd", "latency_s", "loss")
"""The rows of `Weighed.figures`."""
QUALITY, INPUT_TOKENS, OUTPUT_TOKENS, COST_USD, LOSS = 0, 3, 4, 5, 7
"""Which of them are asked for one by one."""


class Ask(msgspec.Struct, frozen=True, eq=False):
    """One request to weigh; arrays are [M] in the order of the router's models.

    `barred` says why the gateway lets a candidate not answer (None: it may). `cached_tokens` are input tokens that a
    candidate's prompt cache holds of this conversation, billed at its cached rate. `max_cost_usd` bars candidates
    that are expected to cost more. `hidden_tokens` are sent beside the messages: tools and schemas; `attached` is
    what its messages hold that is no text; `answers` are wanted at once, each of which is billed. Where it
    `has_stranger_budget`, a text unlike the training prompts goes to the reference, and where what came before
    `is_new_subject`, any text.
    """

    query: Query
    trade_off: TradeOff
    barred: Bars
    cached_tokens: Floats | None = None
    max_cost_usd: float | None = None
    hidden_tokens: float = 0.0
    attached: Attached = NOTHING
    answers: int = 1
    has_stranger_budget: bool = False
    is_new_subject: bool = False


class Weighed(msgspec.Struct, frozen=True, eq=False):
    """What every candidate is expected to do for one request, arrays [M], and in which order they are to be tried.

    `ranking` holds the indices of the eligible candidates, the chosen one first: the failover plan. Candidates
    without a loss (NaN) come last. `barred` says why a candidate is not in it (None: it is), `reason` why the first
    was chosen, `stranger_usd` what the reference is expected to cost more than the cheapest where a stranger or a new
    subject was sent to it (None: it was not), `by_dial` what the dial had decided where that was no stranger. `is_new`
    says that the text is new (None: nobody asked). `figures` [len(FIGURES), M] are what it rests on.
    """

    models: tuple[str, ...]
    ranking: tuple[int, ...]
    barred: tuple[str | None, ...]
    reason: Reason
    figures: Floats
    stranger_usd: float | None = None
    by_dial: Weighed | None = None
    is_new: bool | None = None

    def _row(self, place: int) -> Floats:
        row: Floats = self.figures[place]
        return row

    @property
    def quality(self) -> Floats:
        """The expected quality of each answer."""
        return self._row(QUALITY)

    @property
    def input_tokens(self) -> Floats:
        """The expected tokens of the request."""
        return self._row(INPUT_TOKENS)

    @property
    def output_tokens(self) -> Floats:
        """The expected tokens of all answers."""
        return self._row(OUTPUT_TOKENS)

    @property
    def cost_usd(self) -> Floats:
        """The expected dollars."""
        return self._row(COST_USD)

    @property
    def loss(self) -> Floats:
        """The expected loss at the request's dial."""
        return self._row(LOSS)


def weigh(router: Router, asks: Sequence[Ask]) -> list[Weighed | DecisionError]:
    """Weigh n requests in one batch; each answer is what `Router.route` gives for that request alone.

    A request that nobody may answer gets a DecisionError in its place; the others never notice. In a router of
    recorded dollars no tokens are known, so cached ones save nothing there.
    """
    if not asks:
        return []
    queries = [ask.query for ask in asks]
    estimates, refused = _as_asked(router, router.expect(queries), asks), _refused(router, asks)
    figures, order = _laid(router, asks, estimates)
    orders = order.tolist()
    cost, loss = figures[COST_USD], figures[LOSS]
    grounds = router.grounds(queries, estimates)
    bars = router.bars(queries, estimates)
    new = _new(estimates, asks)
    unbarred: Bars = (None,) * len(router.models)
    answers: list[Weighed | DecisionError] = []
    for i, ask in enumerate(asks):
        if refused and (refusal := refused.get(ask.trade_off)) is not None:
            answers.append(refusal)
            continue
        barred: Bars = bars[i]
        if ask.barred != unbarred:
            barred = [own or bar for own, bar in zip(ask.barred, barred, strict=True)]
        dear = _over_ceiling(ask, router.models, barred, cost[i])
        if isinstance(dear, DecisionError):
            answers.append(dear)
            continue
        ranking, is_unknown = _ranking(router, orders[i], loss[i], dear)
        answers.append(
            Weighed(
                models=router.models,
                ranking=ranking,
                barred=tuple(dear),
                reason=headline(ask.trade_off, dear, is_unknown, grounds[i]),
                figures=figures[:, i],
                is_new=new[i],
            )
        )
    _shelter(router, asks, estimates, cost, answers)
    return answers


def beyond_budget(weighed: Weighed) -> Weighed:
    """The same request once the stranger budget is used up: of a stranger the cheapest first, the dearest last, of
    another text of a new subject as the dial decides.
    """
    if weighed.by_dial is not None:
        return weighed.by_dial
    cost = weighed.cost_usd.tolist()
    ranking = sorted(weighed.ranking, key=lambda m: (math.isnan(cost[m]), cost[m], weighed.models[m]))
    return msgspec.structs.replace(weighed, ranking=tuple(ranking), reason=Reason(SENT["cheapest"]), stranger_usd=None)


def _shelter(
    router: Router, asks: Sequence[Ask], estimates: Estimates, cost: Floats, answers: list[Weighed | DecisionError]
) -> None:
    """Put the reference first where it is to answer strangers and texts of a new subject; once for all of them, since
    where a subject is new every text is asked about.
    """
    if not any(ask.has_stranger_budget for ask in asks):
        return
    odd, asked = set(strange(estimates.likeness)), {}
    for i, ask in enumerate(asks):
        if ask.has_stranger_budget and (ask.is_new_subject or i in odd) and isinstance(answers[i], Weighed):
            asked[i] = i in odd
    if not asked:
        return
    bars = [() if isinstance(one, Exception) else one.barred for one in answers]
    for stranger in strangers_among(asked, cost, bars, router.models, router.reference):
        i = stranger.row
        weighed, trade_off = answers[i], asks[i].trade_off
        sent = stranger.sent(trade_off.mu, math.inf)
        if sent is not None and isinstance(weighed, Weighed):
            answers[i] = msgspec.structs.replace(
                weighed,
                ranking=(router.reference, *[m for m in weighed.ranking if m != router.reference]),
                reason=headline(trade_off, weighed.barred, False, None, sent),
                stranger_usd=stranger.extra_usd,
                by_dial=weighed if sent == "sheltered" else None,
            )


def _new(estimates: Estimates, asks: Sequence[Ask]) -> Sequence[bool | None]:
    """Which texts are new; None where there is no stranger budget, and so nobody asks."""
    if estimates.novelty is None or not any(ask.has_stranger_budget for ask in asks):
        return (None,) * len(asks)
    found = is_new(estimates.novelty).tolist()
    return [new if ask.has_stranger_budget else None for new, ask in zip(found, asks, strict=True)]


def _as_asked(router: Router, estimates: Estimates, asks: Sequence[Ask]) -> Estimates:
    """The estimates with the tokens that are no text, those sent beside the messages, and those of all answers."""
    if any(ask.hidden_tokens for ask in asks):
        hidden = np.array([[ask.hidden_tokens] for ask in asks])
        estimates = replace(estimates, input_tokens=estimates.input_tokens + hidden)
    estimates = with_attached(estimates, router.candidates, [ask.attached for ask in asks])
    if any(ask.answers != 1 for ask in asks):
        answers = np.array([[float(ask.answers)] for ask in asks])
        estimates = replace(estimates, output_tokens=estimates.output_tokens * answers)
    return estimates


def _caps(router: Router, asks: Sequence[Ask]) -> Floats | None:
    """The longest that all answers of each request together may be [n, M]; None where nobody says."""
    caps = output_caps(router.candidates, [ask.query for ask in asks])
    if caps is not None and any(ask.answers != 1 for ask in asks):
        caps = caps * np.array([[float(ask.answers)] for ask in asks])
    return caps


def _cached(asks: Sequence[Ask], width: int) -> Floats | None:
    """The cached tokens [n, M] of all requests; None where none has any."""
    if all(ask.cached_tokens is None for ask in asks):
        return None
    none = np.zeros(width)
    return np.stack([none if ask.cached_tokens is None else ask.cached_tokens for ask in asks])


def _refused(router: Router, asks: Sequence[Ask]) -> dict[TradeOff, DecisionError]:
    """Why a trade-off makes no sense for this router."""
    refused: dict[TradeOff, DecisionError] = {}
    for trade_off in {ask.trade_off for ask in asks}:
        try:
            router.check_trade_off(trade_off)
        except UsageError as error:
            refused[trade_off] = DecisionError(error.what, fix=error.fix)
    return refused


def _dials(ask: Ask) -> Dials:
    turned, cap = ask.trade_off, ask.query.max_output_tokens
    return Dials(turned.mu, turned.w, turned.caution, turned.minimax, cap or math.inf, ask.answers)


def _laid(router: Router, asks: Sequence[Ask], estimates: Estimates) -> Laid:
    """All requests on the scales, each at its own trade-off."""
    cached = _cached(asks, len(router.models))
    if router.scales is not None:
        return router.scales(estimates, [_dials(ask) for ask in asks], cached)
    caps, trade_offs = _caps(router, asks), [ask.trade_off for ask in asks]
    cost = router.cost_usd(estimates, 0.0 if cached is None else cached, caps)
    estimates = estimates.capped(caps)
    loss = np.empty_like(cost)
    for trade_off in set(trade_offs):
        own = [i for i, other in enumerate(trade_offs) if other == trade_off]
        every = losses(cautious_quality(estimates, trade_off), cost, estimates.latency_s, trade_off, router.anchors)
        loss[own] = every[own]
    ranks = np.broadcast_to(router.rank, cost.shape)
    known = {"cost_usd": cost, "loss": loss}
    figures = [known[name] if name in known else getattr(estimates, name) for name in FIGURES]
    return Laid(np.array(figures), np.lexsort((ranks, cost, in_steps(loss)), axis=-1))


def _over_ceiling(ask: Ask, models: Sequence[str], barred: Bars, cost: Floats) -> Bars | DecisionError:
    """The bars [M] with those of the cost ceiling, or why nobody is left."""
    if None not in barred:
        return nobody_left(ask.query, models, barred)
    ceiling = ask.max_cost_usd
    if ceiling is None:
        return barred
    dollars = cost.tolist()
    within = [
        bar or (None if c <= ceiling else Reason("over_ceiling", cost=f"${c:.3g}", ceiling=f"${ceiling:g}"))
        for bar, c in zip(barred, dollars, strict=True)
    ]
    if None in within:
        return within
    least = min(c for bar, c in zip(barred, dollars, strict=True) if bar is None)
    return DecisionError(
        f"no candidate is expected to cost at most ${ceiling:g}; the cheapest costs ${least:.3g}",
        where="max_cost_usd",
        fix=f"allow ${least * 1.01:.3g} or more",
    )


def _ranking(router: Router, order: list[int], loss: Floats, barred: Bars) -> tuple[tuple[int, ...], bool]:
    """The eligible candidates, best first, and whether none of them has a loss: then the safe default is the first."""
    ranking = [m for m in order if barred[m] is None]
    is_unknown = math.isnan(loss[ranking[0]])  # NaN comes last
    if is_unknown:
        eligible = np.array([bar is None for bar in barred], dtype=np.bool_)
        first = safe_default(router.models, router.manifest.reference, eligible)
        ranking = [first, *(m for m in ranking if m != first)]
    return tuple(ranking), is_unknown
