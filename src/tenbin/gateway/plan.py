"""What is going to be tried for one request: the candidates in order, what each may cost, and why this order."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np

from tenbin.gateway.session import Fingerprints
from tenbin.gateway.snapshot import ServedProfile
from tenbin.reasons import Reason
from tenbin.router.explain import views
from tenbin.router.weighing import FIGURES, Weighed
from tenbin.store.reader import StoredDecision
from tenbin.strangers import SentTo
from tenbin.types import CandidateView, Estimates, TradeOff
from tenbin.upstream.destination import Destination

FORMAT = 2
"""Before 2 a plan was of names."""
PINNED, PINNED_REASON = "pinned", "named by the request"
"""Of a model that was named itself: the code, and why in words."""
SENT_TO: Mapping[str, SentTo] = MappingProxyType(
    {"stranger": "reference", "beyond_stranger_budget": "cheapest", "new_subject": "sheltered"}
)
"""Where strangers and texts of a new subject go, by the codes of their decisions."""
NARROWING = frozenset({"not_for_caller", "over_ceiling"})
"""The keys of the bars that a key's models, or a request's own lists and ceiling, put up."""


class Attempt(msgspec.Struct, frozen=True, eq=False):
    """One candidate of the plan, and what is expected of its answer (None or NaN: not known).

    Of the first `strips_before` messages other models' state (thinking, tool-call ids) is taken out.
    A struct: every request makes one per candidate, and a named tuple takes three times as long.
    """

    destination: Destination
    input_tokens: float
    output_tokens: float | None = None
    quality: float | None = None
    cost_usd: float | None = None
    strips_before: int = 0


class Plan(msgspec.Struct, frozen=True, eq=False):
    """The attempts of one request, first choice first.

    `reason` is why in words, `code` the same as metrics count it; `profile` is None for a model that was named
    itself; `baseline_usd` is what the reference is expected to cost; `turn_tokens` are those of the prompt of the turn
    before that lie in another candidate's cache; `prints` its fingerprints; `stranger_usd` what was taken from the
    stranger budget (None: nothing was asked of it). `is_watched` says that the dial decided a
    request that goes on with nothing: what the watch over its key counts.
    """

    decision_id: str
    attempts: Sequence[Attempt]
    reason: str
    code: str
    profile: ServedProfile | None = None
    trade_off: TradeOff | None = None
    weighed: Weighed | None = None
    baseline_usd: float | None = None
    turn_tokens: int = 0
    prints: Fingerprints | None = None
    stranger_usd: float | None = None
    is_watched: bool = False

    @property
    def sent_to(self) -> str | None:
        """Who answers a text unlike the training prompts: "reference", "cheapest" or "dial"; None for other texts."""
        if self.code in SENT_TO:
            return SENT_TO[self.code]
        ground = None if self.weighed is None else self.weighed.reason.values.get("ground")
        return "dial" if isinstance(ground, Reason) and ground.key == "strange_text" else None

    @property
    def profile_name(self) -> str | None:
        """The profile's name, None for a model that was named itself."""
        return None if self.profile is None else self.profile.profile.name

    def names(self) -> list[str]:
        """The candidates in the order of the plan."""
        if self.weighed is not None:
            return [self.weighed.models[m] for m in self.weighed.ranking]
        return [attempt.destination.candidate.name for attempt in self.attempts]

    def _is_narrowed(self, weighed: Weighed) -> bool:
        """Whether the caller's own limits ruled out the reference, so that the profile cannot answer for the choice."""
        bar = None if self.profile is None else weighed.barred[self.profile.reference]
        return isinstance(bar, Reason) and bar.key in NARROWING

    def document(self, at: float) -> bytes:
        """The decision as JSON; of a weighed one the plan names places in `models`, in whose order are the figures:
        [len(FIGURES), M], float32 in base64.
        """
        trade_off = self.trade_off
        weighed = None if trade_off is None else self.weighed
        found: dict[str, Any] = {
            "format": FORMAT,
            "decision_id": self.decision_id,
            "at": at,
            "profile": self.profile_name,
            "model": self.attempts[0].destination.candidate.name,
            "reason": self.reason,
            "code": self.code,
            "plan": self.names() if weighed is None else weighed.ranking,
        }
        if self.profile is not None:
            found["versions"] = self.profile.versions
        if weighed is not None and trade_off is not None:
            found["trade_off"] = [trade_off.mu, trade_off.w, trade_off.caution, trade_off.minimax]
            found["models"] = weighed.models
            found["barred"] = {weighed.models[m]: bar for m, bar in enumerate(weighed.barred) if bar}
            if self._is_narrowed(weighed):
                found["is_narrowed"] = True
            found["figures"] = base64.b64encode(weighed.figures.astype("<f4").tobytes()).decode("ascii")
        return msgspec.json.encode(found, enc_hook=str)  # reasons are words that remember more: here the words count


def read_decision(stored: StoredDecision) -> dict[str, Any]:
    """A decision of the ledger as people read it; of a model that was named itself it has no document."""
    if stored.document is not None:
        return read_document(stored.document)
    return {
        "decision_id": stored.decision_id,
        "at": stored.at,
        "profile": None,
        "model": stored.model,
        "reason": PINNED_REASON,
        "code": PINNED,
        "plan": [stored.model],
    }


def read_document(document: bytes) -> dict[str, Any]:
    """A stored decision as people read it: every candidate's estimates, loss, and why it was not chosen."""
    found: dict[str, Any] = msgspec.json.decode(document)
    found.pop("format")
    figures = found.pop("figures", None)
    models, barred, dial = found.pop("models", ()), found.pop("barred", {}), found.pop("trade_off", None)
    if figures is None:
        return found
    found["plan"] = [models[place] if isinstance(place, int) else place for place in found["plan"]]
    table = np.frombuffer(base64.b64decode(figures), dtype="<f4").astype(np.float64).reshape(len(FIGURES), -1)
    trade_off = TradeOff(*dial)
    found["trade_off"] = {
        "mu": trade_off.mu,
        "w": trade_off.w,
        "caution": trade_off.caution,
        "minimax": trade_off.minimax,
    }
    found["candidates"] = [
        _shown(view) for view in _views(found["model"], models, barred, table, trade_off, SENT_TO.get(found["code"]))
    ]
    return found


def _views(
    chosen: str,
    models: Sequence[str],
    barred: Mapping[str, str],
    table: np.ndarray,
    trade_off: TradeOff,
    sent: SentTo | None,
) -> tuple[CandidateView, ...]:
    rows = {name: table[[i]] for i, name in enumerate(FIGURES)}
    estimates = Estimates(
        **{
            name: rows[name]
            for name in ("quality", "quality_sd", "gap_sd", "input_tokens", "output_tokens", "latency_s")
        }
    )
    bars = [barred.get(name) for name in models]
    return views(models, estimates, rows["cost_usd"], rows["loss"], bars, list(models).index(chosen), trade_off, sent)


def _shown(view: CandidateView) -> dict[str, Any]:
    """A candidate's line: figures to six digits, what is not known as null."""
    shown: dict[str, Any] = {"model": view.model}
    for name in ("quality", "quality_sd", "input_tokens", "output_tokens", "cost_usd", "latency_s", "loss"):
        value = getattr(view, name)
        shown[name] = float(f"{value:.6g}") if np.isfinite(value) else None
    return {**shown, "eligible": view.eligible, "reason": str(view.reason)}  # the words alone: JSON knows no `Reason`
