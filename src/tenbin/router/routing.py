"""Many decisions at once: what `Router.route` gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tenbin.reasons import Reason
from tenbin.types import Estimates, Floats, Ints, TradeOff


@dataclass(frozen=True, slots=True)
class Routing:
    """Decisions for n queries at k trade-offs.

    `chosen` and `loss` are [k, n]: the index of the model and its loss; `estimates` and `cost_usd` are [n, M];
    `barred[i][m]` says why a candidate may not answer (None: it may), `reasons[t][i]` why the choice was made.
    """

    models: tuple[str, ...]
    trade_offs: tuple[TradeOff, ...]
    chosen: Ints
    loss: Floats
    estimates: Estimates
    cost_usd: Floats
    barred: tuple[Sequence[str | None], ...]
    reasons: tuple[tuple[Reason, ...], ...]
