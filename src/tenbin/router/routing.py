"""Many decisions at once: what `Router.route` gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenbin.reasons import Reason
from tenbin.strangers import SentTo
from tenbin.types import Estimates, Floats, Ints, TradeOff


@dataclass(frozen=True, slots=True)
class Routing:
    """Decisions for n queries at k trade-offs.

    `chosen` and `loss` are [k, n]: the index of the model and its loss; `estimates` and `cost_usd` are [n, M];
    `barred[i][m]` says why a candidate may not answer (None: it may), `reasons[t][i]` why the choice was made,
    `sent[t][i]` where a query went as a stranger (None: as the dial decided). `stranger_usd` [k, n] is what the
    reference is expected to cost more than the cheapest candidate where strangers went to it, else 0.
    """

    models: tuple[str, ...]
    trade_offs: tuple[TradeOff, ...]
    chosen: Ints
    loss: Floats
    estimates: Estimates
    cost_usd: Floats
    barred: tuple[Sequence[str | None], ...]
    reasons: tuple[tuple[Reason, ...], ...]
    sent: tuple[tuple[SentTo | None, ...], ...]
    stranger_usd: Floats
