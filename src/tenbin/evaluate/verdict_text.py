"""The verdict in the words of `tenbin.reasons`, in every language; the first sentence is the headline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tenbin.evaluate.result import VerdictKind
from tenbin.reasons import LANGUAGES, Reason
from tenbin.types import Figure

Finding = Literal["gain", "finer", "luck", "nothing", "unknown"]
"""Of the gain over blind mixtures: beyond chance, only above the best single model's quality, within the reach of
chance, not above 0 by its interval, not looked at."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What the sentences are filled with; `ratio` NaN means the point of best quality (mu 0).

    `single` is the cheapest single model that is about as good as the best in training, with what it saves and keeps
    of the `reference` on the test queries. `blind_note` says by language why there is no `blind_saving`; `chance` is
    the p-value of the gain, `limit` what it may be at most; `beyond` so many times the prompts would not tell a small
    gain from none.
    """

    kind: VerdictKind
    model: str | None
    reference: str
    n_more: int | None
    n_test: int
    n_models: int
    finding: Finding
    chance: float
    limit: float
    beyond: int | None
    ratio: float
    saving: Figure
    quality_ratio: Figure
    single: str
    single_saving: Figure
    single_ratio: Figure
    blind_saving: Figure
    blind_note: Mapping[str, str]
    gain: Figure
    gain_log: Figure


def sentences(wording: Wording) -> Mapping[str, tuple[str, ...]]:
    """The verdict's sentences by language."""
    said = _said(wording)
    return {lang: tuple(sentence[lang] for sentence in said) for lang in LANGUAGES}


def _said(w: Wording) -> list[Mapping[str, str]]:
    said: list[Mapping[str, str]] = [_headline(w).in_all()]
    if w.kind == "route" and not math.isnan(w.blind_saving.value):
        said.append(Reason("verdict_blind", saved=_percent(w.blind_saving)).in_all())
    elif w.blind_note:
        said.append(w.blind_note)
    if w.kind != "collect" and w.single != w.reference:
        said.append((_chosen if w.kind == "single" else _alone)(w).in_all())
    if w.n_models > 1 and w.kind != "route":
        said += [reason.in_all() for reason in _finding(w)]
    elif w.finding == "finer":
        said.append(Reason("verdict_finer").in_all())
    if w.n_models > 1 and not math.isnan(w.gain.low):
        gains = {"aiq": _signed(w.gain), "aiq_log": _signed(w.gain_log)}
        said.append(Reason("verdict_gain", n=f"{w.n_test:,}", **gains).in_all())
    elif w.n_models > 1:
        said.append(Reason("verdict_few", n=f"{w.n_test:,}").in_all())
    return said


def _headline(w: Wording) -> Reason:
    if w.kind == "collect":
        return Reason("verdict_collect", n=f"{w.n_more:,}")
    if w.kind == "single":
        return Reason("verdict_single", model=str(w.model))
    kept = _percent(w.quality_ratio)
    if math.isnan(w.ratio):
        return Reason("verdict_finest", kept=kept, against=w.reference, times=_times(w.saving))
    saved, asked = _percent(w.saving), f"{w.ratio:.0%}"
    return Reason("verdict_route", saved=saved, against=w.reference, kept=kept, asked=asked)


def _alone(w: Wording) -> Reason:
    """What one model would do instead, held against the same model as routing is."""
    kept, told = _percent(w.single_ratio), {"model": w.single, "against": w.reference}
    if w.single_saving.value >= 0.0:
        return Reason("verdict_alone", kept=kept, saved=_percent(w.single_saving), **told)
    return Reason("verdict_alone_dearer", kept=kept, times=_times(w.single_saving), **told)


def _chosen(w: Wording) -> Reason:
    """What the one model to use is beside the router's reference."""
    kept = _percent(w.single_ratio)
    if w.single_saving.value >= 0.0:
        return Reason("verdict_chosen", kept=kept, reference=w.reference, saved=_percent(w.single_saving))
    return Reason("verdict_chosen_dearer", kept=kept, reference=w.reference, times=_times(w.single_saving))


def _finding(w: Wording) -> list[Reason]:
    """What the gain is worth where it is no reason to route."""
    match w.finding:
        case "nothing":
            return [_nothing(w)]
        case "luck":
            luck = Reason("verdict_luck", chance=f"{w.chance:.1%}")
            perhaps = Reason("verdict_perhaps_luck", chance=f"{w.chance:.1%}", limit=f"{w.limit:.0%}")
            return [luck if w.kind == "single" else perhaps]
        case "gain" | "finer":
            return [Reason("verdict_unused")]
    return []


def _nothing(w: Wording) -> Reason:
    if w.kind != "single":
        return Reason("verdict_nothing_certain")
    if w.beyond is None:
        return Reason("verdict_nothing")
    return Reason("verdict_nothing_seen", n=f"{w.n_test:,}", times=str(w.beyond))


def _percent(f: Figure) -> str:
    """A share with its interval; an end that is not known is left open, and not the figure shown as certain."""
    if math.isnan(f.value):  # of nothing: where the reference was never right, or is free
        return Reason("figure_unknown_share")
    value, low, high = (f"{number:z.1%}" for number in (f.value, f.low, f.high))
    if math.isnan(f.low):
        return value if math.isnan(f.high) else Reason("figure_up_to", value=value, high=high)
    return Reason("figure_or_more", value=value, low=low) if math.isnan(f.high) else _between(value, low, high)


def _signed(f: Figure) -> str:
    return _between(*(f"{number:+z.4f}" for number in (f.value, f.low, f.high)))


def _between(value: str, low: str, high: str) -> str:
    return Reason("figure_between", value=value, low=low, high=high)


def _times(saving: Figure) -> str:
    """How many times the other one's dollars are paid."""
    if math.isnan(saving.value):
        return Reason("figure_unknown_times")
    return Reason("figure_times", number=f"{1.0 - saving.value:.2f}")
